"""Reports that tests and designers use: a realistic site of seventeen devices, a hostile one, and a large one.

Every name, address, version and digest is made up or stands in a public law; nothing here was seen on a real network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from sample_monitoring import hostile_monitoring, monitoring

from reports.census import Census, CensusSource, UnseenDevice
from reports.report import (
    Destination,
    DeviceReport,
    Dropped,
    ForeignAnswer,
    Interface,
    JoinedDevice,
    ObservationRef,
    Report,
    ScopeSummary,
    Silent,
    build,
)
from rules.baseline import Baseline, Entry
from rules.fence import Allowed
from rules.vocabulary import (
    ActivityEffect,
    Assurance,
    Basis,
    Channel,
    Conflict,
    Effect,
    Evidence,
    Finding,
    Identity,
    Kind,
    ListVersion,
    Outcome,
    Overall,
    Severity,
    Status,
    Strength,
    Verdict,
)
from scanner.observation import Attempt, AttemptStatus, Reason

NOW = datetime(2026, 11, 22, 9, 41, tzinfo=UTC)
TODAY = date(2026, 11, 22)
NAMES = {
    "dahua": "Zhejiang Dahua Technology Co., Ltd.", "hikvision": "Hangzhou Hikvision Digital Technology Co., Ltd.",
    "uniview": "Zhejiang Uniview Technologies Co., Ltd.", "tvt": "Shenzhen TVT Digital Technology Co., Ltd.",
    "xiongmai": "Hangzhou Xiongmai Technology Co., Ltd.", "axis": "Axis Communications AB", "hanwha": "Hanwha Vision",
    "bosch": "Bosch Security Systems", "flir": "Teledyne FLIR",
}
LISTS = (
    ListVersion("regimes", "Laws and lists", "4be1c09f27aa", date(2026, 11, 20)),
    ListVersion("entities", "Listed parties and subsidiaries", "77c0d1e55b12", date(2026, 11, 20)),
    ListVersion("makers", "Makers' signals and grammars", "a90b3c1d8e44", date(2026, 11, 18)),
    ListVersion("advisories", "Known weaknesses", "c2f86d90b731", date(2026, 8, 1)),
    ListVersion("checks", "Checks", "15da77e0c9f3", date(2026, 11, 18)),
)


def seen(device: str, probe: str, transport: str, port: int | None = None) -> ObservationRef:
    digest = hashlib.sha256(f"{device}{probe}{transport}".encode()).hexdigest()
    return ObservationRef(hashlib.sha256(digest.encode()).hexdigest()[:16], transport, probe, port, NOW, digest)


def finding(device: str, rule: str, title: str, status: Status, severity: Severity, reason: str, remedy: str = "",
            standards: Sequence[tuple[str, str]] = (), facts: Sequence[tuple[str, str]] = (),
            evidence: Sequence[str] = ()) -> Finding:
    return Finding(device, rule, "1.2", title, status, severity, reason, remedy, tuple(evidence), tuple(standards),
                   tuple(facts))


def attempts(device: str, *undone: tuple[str, int | None, AttemptStatus, Reason, str]) -> tuple[Attempt, ...]:
    done = tuple(Attempt(device, probe, port, AttemptStatus.COMPLETED, NOW, elapsed_ms=38)
                 for probe, port in (("link.arp", None), ("wsd.probe", 3702), ("http.root", 80)))
    return done + tuple(Attempt(device, probe, port, status, NOW, reason, detail)
                        for probe, port, status, reason, detail in undone)


def law(maker: str) -> tuple[Effect, ...]:
    """What three laws say of a maker for a federal agency on the day of the sample."""
    named = maker in ("dahua", "hikvision")
    flagged = maker in ("dahua", "hikvision", "uniview")
    buyer = "us_federal_agency"
    purpose = "used for public safety, Government facilities, critical infrastructure or national security"
    return (
        Effect("US-889-A", "NDAA FY2019 s.889(a)(1)(A)", "true" if named else "false", named, True, buyer, "procure",
               ActivityEffect.PROHIBITED if named else ActivityEffect.NONE,
               "Video surveillance equipment produced by a named company or any of its affiliates." if named
               else "The maker is not one of the five named companies.",
               purpose if named else None, "unknown" if named else None,
               ("Do not procure, obtain, extend or renew.", "Ask the offeror for the representation before award.")
               if named else (), "Pub. L. 115-232 s.889(a)(1)(A); FAR 4.2102(a), 52.204-25(b)(1)",
               date(2018, 8, 13) if named else None, date(2019, 8, 13) if named else None, None,
               "statute, five named companies"),
        Effect("US-BIS-EL", "BIS Entity List", "true" if flagged else "false", flagged, True, buyer, "procure",
               ActivityEffect.RED_FLAG if flagged else ActivityEffect.NONE,
               "Binds exports to the party, not the purchase of its cameras." if flagged else "Not on the list.",
               None, None, (), "15 CFR 744.11; Supplement No. 4 to part 744",
               {"dahua": date(2019, 10, 9), "hikvision": date(2019, 10, 9), "uniview": date(2024, 12, 10)}.get(maker),
               {"dahua": date(2019, 10, 9), "hikvision": date(2019, 10, 9), "uniview": date(2024, 12, 10)}.get(maker),
               "named by the agency in connection with human rights abuses, through surveillance" if flagged else None,
               "Federal Register notices", maker == "uniview"),
        Effect("US-FASCSA", "FASCSA orders", "false", True, True, buyer, "procure", ActivityEffect.NONE,
               "No order names this party.", citation="41 U.S.C. 1323, 4713; FAR 52.204-30"),
    )


def device(host: str, slug: str | None, brand: str | None, model: str | None, firmware: str | None, outcome: Outcome,
           reasons: Sequence[str], *, kind: Kind = Kind.CAMERA, assurance: Assurance = Assurance.CORROBORATED,
           evidence: Sequence[Evidence] = (), findings: Sequence[Finding] = (), conflicts: Sequence[Conflict] = (),
           channels: Sequence[Channel] = (), undone: Sequence[tuple] = (), destinations: Sequence[Destination] = (),
           rules: Sequence[str] = (), mac: str = "02:00:00:00:00:01", serial: str | None = None, captured: bool = True,
           observations: Sequence[ObservationRef] = (), baseline: Baseline | None = None) -> DeviceReport:
    key = f"10.20.0.{host}"
    version, _, built = (firmware or "").partition(" build ")
    confidence = {Assurance.CRYPTOGRAPHIC: 0.99, Assurance.CORROBORATED: 0.95, Assurance.SELF_REPORTED: 0.5}
    identity = Identity(
        key, slug, NAMES.get(slug or ""), brand, model, firmware=version or None, firmware_build=built or None,
        serial=serial, macs=(mac,), kind=kind, assurance=assurance, confidence=confidence.get(assurance, 0.0),
        makers=(slug,) if slug else (), channels=tuple(channels), evidence=tuple(evidence), conflicts=tuple(conflicts))
    passing = tuple(finding(key, *one) for one in (
        ("telnet.open", "No Telnet service", Status.PASS, Severity.HIGH, "Port 23 is closed."),
        ("onvif.anonymous_profiles", "Media profiles need a login", Status.PASS, Severity.HIGH, "401 to GetProfiles."),
        ("upnp.portmap", "No port was opened on the router", Status.PASS, Severity.MEDIUM, "No mapping was seen."),
        ("ptz.anonymous", "Movement needs a login", Status.NOT_APPLICABLE, Severity.LOW, "It cannot move."),
    )) if kind is not Kind.OTHER else ()
    verdict = Verdict(key, outcome, "federal-site", "e81f02c4a6d9", TODAY, date(2027, 2, 20), tuple(reasons),
                      tuple(rules), tuple(findings) + passing, law(slug) if slug else (),
                      Overall.PROHIBITED if outcome is Outcome.PROHIBITED else Overall.LEGAL, LISTS)
    return DeviceReport(key, identity, verdict, f"dev-{hashlib.sha256(key.encode()).hexdigest()[:8]}",
                        key.partition("#")[0], mac, attempts(key, *undone), NOW - timedelta(hours=2), NOW,
                        tuple(destinations), captured, tuple(observations), baseline)


def says(claim: str, value: str, strength: Strength, basis: Basis, group: str, because: str, signal: str,
         *at: ObservationRef, unverified: bool = False) -> Evidence:
    return Evidence(claim, value, strength, basis, group, because, signal, tuple(one.id for one in at), "", unverified)


BANNED = ("NDAA FY2019 s.889(a)(1)(A) forbids a US federal agency to procure equipment made by {}; the purpose was not "
          "given, so the condition is assumed to be met.")
RTSP_OPEN = ("rtsp.anonymous", "Anyone on the network can watch this camera", Status.FAIL, Severity.CRITICAL,
             "DESCRIBE of the main stream was answered without a login, and a random path was refused.",
             "Require authentication for RTSP, then sweep again.", (("etsi-303645", "5.5-5"),
                                                                    ("nist-8259a", "Logical Access to Interfaces")))
AUTH_BYPASS = ("cve.CVE-2021-33044", "Known weakness CVE-2021-33044: login can be bypassed", Status.FAIL,
               Severity.CRITICAL, "Firmware is older than the first fixed build for this model family.",
               "Install the maker's current firmware, or take the device off the network.",
               (("etsi-303645", "5.3-8"),),
               (("cve", "CVE-2021-33044"), ("cvss", "9.8"), ("known exploited since", "2024-08-21"),
                ("fixed in", "2.630.0000000.5.R.210705")))
NO_TLS = ("tls.absent", "Passwords cross the network in the clear", Status.FAIL, Severity.MEDIUM,
          "HTTP with Basic authentication is offered and HTTPS is not.", "Switch on HTTPS and switch HTTP off.",
          (("etsi-303645", "5.5-1"),))
CVE_UNKNOWN = ("cve.scope_unknown", "Whether CVE-2021-33044 applies", Status.NOT_ASSESSED, Severity.HIGH,
               "Firmware has Dahua's form and is older than the fix, but no published scope names this model.")
DEFAULTS = ("credentials.default", "Default password in use", Status.NOT_ASSESSED, Severity.HIGH,
            "Passwords are never guessed, and no credentials were given.")
TIMEOUT = ("rtsp.describe", 554, AttemptStatus.FAILED, Reason.TIMEOUT, "after 8 s")
NO_LOGIN = ("auth.onvif.GetDeviceInformation", 80, AttemptStatus.NOT_ATTEMPTED, Reason.NO_CREDENTIALS, "")
EASY4IP = Destination("203.0.113.44", ("p2p.easy4ipcloud.com",), "udp", 8800, 240, 31_200, "p2p", "Dahua", "CN",
                      "dahua", bytes_out=15_600, jurisdiction="CN (Hangzhou)", source="a public write-up")
NTP = Destination("198.51.100.7", ("time.example.net",), "udp", 123, 12, 1_080, "ntp", bytes_out=540)
INSIDE_TIME = Destination("10.20.0.2", (), "udp", 123, 28, 2_520, bytes_out=1_260)
INSIDE_NAMES = Destination("10.20.0.2", (), "udp", 53, 60, 6_400, bytes_out=2_900)
RECORDER = Destination("10.20.0.5", ("vms.harbour.example",), "tcp", 554, 910_000, 812_000_000, bytes_out=800_000_000)
NAMELESS = Destination("192.0.2.201", (), "udp", 32100, 90, 4_320, bytes_out=2_200)
TELEMETRY = Destination("203.0.113.61", ("stat.ezvizlife.example",), "tcp", 443, 44, 18_400, "telemetry", "Hikvision",
                        "SG", "hikvision", unverified=True, bytes_out=9_000, described="reports the model at start")
UPDATES = Destination("203.0.113.62", ("update.hikvision.example",), "tcp", 443, 20, 2_200_000, "firmware",
                      "Hikvision", "SG", "hikvision", bytes_out=9_000)
APPROVED = Baseline("M. Adeyemi", date(2026, 11, 20), date(2027, 5, 19), 86_400.0, "mirror.pcap", (
    Entry(("10.20.0.2",), (), "udp", 123, 1_260), Entry(("10.20.0.2",), (), "udp", 53, 2_900),
    Entry(("10.20.0.5",), ("vms.harbour.example",), "tcp", 554, 800_000_000)), allowed=(
        Allowed("10.20.0.5/32", "tcp", 554, inbound=True, why="the recorder fetches pictures"),))


def site() -> tuple[DeviceReport, ...]:
    """Seventeen devices, one or two a story."""
    dhip, realm, arp = (seen("10.20.0.14", "dhip.search", "dhip", 37810), seen("10.20.0.14", "http.root", "http", 80),
                        seen("10.20.0.14", "link.arp", "link"))
    sadp, hik = seen("10.20.0.22", "sadp.inquiry", "sadp", 37020), seen("10.20.0.22", "http.root", "http", 80)
    dahua_proof = (
        says("maker", "dahua", Strength.DECISIVE, Basis.FIRMWARE, "dhip",
             "It answered Dahua's private discovery protocol on UDP 37810.", "dahua.dhip", dhip),
        says("maker", "dahua", Strength.STRONG, Basis.FIRMWARE, "http-realm",
             "The HTTP realm carries a serial number of Dahua's form.", "dahua.auth_realm", realm),
    )
    hik_proof = (
        says("maker", "hikvision", Strength.DECISIVE, Basis.FIRMWARE, "sadp", "It answered a SADP inquiry.",
             "hikvision.sadp", sadp),
        says("maker", "hikvision", Strength.MEDIUM, Basis.HARDWARE, "oui",
             "The MAC prefix seen in ARP is registered to Hikvision.", "hikvision.oui", hik),
    )
    return (
        device("10", "dahua", "Dahua", "TPC-BF5421-T", "2.630.0000000.4.R.190815", Outcome.PROHIBITED,
               (BANNED.format("Dahua"), "CVE-2021-33044 applies: the login can be bypassed."), kind=Kind.THERMAL,
               evidence=(*dahua_proof, says("brand", "Dahua", Strength.WEAK, Basis.LABEL, "onvif",
                                            "ONVIF scopes name Dahua.", "dahua.scopes", realm)),
               findings=(finding("10.20.0.10", *AUTH_BYPASS, evidence=(realm.id,)), finding("10.20.0.10", *NO_TLS)),
               undone=(NO_LOGIN,), rules=("law.prohibited", "weakness.critical"), destinations=(EASY4IP, NTP),
               mac="02:DA:00:00:00:10", serial="4F0LAB1PAA00010", observations=(dhip, realm, arp)),
        device("14", "dahua", "Lorex", "W461ASC", "2.800.0000000.8.R.200101", Outcome.PROHIBITED,
               (BANNED.format("Dahua"), "The label says Lorex; a label does not change who made it."),
               evidence=(*dahua_proof, says("brand", "Lorex", Strength.WEAK, Basis.LABEL, "title",
                                            "The page title says Lorex.", "lorex.title", realm, unverified=True)),
               findings=(finding("10.20.0.14", *CVE_UNKNOWN), finding("10.20.0.14", *DEFAULTS),
                         finding("10.20.0.14", "egress.maker_cloud", "Talks to the maker's cloud", Status.FAIL,
                                 Severity.HIGH, "Packets to p2p.easy4ipcloud.com on UDP 8800 every 30 s, a rendezvous "
                                 "of Dahua, while the label says Lorex.", "Block it at the firewall; switch P2P off.",
                                 (("nist-8259a", "Logical Access to Interfaces"),))),
               undone=(TIMEOUT, NO_LOGIN), rules=("law.prohibited",), destinations=(EASY4IP,), mac="02:DA:00:00:00:14",
               serial="4F0LAB1PAA00014", observations=(dhip, realm, arp)),
        device("15", "dahua", "Intelbras", "VIP 1230 D", "2.800.00IB002.0.R.210714", Outcome.PROHIBITED,
               (BANNED.format("Dahua"),), evidence=dahua_proof, findings=(finding("10.20.0.15", *DEFAULTS),),
               undone=(NO_LOGIN,), rules=("law.prohibited",), mac="02:DA:00:00:00:15", observations=(dhip, realm)),
        device("16", "dahua", "Axis", "P3245-V", "10.12.114", Outcome.PROHIBITED,
               (BANNED.format("Dahua"), "It calls itself Axis and speaks a protocol of Dahua's firmware alone."),
               evidence=(*dahua_proof, says("maker", "axis", Strength.WEAK, Basis.LABEL, "onvif",
                                            "ONVIF scopes name Axis.", "axis.scopes", realm)),
               conflicts=(Conflict("maker", ("dahua", "axis"), "Its label says Axis; its firmware, Dahua. The worst "
                                   "credible maker decides.", (dhip.id, realm.id)),),
               findings=(finding("10.20.0.16", *RTSP_OPEN),), undone=(NO_LOGIN,),
               rules=("law.prohibited", "identity.conflict"), mac="02:AC:00:00:00:16", observations=(dhip, realm)),
        device("22", "hikvision", "Hikvision", "DS-2CD2143G0-I", "V5.5.82 build 190220", Outcome.PROHIBITED,
               (BANNED.format("Hikvision"),), evidence=hik_proof,
               findings=(finding("10.20.0.22", "cve.CVE-2021-36260", "Known weakness CVE-2021-36260: commands can be "
                                 "run without a login", Status.FAIL, Severity.CRITICAL,
                                 "Firmware build 190220 is older than the first fixed build of this series.",
                                 "Install the maker's current firmware.", (("etsi-303645", "5.3-8"),),
                                 (("cve", "CVE-2021-36260"), ("cvss", "9.8"), ("known exploited since", "2022-01-10"))),
                         finding("10.20.0.22", *RTSP_OPEN)),
               undone=(NO_LOGIN,), rules=("law.prohibited",), mac="02:41:00:00:00:22", observations=(sadp, hik)),
        device("23", "hikvision", "HIKMICRO", "B20", "V5.5.57 build 210101", Outcome.PROHIBITED,
               (BANNED.format("Hikvision"),), kind=Kind.THERMAL, evidence=hik_proof, undone=(NO_LOGIN,),
               rules=("law.prohibited",), mac="02:41:00:00:00:23", observations=(sadp, hik),
               destinations=(INSIDE_TIME, INSIDE_NAMES, RECORDER, TELEMETRY, UPDATES, NAMELESS), baseline=APPROVED),
        device("24", "uniview", "Uniview", "IPC322LB-SF28", "GIPC-B6202.8.5.210317", Outcome.CONDITIONAL,
               ("The BIS Entity List names Uniview since 2024-12-10: a red flag for this buyer, no prohibition.",),
               evidence=(says("maker", "uniview", Strength.STRONG, Basis.FIRMWARE, "soap",
                              "ONVIF answers carry Uniview's namespace.", "uniview.namespace"),
                         says("maker", "uniview", Strength.MEDIUM, Basis.HARDWARE, "oui",
                              "The MAC prefix is registered to Uniview.", "uniview.oui")),
               findings=(finding("10.20.0.24", *NO_TLS),), undone=(NO_LOGIN,), rules=("law.red_flag",),
               mac="02:48:00:00:00:24"),
        device("25", "tvt", "TVT", "TD-9441E3", "5.1.1.0.22048", Outcome.UNDETERMINED,
               ("The maker rests on one signal alone.",), assurance=Assurance.SELF_REPORTED, undone=(TIMEOUT, NO_LOGIN),
               evidence=(says("maker", "tvt", Strength.MEDIUM, Basis.FIRMWARE, "mhed", "It answered TVT's discovery.",
                              "tvt.mhed"),), rules=("identity.assurance",), mac="02:18:00:00:00:25"),
        device("26", "xiongmai", None, "IPC_HI3516", "V5.00.R02.00030746", Outcome.UNDETERMINED,
               ("Weaknesses of this firmware are disputed or unknown.",),
               findings=(finding("10.20.0.26", "port.9530", "Service known from a backdoor is open", Status.FAIL,
                                 Severity.CRITICAL, "TCP 9530 is open. It was not spoken to.",
                                 "Isolate the device; no repaired firmware is known."),
                         finding("10.20.0.26", "cve.CVE-2020-25507", "Whether known weaknesses apply",
                                 Status.NOT_ASSESSED, Severity.HIGH, "Published scopes contradict each other.")),
               evidence=(says("maker", "xiongmai", Strength.DECISIVE, Basis.FIRMWARE, "xiongmai",
                              "It answered Xiongmai's discovery on UDP 34569.", "xiongmai.discovery"),
                         says("maker", "xiongmai", Strength.MEDIUM, Basis.CLOUD, "cloud",
                              "It asks for a name of Xiongmai's cloud.", "xiongmai.cloud", unverified=True)),
               destinations=(Destination("203.0.113.80", ("xmeye.example",), "tcp", 8765, 44, 8_120, "p2p", "Xiongmai",
                                         "CN", "xiongmai", True),), rules=("weakness.unknown",),
               mac="02:12:00:00:00:26"),
        device("31", "axis", "AXIS", "P3245-LVE", "11.8.64", Outcome.APPROVED,
               ("Everything the policy requires was assessed and passed.",), assurance=Assurance.CRYPTOGRAPHIC,
               evidence=(says("maker", "axis", Strength.DECISIVE, Basis.CRYPTOGRAPHIC, "devid",
                              "Its device certificate was challenged and chains to Axis.", "axis.devid"),),
               destinations=(NTP,), rules=("all.required",), mac="02:AC:00:00:00:31"),
        device("32", "hanwha", "Hanwha Vision", "XNV-8080R", "1.41.16", Outcome.APPROVED,
               ("Everything the policy requires was assessed and passed.",), rules=("all.required",),
               evidence=(says("maker", "hanwha", Strength.STRONG, Basis.FIRMWARE, "hanwha", "It answered Hanwha's own "
                              "discovery.", "hanwha.discovery"),
                         says("maker", "hanwha", Strength.MEDIUM, Basis.HARDWARE, "oui", "MAC prefix of Hanwha.",
                              "hanwha.oui")),
               findings=(finding("10.20.0.32", "tls.self_signed", "Certificate is its own", Status.WAIVED, Severity.LOW,
                                 "Accepted until the site's own authority is rolled out.",
                                 facts=(("waiver", "w-5d0c7be2"), ("waived until", "2027-02-01"),
                                        ("waiver owner", "Building services"),
                                        ("waiver reason", "the site's own authority is rolled out in January"),
                                        ("waiver requested by", "J. Ortiz"), ("waiver approved by", "M. Adeyemi"))),),
               mac="02:09:00:00:00:32"),
        device("33", "bosch", "Bosch", "NBE-3502-AL", "9.00.0210", Outcome.CONDITIONAL,
               ("Telemetry to the maker has to be switched off before use.",), rules=("egress.telemetry",),
               findings=(finding("10.20.0.33", "egress.telemetry", "Reports to its maker", Status.FAIL, Severity.MEDIUM,
                                 "A connection to the maker's service every hour.", "Switch remote services off."),),
               evidence=(says("maker", "bosch", Strength.STRONG, Basis.FIRMWARE, "rcp", "It answered Bosch's own.",
                              "bosch.rcp"), says("maker", "bosch", Strength.MEDIUM, Basis.HARDWARE, "oui",
                                                 "MAC prefix of Bosch.", "bosch.oui")),
               mac="02:07:00:00:00:33"),
        device("34", "flir", "FLIR", "A50", "2.18.3", Outcome.APPROVED,
               ("Everything the policy requires was assessed and passed.",), kind=Kind.THERMAL, rules=("all.required",),
               evidence=(says("maker", "flir", Strength.STRONG, Basis.FIRMWARE, "gvcp",
                              "GigE Vision discovery names FLIR.", "flir.gvcp"),), mac="02:F1:00:00:00:34"),
        device("40", "hanwha", "Hanwha Vision", "XRN-820S", "4.02", Outcome.CONDITIONAL,
               ("A camera behind it is prohibited; the recorder itself may be used once that camera is gone.",),
               kind=Kind.RECORDER, channels=(Channel(1, "10.20.0.40#1"), Channel(2, "10.20.0.40#2")),
               rules=("channels.prohibited",), mac="02:09:00:00:00:40"),
        replace(device("40#2", "hikvision", "Hikvision", "DS-2CD2043G2-I", "V5.7.1", Outcome.UNDETERMINED,
                       ("Only the recorder speaks for it: its maker is a claim of a third party.",),
                       assurance=Assurance.SELF_REPORTED, captured=False, rules=("identity.assurance",),
                       evidence=(says("maker", "hikvision", Strength.MEDIUM, Basis.LABEL, "channel",
                                      "The recorder's channel list names Hikvision.", "hikvision.channel"),)),
                attempts=(), mac=""),
        device("77", None, None, None, None, Outcome.UNDETERMINED,
               ("It streams video and says nothing about who made it.",), kind=Kind.UNKNOWN, assurance=Assurance.NONE,
               findings=(finding("10.20.0.77", *RTSP_OPEN), finding("10.20.0.77", *DEFAULTS)), captured=False,
               undone=(("http.root", 80, AttemptStatus.FAILED, Reason.MALFORMED, "no status line"),
                       ("onvif.GetScopes", 80, AttemptStatus.FAILED, Reason.CIRCUIT_OPEN, "")),
               rules=("identity.unknown",), mac="02:99:00:00:00:77"),
        device("90", None, "Brother", "HL-L2350DW", None, Outcome.UNDETERMINED,
               ("not a camera: outside the gate's scope, so there is nothing to admit",), kind=Kind.OTHER,
               assurance=Assurance.NONE, rules=("kind.not_a_camera",), mac="02:BB:00:00:00:90"),
    )


def sample() -> Report:
    """The report a designer looks at."""
    return build(
        site="Harbour Road depot", sweep="s-20261122-7f3a", generated_at=NOW, as_of=TODAY, policy="federal-site",
        policy_version="e81f02c4a6d9", buyers=("us_federal_agency",), devices=site(), lists=LISTS,
        scope=ScopeSummary("M. Adeyemi, head of IT security", "CHG-20418", ("10.20.0.0/25",),
                           ("10.20.0.1", "10.20.0.5"),
                           "2026-11-22 08:00 to 12:00 UTC", "gentle",
                           (Interface("eth1", True, "10.20.0.2/25"), Interface("eth0", False, "no target there"),
                            Interface("docker0", False, "virtual")), ("factory_logins", "snmp_public"),
                           {"arp": 378, "syn": 0, "datagram": 156, "connection": 1204, "request": 391}),
        silent=(Silent("10.20.0.51", ((Reason.NO_ANSWER, 3), (Reason.TIMEOUT, 8))),
                Silent("10.20.0.52", ((Reason.REFUSED, 8),)), Silent("10.20.0.9", ((Reason.UNREACHABLE, 1),))),
        foreign=(ForeignAnswer("192.168.1.108", "dhip", 2, "A device still has its factory address; it was not asked "
                               "anything."),),
        dropped=(Dropped("packets the capture could not keep up with", 0), Dropped("replies no parser accepts", 4),
                 Dropped("addresses handed out by devices and not followed", 11)),
        limits=("Traffic was captured for 20 minutes on one switch port.",
                "No credentials were given, so nothing behind a login was read."), producer="camvet 0.1.0",
        monitoring=monitoring(),
        joined=(JoinedDevice("10.20.0.33", ("10.20.0.113",), "serial number 404040404040400033 at both, and nothing "
                             "that differs"),),
        census=census(),
    )


def census() -> Census:
    """A switch, the leases and an order, held against the sample site."""
    return Census(NOW, "it-security", (
        CensusSource("switch-3.txt", "switch MAC table", 19, 17, (
            UnseenDevice(14, 1, "no device of the sweep has this MAC", "00:00:5E:00:53:60", where="Gi1/0/14",
                         block="dahua"),
            UnseenDevice(19, 1, "its address was silent: no answer", "00:00:5E:00:53:51", "10.20.0.51",
                         where="Gi1/0/19")), 1),
        CensusSource("dhcpd.leases", "DHCP leases (ISC dhcpd)", 12, 12),
        CensusSource("order-2026-031.csv", "table", 8, 6, (
            UnseenDevice(3, 2, "4 ordered, 2 of this model seen", model="XNV-8080R", manufacturer="Hanwha Vision"),)),
    ), ("10.20.0.77",))


HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)",
    "\t=1+1", "\r=1+1", "  =1+1", "\uff1d1+1", "\x1b[2J\x1b]0;owned\x07", "abc\u202egpj.exe", "\x00\x7f\x9b31m",
    "A" * 10_000,
    "https://evil.example/x.js", "javascript:alert(1)", "{{ 7*7 }}{% raw %}", "</style></script><!--", "\ud800lone",
    "&lt;b&gt;", "zalgo" + "\u0301" * 500, "url(https://evil.example/a.png)", "\u2028\u2029\ufeff",
)


def hostile() -> Report:
    """A report in which every text a device, a user or a network controls is one of `HOSTILE`."""
    devices = []
    for number, text in enumerate(HOSTILE):
        key = f"10.66.0.{number}"
        ref = ObservationRef(text, text, text, 1, NOW, text)
        identity = Identity(
            key, text, text, text, text, firmware=text, firmware_build=text, serial=text, macs=(text,),
            kind=Kind.CAMERA, assurance=Assurance.SELF_REPORTED, confidence=0.5, makers=(text,),
            channels=(Channel(1, text),), conflicts=(Conflict(text, (text, text), text, (text,)),),
            evidence=(Evidence(text, text, Strength.WEAK, Basis.LABEL, text, text, text, (text,), text, True),))
        facts = tuple(Finding(key, f"rule.{status}", text, text, status, Severity.HIGH, text, text, (text,),
                              ((text, text),), ((text, text),)) for status in Status)
        effect = Effect(text, text, text, True, True, text, text, ActivityEffect.PROHIBITED, text, text, "unknown",
                        (text,), text, TODAY, TODAY, text, text, True)
        verdict = Verdict(key, Outcome.UNDETERMINED, text, text, TODAY, TODAY, (text,), (text,), facts, (effect,))
        devices.append(DeviceReport(
            key, identity, verdict, text, text, text,
            (Attempt(key, text, 80, AttemptStatus.FAILED, NOW, Reason.MALFORMED, text),), NOW, NOW,
            (Destination(text, (text,), text, 1, 1, 1, text, text, text, text, True),), True, (ref,)))
    text = "<script>alert('site')</script>\x1b[31m\u202e"
    return build(
        site=text, sweep=text, generated_at=NOW, as_of=TODAY, policy=text, policy_version=text, buyers=(text,),
        scope=ScopeSummary(text, text, (text,), (text,), text, text,
                           (Interface(text, True, text), Interface(text, False, text)), HOSTILE, {text: 1}),
        devices=devices, silent=(Silent(text, ((Reason.TIMEOUT, 1),)),), foreign=(ForeignAnswer(text, text, 1, text),),
        dropped=(Dropped(text, 1),), lists=(ListVersion(text, text, text, TODAY),), limits=(text,), title=text,
        producer=text, monitoring=hostile_monitoring(HOSTILE),
        joined=[JoinedDevice(f"10.66.0.{number}", (text,), text) for number, text in enumerate(HOSTILE)],
        census=Census(NOW, text, [CensusSource(text, text, 1, 0, [UnseenDevice(1, 1, *(text,) * 10)], 1)
                                  for text in HOSTILE], HOSTILE))


def large(count: int) -> Report:
    """`count` devices in the proportions of the sample, each under an address of its own."""
    devices, base = [], [one for one in site() if "#" not in one.device]
    for number in range(count):
        key = f"10.{100 + number // 65536}.{number // 256 % 256}.{number % 256}"
        one = base[number % len(base)]
        findings = tuple(replace(each, device=key) for each in one.verdict.findings)
        devices.append(replace(one, device=key, address=key, identity=replace(one.identity, device=key, channels=()),
                               verdict=replace(one.verdict, device=key, findings=findings)))
    return build(site="Large", sweep="s-large", generated_at=NOW, as_of=TODAY, policy="federal-site",
                 scope=sample().scope, devices=devices, lists=LISTS, buyers=("us_federal_agency",))
