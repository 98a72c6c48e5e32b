"""The words a report uses for camvet's vocabulary: one table a word list, complete by test, for every format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from reports.monitoring import CameraState
from rules.vocabulary import ActivityEffect, Assurance, Basis, Kind, Outcome, Severity, Status, Strength
from scanner.observation import AttemptStatus, Reason

__all__ = [
    "APP_DOES", "ASSURANCE", "ATTEMPT", "BASIS", "CAMERA_STATE", "CLAIM", "EFFECT", "EVENT", "GLOSSARY", "KIND",
    "LISTED", "METRIC", "OPTED_IN", "OUTCOME", "OUTCOME_MEANS", "OUTSIDE", "PROHIBITING", "REASON", "SENT", "SEVERITY",
    "SEVERITY_ORDER", "STATUS", "STRENGTH", "joined", "plural", "roles",
]

OUTCOME: Mapping[Outcome, str] = MappingProxyType({
    Outcome.PROHIBITED: "Prohibited",
    Outcome.UNDETERMINED: "Undetermined",
    Outcome.CONDITIONAL: "Conditional",
    Outcome.APPROVED: "Approved",
})
OUTCOME_MEANS: Mapping[Outcome, str] = MappingProxyType({
    Outcome.PROHIBITED: "must stay out under this policy",
    Outcome.UNDETERMINED: "could not be judged, so it stays out",
    Outcome.CONDITIONAL: "may come in once conditions are met",
    Outcome.APPROVED: "may come in until the verdict expires",
})
OUTSIDE = "Not a camera"
"""What stands in place of a verdict's word where there is nothing to admit (`rules.policy.is_outside_scope`)."""

SEVERITY: Mapping[Severity, str] = MappingProxyType({one: str(one) for one in Severity})
SEVERITY_ORDER = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO)
STATUS: Mapping[Status, str] = MappingProxyType({
    Status.PASS: "passed",
    Status.FAIL: "failed",
    Status.NOT_ASSESSED: "not assessed",
    Status.NOT_APPLICABLE: "not applicable",
    Status.WAIVED: "waived",
})
ASSURANCE: Mapping[Assurance, str] = MappingProxyType({
    Assurance.CRYPTOGRAPHIC: "proven by a device certificate",
    Assurance.CORROBORATED: "corroborated by independent signals",
    Assurance.SELF_REPORTED: "rests on the device's own word or on one signal",
    Assurance.NONE: "maker not known",
})
STRENGTH: Mapping[Strength, str] = MappingProxyType({one: str(one) for one in Strength} | {Strength.NOTE: "note only"})
BASIS: Mapping[Basis, str] = MappingProxyType({
    Basis.LABEL: "label (the seller controls it)",
    Basis.FIRMWARE: "firmware (comes with the maker's software)",
    Basis.HARDWARE: "hardware (seen on the link layer)",
    Basis.CLOUD: "cloud (where it talks to)",
    Basis.CRYPTOGRAPHIC: "device certificate (challenged and chained)",
})
CLAIM: Mapping[str, str] = MappingProxyType({
    "maker": "made by", "brand": "label", "model": "model", "firmware": "firmware", "serial": "serial number",
    "mac": "MAC address", "kind": "kind of device",
})
KIND: Mapping[Kind, str] = MappingProxyType({
    Kind.CAMERA: "camera",
    Kind.THERMAL: "thermal camera",
    Kind.RECORDER: "recorder",
    Kind.ENCODER: "encoder",
    Kind.INTERCOM: "intercom",
    Kind.HUB: "camera hub",
    Kind.OTHER: "not a camera",
    Kind.UNKNOWN: "kind not known",
})
EFFECT: Mapping[ActivityEffect, str] = MappingProxyType({
    ActivityEffect.NONE: "no effect",
    ActivityEffect.RED_FLAG: "red flag: look closer before you buy",
    ActivityEffect.EXPORT_LICENCE_ONLY: "licence needed to export to this party",
    ActivityEffect.PROHIBITED: "prohibited",
    ActivityEffect.PROHIBITED_TO_PROVIDE: "prohibited to provide",
    ActivityEffect.PROHIBITED_TO_CONTRACT_WITH_USERS: "prohibited to contract with those who use it",
    ActivityEffect.PROHIBITED_AS_CONDITION_OF_CONTRACT: "prohibited as a condition of contract",
    ActivityEffect.PROHIBITED_ON_SENSITIVE_SITES: "prohibited on sensitive sites",
    ActivityEffect.SUPPLY_SIDE_FROZEN: "no new sales or authorisations",
    ActivityEffect.SUPPLY_SIDE_PROHIBITED: "sale or import prohibited",
    ActivityEffect.SUBSIDY_RESTRICTED: "no public subsidy may pay for it",
    ActivityEffect.DISCRETIONARY_EXCLUSION: "the buyer may exclude the supplier",
    ActivityEffect.PROHIBITED_TO_BUY_SECURITIES: "buying the company's securities is prohibited",
    ActivityEffect.REVIEW: "needs a person's review",
})
PROHIBITING = frozenset({
    ActivityEffect.PROHIBITED, ActivityEffect.PROHIBITED_TO_PROVIDE, ActivityEffect.PROHIBITED_TO_CONTRACT_WITH_USERS,
    ActivityEffect.PROHIBITED_AS_CONDITION_OF_CONTRACT, ActivityEffect.PROHIBITED_ON_SENSITIVE_SITES,
})
"""The effects that forbid the buyer himself something he does with the device."""

