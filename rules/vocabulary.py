"""The words camvet judges in, used alike in code, JSON, reports and docs.

Evidence → Identity → Finding, Effect → Verdict. All are frozen values without behaviour that could fail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

__all__ = [
    "ActivityEffect", "Assurance", "Basis", "Channel", "Conflict", "Effect", "Evidence", "Finding", "Identity", "Kind",
    "ListVersion", "Outcome", "Overall", "Severity", "Status", "Strength", "Verdict",
]


class Strength(StrEnum):
    """How much one piece of evidence weighs. ``note`` informs a reader and decides nothing."""

    DECISIVE = "decisive"
    STRONG = "strong"
    MEDIUM = "medium"
    WEAK = "weak"
    NOTE = "note"


class Basis(StrEnum):
    """Who controls what a signal shows: the heart of "a claim is no proof".

    ``label`` can be set by whoever sells the device under a name of his own (page titles, ONVIF manufacturer,
    certificate subject, host names). ``firmware`` comes with the true maker's software (a private protocol, a nonce's
    form, a serial's grammar). ``hardware`` was seen on the link layer (an OUI in ARP, a neighbour or switch table).
    ``cloud`` is where the device talks to. ``cryptographic`` is a device certificate that was challenged and chained.
    """

    LABEL = "label"
    FIRMWARE = "firmware"
    HARDWARE = "hardware"
    CLOUD = "cloud"
    CRYPTOGRAPHIC = "cryptographic"


class Assurance(StrEnum):
    """How the maker is known. Only the first two can lead to an approval."""

    CRYPTOGRAPHIC = "cryptographic"
    CORROBORATED = "corroborated"      # two or more independent signals that a rebrand does not control
    SELF_REPORTED = "self_reported"    # rests on the device's own word, or on one signal alone
    NONE = "none"                      # no maker known


class Kind(StrEnum):
    """What the thing is."""

    CAMERA = "camera"
    THERMAL = "thermal"
    RECORDER = "recorder"
    ENCODER = "encoder"
    INTERCOM = "intercom"
    HUB = "hub"                        # what battery cameras speak to: it keeps and relays their pictures
    OTHER = "other"                    # seen, and no camera: a printer, a switch
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason to believe one claim (``maker``, ``brand``, ``model``, ``firmware``, ``serial``, ``mac``, ``kind``).

    ``group`` names what two signals must not share to count as independent (``sadp``, ``oui``, ``http-realm``).
    ``because`` is a sentence for a person; ``signal`` the id of the rule; ``observations`` the ids it rests on.
    """

    claim: str
    value: str
    strength: Strength
    basis: Basis
    group: str
    because: str
    signal: str
    observations: Sequence[str] = ()
    source: str = ""
    unverified: bool = False


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two credible readings of one claim, with what each rests on; ``observations`` are the ids behind them."""

    claim: str
    values: Sequence[str]
    because: str
    observations: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Channel:
    """A camera behind a recorder, as the recorder describes it: a device of its own with the key ``address#number``."""

    number: int
    device: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who made it (`maker`) apart from what the label says (`brand`), and how well either is known.

    `makers` are the slugs of every credible maker, worst first where they disagree; `maker` is the one that decides.
    """

    device: str
    maker: str | None = None
    maker_name: str | None = None
    brand: str | None = None
    model: str | None = None
    firmware: str | None = None
    firmware_build: str | None = None      # the build date or number, where the device tells it apart from the version
    serial: str | None = None
    macs: Sequence[str] = ()
    kind: Kind = Kind.UNKNOWN
    assurance: Assurance = Assurance.NONE
    confidence: float = 0.0
    makers: Sequence[str] = ()
    channels: Sequence[Channel] = ()
    evidence: Sequence[Evidence] = ()
    conflicts: Sequence[Conflict] = ()


class Severity(StrEnum):
    """How bad a failed check is."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class Status(StrEnum):
    """How a check ended. What could not be assessed is said, never left out."""

    PASS = "pass"  # noqa: S105 - a status, not a password
    FAIL = "fail"
    NOT_ASSESSED = "not_assessed"
    NOT_APPLICABLE = "not_applicable"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check on one device: rule and version, how it ended and why, what it rests on, what to do."""

    device: str
    rule: str
    rule_version: str
    title: str
    status: Status
    severity: Severity
    reason: str
    remedy: str = ""
    evidence: Sequence[str] = ()                                    # observation ids
    standards: Sequence[tuple[str, str]] = ()                       # (standard, control id)
    facts: Sequence[tuple[str, str]] = ()                           # what a reader wants beside the reason


class ActivityEffect(StrEnum):
    """What one law does to one buyer's activity: the closed vocabulary of `camvet effects`."""

    NONE = "none"
    RED_FLAG = "red_flag"
    EXPORT_LICENCE_ONLY = "export_licence_only"
    PROHIBITED = "prohibited"
    PROHIBITED_TO_PROVIDE = "prohibited_to_provide"
    PROHIBITED_TO_CONTRACT_WITH_USERS = "prohibited_to_contract_with_users"
    PROHIBITED_AS_CONDITION_OF_CONTRACT = "prohibited_as_condition_of_contract"
    PROHIBITED_ON_SENSITIVE_SITES = "prohibited_on_sensitive_sites"
    SUPPLY_SIDE_FROZEN = "supply_side_frozen"
    SUPPLY_SIDE_PROHIBITED = "supply_side_prohibited"
    SUBSIDY_RESTRICTED = "subsidy_restricted"
    DISCRETIONARY_EXCLUSION = "discretionary_exclusion"
    PROHIBITED_TO_BUY_SECURITIES = "prohibited_to_buy_securities"
    REVIEW = "review"


