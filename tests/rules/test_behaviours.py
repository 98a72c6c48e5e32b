"""Every known way in that a camera may have is seen by a check or an advisory, and none by trying it."""

import pytest

from rules import advisories, checks
from scanner.transport import rtsp
from scanner.wire import igd, snmp, soap

CHECKS = {check.id: check for check in checks.load()}
CVES = {record.cve for file in advisories.load().files.values() for record in file.records}

BEHAVIOURS = {
    "BD-HIK-2017": ["CVE-2017-7921"], "BD-DH-2013": ["CVE-2013-6117", "CVE-2021-33044", "dahua.private_port"],
    "BD-DH-2017": ["CVE-2017-7925", "CVE-2017-7927"], "BD-DH-37810": ["dahua.discovery_discloses"],
    "BD-XM-9527/9530": ["xiongmai.debug_shell", "telnet.open"], "BD-XM-ACC": ["xiongmai.hidden_account"],
    "BD-WIFICAM": ["family.open_settings"], "BD-TVT": ["tvt.control_port"], "BD-TIANDY": ["tiandy.settings_port"],
    "BD-UNV-7788": ["CVE-2021-45039"], "BD-JAWS": ["family.web_shell"],
    "P2P": ["egress.vendor_p2p", "egress.vendor_cloud", "egress.p2p_protocol", "egress.hole_punching"],
    "UPNP": ["upnp.opened_port", "egress.port_mapping"],
    "ONVIF-UNAUTH": ["onvif.anonymous", "onvif.anonymous_information"], "RTSP-NOAUTH": ["rtsp.anonymous"],
    "TELNET/FTP/SNMP": ["telnet.open", "ftp.open", "snmp.public"], "DEFCRED": ["login.factory_default"],
    "TLS-SHARED": ["tls.shared_key", "tls.self_signed", "tls.weak"],
    "WSSE": ["onvif.replayable_token", "clock.skew"],
    "BASIC-HTTP": ["http.basic_login", "http.plain_management", "http.weak_digest"],
    "DOWNGRADE": ["firmware.downgraded"], "DEBUGFLAG": ["CVE-2023-0954"],
    "IDENTITY": ["identity.brand_contradiction", "identity.serial_contradiction", "identity.disguised_name"],
}


def test_there_are_twenty_three():
    assert len(BEHAVIOURS) == 23


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_each_is_seen(behaviour):
    missing = [rule for rule in BEHAVIOURS[behaviour] if rule not in CHECKS and rule not in CVES]
    assert not missing


@pytest.mark.parametrize("behaviour", [name for name, rules in BEHAVIOURS.items() if rules[0] in CHECKS])
def test_its_check_says_where_it_comes_from(behaviour):
    assert any(behaviour in CHECKS[rule].source for rule in BEHAVIOURS[behaviour] if rule in CHECKS)


def test_what_can_be_asked_reads_only():
    assert all(name.startswith("Get") for name in soap.OPERATIONS)
    assert not {"GetUsers", "GetSystemLog", "GetSystemBackup"} & set(soap.OPERATIONS)
    assert igd.OPERATION.startswith("Get")
    assert snmp.request(1)[13] == 0xA0                # GetRequest-PDU, RFC 1157
    assert "nothing is set up, nothing is played" in (rtsp.__doc__ or "")