LISTED: Mapping[str, str] = MappingProxyType({
    "true": "listed by name", "false": "not listed", "category": "covered as a category",
    "by_affiliation": "covered through affiliation", "not_yet_effective": "listed, not yet in effect",
    "unresolved": "could not be resolved", "removed": "was listed, since removed",
})
ATTEMPT: Mapping[AttemptStatus, str] = MappingProxyType({
    AttemptStatus.COMPLETED: "completed",
    AttemptStatus.FAILED: "failed",
    AttemptStatus.NOT_ATTEMPTED: "not attempted",
})
REASON: Mapping[Reason, str] = MappingProxyType({
    Reason.TIMEOUT: "no whole answer before the deadline",
    Reason.NO_ANSWER: "nothing came back",
    Reason.REFUSED: "connection refused",
    Reason.RESET: "connection broken off",
    Reason.UNREACHABLE: "not reachable",
    Reason.TOO_LARGE: "answer too large to read",
    Reason.MALFORMED: "answer not readable",
    Reason.LOST: "packets were lost, so the record has holes",
    Reason.REDIRECTED: "pointed elsewhere; not followed",
    Reason.TLS_FAILED: "TLS handshake failed",
    Reason.BUSY: "device was busy",
    Reason.AUTH_REQUIRED: "login required and none given",
    Reason.AUTH_REJECTED: "login rejected",
    Reason.AUTH_NOT_UNDERSTOOD: "login method not understood",
    Reason.CLOCK_SKEW: "clocks too far apart",
    Reason.PORT_CLOSED: "port closed",
    Reason.PORT_UNKNOWN: "port filtered or never tried",
    Reason.NOT_APPLICABLE: "does not apply to this device",
    Reason.NO_CREDENTIALS: "no credentials were given",
    Reason.BUDGET_SPENT: "the device's request budget was used up",
    Reason.CIRCUIT_OPEN: "device stopped answering and was left alone",
    Reason.OUT_OF_SCOPE: "outside the authorised scope",
    Reason.UNPRIVILEGED: "the scanner lacked the system privilege",
    Reason.INTERRUPTED: "sweep was interrupted",
    Reason.INTERNAL: "camvet's own fault",
})
CAMERA_STATE: Mapping[CameraState, str] = MappingProxyType({
    CameraState.SUSPENDED: "Suspended",
    CameraState.ATTACHED: "Attached",
    CameraState.DETACHED: "Detached",
})
APP_DOES: Mapping[str, str] = MappingProxyType({"people_count": "people are counted"})
"""What an app does, for a manager; one that is not here is told by its name."""

METRIC: Mapping[str, str] = MappingProxyType({
    "in": "in", "out": "out", "present_mean": "present, mean", "present_max": "present, most at once",
})
EVENT: Mapping[str, str] = MappingProxyType({
    "attached": "attached", "detached": "detached", "connected": "connected", "lost": "connection lost",
    "suspended": "suspended", "resumed": "resumed", "overload": "analysis slowed down",
    "recovered": "analysis back at speed", "frozen": "picture frozen", "black": "picture black",
    "grey": "picture empty", "resolution_changed": "picture size changed",
})
GLOSSARY: tuple[tuple[str, str], ...] = (
    ("Brand and maker", (
        "The brand is the name on the label. The maker is who built the device. They are often not the same, and law "
        "and weaknesses follow the maker.")),
    ("Assurance", (
        "How the maker is known. Only a device certificate or two independent signals that a seller does not control "
        "can lead to an approval; the device's own word cannot.")),
    ("Prohibited", "At least one clause of the policy forbids the device for the stated buyer on the stated day."),
    ("Undetermined", (
        "Something the policy requires could not be established. Unknown is never clean: the device stays out until it "
        "is.")),
    ("Conditional", "The device may be used once the named conditions are met."),
    ("Approved", "Everything the policy requires was assessed and nothing stands against it. The verdict expires."),
    ("Not assessed", "A check could not be carried out. It is neither a pass nor a failure."),
    ("Strength and basis", "How much a piece of evidence weighs, and who controls what it shows."),
    ("Attached", (
        "Let in: the analysis may open this camera's stream, for the stated purpose, until the approval ends. The "
        "device is recognised again at every connection.")),
    ("Suspended", (
        "The gate was shut behind a camera that had been let in, because something no longer held. Nothing of it is "
        "analysed until a person has looked.")),
    ("Observation", "One stored reply of a device, named by sixteen hex digits, with the SHA-256 of its bytes."),
    ("As of", "The day the law, the lists and the weaknesses were judged for."),
)


SENT: Mapping[str, str] = MappingProxyType({
    "arp": "ARP requests", "syn": "SYN frames", "datagram": "UDP datagrams", "connection": "TCP connections",
    "request": "HTTP, RTSP and SOAP requests", "membership": "multicast groups joined (IGMP)",
})
OPTED_IN: Mapping[str, str] = MappingProxyType({
    "factory_logins": "default credentials (the one login that the maker documents for the state of delivery)",
    "snmp_public": "SNMP (one read with the community public)",
    "port_mappings": "port mappings (which ports the routers in scope open, read only)",
    "nmap": "nmap (what it takes the open services of single devices for)",
})
"""What a person has to ask for by name before a sweep does it."""


def plural(count: int, one: str, many: str = "") -> str:
    """``1 device``, ``3 devices``, ``1,204 devices``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def joined(parts: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``; there must be one at least."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def roles(name: str) -> str:
    """A buyer's or activity's identifier as words: ``us_federal_agency`` reads ``US federal agency``."""
    known = {"us": "US", "uk": "UK", "eu": "EU", "dod": "DoD", "fcc": "FCC"}
    return " ".join(known.get(part, part) for part in name.split("_"))