class Overall(StrEnum):
    """The worst that the effects add up to, from bad to good: prohibited, review, restricted, legal_red_flag, legal."""

    LEGAL = "legal"
    LEGAL_RED_FLAG = "legal_red_flag"
    RESTRICTED = "restricted"
    PROHIBITED = "prohibited"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Effect:
    """What one regime says of one entity for one buyer on one day.

    ``listed`` is ``true``, ``false`` or a word (``category``, ``by_affiliation``, ``not_yet_effective``,
    ``unresolved``, ``removed``). ``condition_met`` is ``true``, ``false`` or ``unknown``, and ``None`` where the law
    has no condition.
    """

    regime: str
    name: str
    listed: str
    in_force: bool
    binds_buyer: bool
    buyer: str
    activity: str
    effect: ActivityEffect
    because: str
    condition: str | None = None
    condition_met: str | None = None
    duty: Sequence[str] = ()
    citation: str = ""
    listed_on: date | None = None
    effective_on: date | None = None
    why_listed: str | None = None
    source: str = ""
    unverified: bool = False
    removed_on: date | None = None
    exceptions: Sequence[str] = ()
    entity: str = ""                                                # the id of the party it is said of


STALE_AFTER_DAYS = 90
"""Older than this, the facts of a list are called stale, in every verdict, report and answer."""


@dataclass(frozen=True, slots=True)
class ListVersion:
    """Which edition of a law, list or rule set was used, and how old it is."""

    id: str
    name: str
    version: str          # digest of the data as used
    dated: date           # the day the facts in it were collected

    def age_days(self, on: date) -> int:
        """Days from the collecting of the facts to the day they are asked about; negative where they are younger."""
        return (on - self.dated).days

    def stale(self, on: date) -> bool:
        """Whether no answer from it counts as current on that day any more."""
        return self.age_days(on) > STALE_AFTER_DAYS


class Outcome(StrEnum):
    """The verdict's word. ``undetermined`` stays outside, like ``prohibited``."""

    APPROVED = "approved"
    CONDITIONAL = "conditional"
    PROHIBITED = "prohibited"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows for one device under one policy on one day, with everything it rests on.

    ``reasons`` are sentences in the order of weight; ``rules`` the policy clauses that decided, named.
    """

    device: str
    outcome: Outcome
    policy: str
    policy_version: str
    as_of: date
    expires: date
    reasons: Sequence[str] = ()
    rules: Sequence[str] = ()
    findings: Sequence[Finding] = ()
    effects: Sequence[Effect] = ()
    overall: Overall = Overall.REVIEW
    lists: Sequence[ListVersion] = field(default=())
