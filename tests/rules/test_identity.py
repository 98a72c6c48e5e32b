"""Who built it, apart from whose name is on it: the rules of weighing, one table at a time."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from rules.identity import identify
from rules.makers import load
from rules.vocabulary import Assurance, Identity, Kind
from scanner.observation import FieldValue, Observation

AT = datetime(2026, 11, 22, tzinfo=UTC)
MAKERS = load()


def saw(transport: str, device: str = "d", port: int | None = None, **fields: FieldValue) -> Observation:
    wire = repr((transport, sorted(fields.items(), key=str))).encode()
    return Observation.of(device=device, transport=transport, probe="test", port=port, at=AT, fields=fields, wire=wire)


def who(*seen: Observation, device: str = "d") -> Identity:
    return identify(device, seen, MAKERS)


DHIP = saw("dhip", vendor="General", manufacturer="General", model="IPC-X0000", serial="K0LJ0000000RH")
REALM = saw("http", realm=("Login to 9Z01018PAA00899",))
SADP = saw(
    "sadp",
    model="DS-2CD2000X-I",
    serial="DS-2CD2000X-I20200101AAWR000000001",
    firmware="V5.6.2",
    firmware_build="190701",
)
DAHUA_LINK = saw("link", mac="3C:EF:8C:00:00:01", via="arp")
HIK_LINK = saw("link", mac="C4:2F:90:00:00:01", via="arp")
AXIS_LABEL = saw("onvif", operation="GetDeviceInformation", manufacturer="AXIS", model="M1065-L")


def test_nothing_seen_is_nobody() -> None:
    nobody = who()
    assert (nobody.maker, nobody.assurance, nobody.confidence, nobody.kind) == (None, Assurance.NONE, 0.0, Kind.UNKNOWN)


def test_observations_of_other_devices_do_not_count() -> None:
    assert who(saw("dhip", device="other", model="IPC-X")).maker is None


@pytest.mark.parametrize(
    ("seen", "assurance"),
    [
        ((DHIP,), Assurance.SELF_REPORTED),  # one signal, however good
        ((DHIP, DHIP), Assurance.SELF_REPORTED),  # twice the same is still one
        ((DHIP, REALM), Assurance.CORROBORATED),
        ((DHIP, DAHUA_LINK), Assurance.SELF_REPORTED),  # an address block is programmed by whoever sells the device
        ((saw("onvif", manufacturer="Dahua"),), Assurance.SELF_REPORTED),
        (
            (saw("onvif", manufacturer="Dahua"), saw("tls", subject_o="Dahua"), saw("http", title="Dahua")),
            Assurance.SELF_REPORTED,
        ),
        ((DHIP, saw("onvif", manufacturer="Dahua")), Assurance.SELF_REPORTED),  # a label corroborates nothing
        (
            (REALM, saw("rtsp", realm=("Login to 9Z01018PAA00899",))),
            Assurance.SELF_REPORTED,
        ),  # one serial in two realms
        ((DHIP, REALM, HIK_LINK), Assurance.SELF_REPORTED),  # proof of two makers is proof of none
        ((saw("tls", chain_verified="axis"),), Assurance.CRYPTOGRAPHIC),
        ((saw("tls", chain_verified="nobody"),), Assurance.NONE),
    ],
)
def test_assurance(seen: tuple[Observation, ...], assurance: Assurance) -> None:
    assert who(*seen).assurance is assurance


def test_firmware_decides_over_a_label_and_the_conflict_is_told() -> None:
    identity = who(DHIP, REALM, AXIS_LABEL, saw("tls", subject_o="Axis Communications AB"))
    assert (identity.maker, identity.brand) == ("dahua", "Axis")
    assert identity.makers == ("dahua", "axis")
    assert identity.conflicts[0].claim == "maker"
    assert "DHIP" in identity.conflicts[0].because or "discovery" in identity.conflicts[0].because


def test_hardware_decides_over_a_label() -> None:
    identity = who(DAHUA_LINK, AXIS_LABEL)
    assert (identity.maker, identity.makers) == ("dahua", ("dahua", "axis"))


def test_a_declared_address_is_no_hardware() -> None:
    assert who(saw("onvif", mac="3C:EF:8C:00:00:01")).maker is None
    assert who(saw("link", mac="3C:EF:8C:00:00:01", via="arp")).maker == "dahua"


def test_a_buyers_block_says_the_brand_and_not_the_maker() -> None:
    identity = who(saw("link", mac="00:1F:54:00:00:01", via="arp"))
    assert (identity.maker, identity.brand) == (None, "Lorex")


def test_a_rebrand_is_told_apart_from_its_maker() -> None:
    identity = who(
        saw(
            "dhip",
            vendor="Lorex",
            manufacturer="Private",
            model="W461ASC",
            firmware="2.800.030000000.3.R",
            mac="00:1F:54:00:00:01",
        )
    )
    assert (identity.maker, identity.brand, identity.model, identity.firmware) == (
        "dahua",
        "Lorex",
        "W461ASC",
        "2.800.030000000.3.R",
    )


@pytest.mark.parametrize("name", ["General", "Private", "IPCAM", "H264", "ONVIF_ICAMERA", "ABC", "IP Camera"])
def test_a_name_that_any_firmware_carries_names_nobody(name: str) -> None:
    identity = who(saw("onvif", manufacturer=name, model=name))
    assert (identity.maker, identity.brand, identity.model) == (None, None, None)


def test_an_unheard_of_manufacturer_is_a_brand_and_no_maker() -> None:
    identity = who(saw("onvif", manufacturer="Blickfang Kamerawerke"))
    assert (identity.maker, identity.brand) == (None, "Blickfang Kamerawerke")


@pytest.mark.parametrize(
    "text",
    [
        "Dahua",
        "DAHUA",
        "dahua technology",
        "Da\u200bhua",
        "D\u0430hu\u0430",
        "\uff24\uff41\uff48\uff55\uff41",
        "Da<!-- -->hua",
        "Dah\u00faa",
        "Da\u00adhua",
        "Zhejiang_Dahua",
        "\u5927\u534e",
        "Axis / Dahua",
    ],
)
def test_a_disguised_name_still_counts(text: str) -> None:
    assert "dahua" in who(saw("onvif", manufacturer=text)).makers


@pytest.mark.parametrize(
    "fields",
    [
        {"server": "lighttpd/1.4.35"},
        {"server": "gSOAP/2.8"},
        {"server": "Boa/0.94.13"},
        {"server": "mini_httpd/1.19"},
        {"server": "nginx"},
        {"server": "GoAhead-Webs"},
        {"server": "thttpd/2.25b"},
        {"server": "camera"},
        {"server": "Webs"},
        {"title": "Network Camera"},
        {"title": "IP Camera"},
        {"title": "Login"},
        {"title": "Three axis stage"},
        {"realm": ("Login",)},
        {"realm": ("IP Camera",)},
        {"realm": ("DVR",)},
        {"realm": ("Login to your account",)},
        {"title": "Ring of fire"},
        {"title": "Home"},
    ],
)
def test_generic_texts_decide_nothing_over_http(fields: Mapping[str, FieldValue]) -> None:
    assert who(saw("http", **fields)).makers == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"server": "GStreamer RTSP server"},
        {"sdp_tool": "LIVE555 Streaming Media v2014.02.04"},
        {"sdp_tool": "GStreamer"},
        {"server": "Hipcam RealServer/V1.0"},
        {"sdp_session": 'Session streamed by "preview"'},
        {"sdp_session": "RtspServer"},
        {"server": "Rtsp Server"},
        {"sdp_control": ("rtsp://192.0.2.1:8554/rtsp-dahua2",)},
    ],
)
def test_generic_texts_decide_nothing_over_rtsp(fields: Mapping[str, FieldValue]) -> None:
    assert who(saw("rtsp", **fields)).makers == ()


@pytest.mark.parametrize(
    "space",
    [
        "http://www.onvifext.com/onvif/ext/ver10/schema",
        "http://www.hikvision.com/2011/event/topics",
        "http://www.axis.com/2009/event/topics",
    ],
)
def test_a_leaked_namespace_decides_nothing(space: str) -> None:
    assert who(saw("onvif", operation="GetNTP", namespaces=(space,))).makers == ()


def test_bytes_that_were_not_understood_prove_no_protocol() -> None:
    assert who(saw("dhip", refusal="malformed"), saw("sadp", refusal="malformed")).maker is None


def test_a_component_is_a_note_and_names_no_maker() -> None:
    identity = who(saw("rtsp", server="HiIpcam/V100R003 VodServer/1.0.0"))
    assert identity.maker is None
    assert [item.value for item in identity.evidence if item.claim == "component"] == ["hisilicon"]


def test_the_empty_manufacturer_of_a_thermal_camera() -> None:
    body = (
        '<DeviceInfo version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><manufacturer/>'
        "<systemContact>Hikvision.China</systemContact></DeviceInfo>"
    )
    identity = who(saw("http", body=body, model="DS-2TD1228-2-QA", firmware="V5.5.98", document="isapi-device-info"))
    assert (identity.maker, identity.kind, identity.model, identity.firmware) == (
        "hikvision",
        Kind.THERMAL,
        "DS-2TD1228-2-QA",
        "V5.5.98",
    )


def test_what_a_sadp_reply_carries() -> None:
    identity = who(SADP, HIK_LINK)
    assert (identity.maker, identity.brand, identity.model, identity.firmware, identity.firmware_build) == (
        "hikvision",
        "Hikvision",
        "DS-2CD2000X-I",
        "V5.6.2",
        "190701",
    )
    assert (identity.serial, identity.macs, identity.kind, identity.assurance) == (
        "DS-2CD2000X-I20200101AAWR000000001",
        ("C4:2F:90:00:00:01",),
        Kind.CAMERA,
        Assurance.CORROBORATED,
    )


def test_the_address_on_the_link_comes_first() -> None:
    identity = who(saw("onvif", mac="AC:CC:8E:00:00:02"), saw("link", mac="AC:CC:8E:00:00:01", via="arp"))
    assert identity.macs == ("AC:CC:8E:00:00:01", "AC:CC:8E:00:00:02")


@pytest.mark.parametrize(
    ("seen", "field", "value"),
    [
        (saw("rtsp", realm=("AXIS_ACCC8E000001",)), "macs", ("AC:CC:8E:00:00:01",)),
        (saw("http", realm=("iPolis_00-09-18-00-00-01",)), "macs", ("00:09:18:00:00:01",)),
        (saw("rtsp", realm=("Login to 9Z01018PAA00899",)), "serial", "9Z01018PAA00899"),
        (saw("tcp", banner="220 AXIS Q1656-LE Network Camera 10.12 (Jan 01 2024) ready."), "model", "Q1656-LE"),
        (saw("tcp", banner="220 AXIS Q1656-LE Network Camera 10.12 (Jan 01 2024) ready."), "firmware", "10.12"),
        (saw("tls", subject="CN=AVIGILON-CAMERA-9.0-H9-XX1-1000001,O=Avigilon Corporation"), "model", "9.0-H9-XX1"),
        (
            saw(
                "onvif", scopes=("onvif://www.onvif.org/name/AXIS%20M1065-L", "onvif://www.onvif.org/hardware/M1065-L")
            ),
            "model",
            "M1065-L",
        ),
        (
            saw(
                "onvif",
                scopes=("onvif://www.onvif.org/name/X", "onvif://www.onvif.org/MAC/c4%3A2f%3A90%3A00%3A00%3A01"),
            ),
            "macs",
            ("C4:2F:90:00:00:01",),
        ),
        (saw("http", realm=("DCS-0000L",)), "model", "DCS-0000L"),
        (saw("dhcp", vendor_class="AXIS,Network Camera,P3225-LV Mk II,9.70.1.5"), "firmware", "9.70.1.5"),
        (saw("onvif", manufacturer="AXIS", serial="00000000000000"), "serial", None),
        (saw("onvif", model="31"), "model", None),
        (saw("onvif", manufacturer="Dahua", model="**************"), "model", None),
    ],
)
def test_attributes_are_read_wherever_they_stand(seen: Observation, field: str, value: object) -> None:
    assert getattr(who(seen), field) == value


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        (saw("onvif", manufacturer="Dahua", model="DH-TPC-BF2241"), Kind.THERMAL),
        (saw("onvif", manufacturer="Dahua", model="TPC-PT8621C"), Kind.THERMAL),
        (saw("onvif", manufacturer="HIKVISION", model="DS-2TD8167-190ZC4F/W"), Kind.THERMAL),
        (saw("onvif", manufacturer="HIKVISION", model="DS-7616NI-Q2/16P"), Kind.RECORDER),
        (saw("onvif", manufacturer="HIKVISION", model="DS-2CD2386G2-IU"), Kind.CAMERA),
        (saw("onvif", manufacturer="AXIS", model="Q1951-E"), Kind.THERMAL),
        (saw("onvif", manufacturer="AXIS", model="M7011"), Kind.ENCODER),
        (saw("onvif", manufacturer="AXIS", model="A8105-E"), Kind.INTERCOM),
        (saw("onvif", manufacturer="AXIS", model="C1004-E"), Kind.OTHER),
        (saw("onvif", manufacturer="AXIS", model="P3225-LV Mk II"), Kind.CAMERA),
        (saw("dhip", device_class="NVR", model="XYZ"), Kind.RECORDER),
        (saw("dhip", device_class="VTO", model="XYZ"), Kind.INTERCOM),
        (saw("mhed", device_type="IPC"), Kind.CAMERA),
        (saw("tplink", document="tplink", device_type="SMART.TAPOHUB", model="H200"), Kind.HUB),
        (saw("tplink", document="tplink", device_type="SMART.TAPOHUB"), Kind.HUB),
        (saw("http", title="eufy HomeBase 3"), Kind.HUB),
        (saw("http", title="USB Hub Control"), Kind.OTHER),
        (saw("onvif", manufacturer="Hanwha Techwin", model="TNO-4030T"), Kind.THERMAL),
        (saw("onvif", manufacturer="Hanwha Techwin", model="TID-600R"), Kind.INTERCOM),
        (saw("onvif", manufacturer="InfiRay", model="AT-61F"), Kind.THERMAL),
        (saw("onvif", manufacturer="HIKVISION", model="HM-TD1018"), Kind.THERMAL),
        (saw("onvif", manufacturer="Bosch", model="MIC IP fusion 9000i"), Kind.THERMAL),
        (saw("onvif", manufacturer="MOBOTIX", model="MX-M16TB-R079 Thermal"), Kind.THERMAL),
        (saw("http", title="HP LaserJet Printer"), Kind.OTHER),
        (saw("http", title="Managed Switch Login"), Kind.OTHER),
        (saw("http", server="Mini Dome IP Camera"), Kind.CAMERA),
        (saw("http", realm=("DVR",)), Kind.RECORDER),
        (saw("mdns", service_types=("_flir-ircam._tcp",)), Kind.THERMAL),
        (saw("http", title="Welcome"), Kind.UNKNOWN),
    ],
)
def test_kind(seen: Observation, kind: Kind) -> None:
    assert who(seen).kind is kind


def test_a_recorder_and_the_cameras_behind_it() -> None:
    behind = [
        saw("channel", device=f"d#{n}", channel=n, recorder="d", manufacturer="Dahua", model="IPC-HDW0000")
        for n in (2, 1)
    ]
    recorder = who(saw("onvif", manufacturer="AXIS", model="S3008"), *behind)
    assert [(channel.number, channel.device) for channel in recorder.channels] == [(1, "d#1"), (2, "d#2")]
    assert (recorder.maker, recorder.kind) == ("axis", Kind.RECORDER)
    camera = who(*behind, device="d#1")
    assert (camera.maker, camera.channels, camera.assurance) == ("dahua", (), Assurance.SELF_REPORTED)


def test_the_maker_of_a_brand_of_its_own_house() -> None:
    identity = who(saw("onvif", manufacturer="EZVIZ", model="CS-C6TC-32WFR"))
    assert (identity.maker, identity.brand) == ("hikvision", "EZVIZ")


def test_a_brand_that_buys_where_it_likes_only_hints() -> None:
    identity = who(saw("onvif", manufacturer="Swann"))
    assert (identity.maker, identity.brand) == (None, "Swann")
    assert {item.value for item in identity.evidence if item.claim == "maker"} == {"hikvision", "raysharp"}


@pytest.mark.parametrize(
    ("seen", "maker"),
    [
        (saw("egress", destination="203.0.113.1", names=("p2p.easy4ipcloud.com",)), "dahua"),
        (saw("egress", destination="203.0.113.1", names=("dev.hik-connect.com",)), "hikvision"),
        (saw("egress", destination="203.0.113.1", names=("noteasy4ipcloud.com",)), None),
        (saw("egress", destination="203.0.113.1", names=("s3.us-west-004.backblazeb2.com",)), None),
    ],
)
def test_a_cloud_points_to_its_maker(seen: Observation, maker: str | None) -> None:
    assert who(seen).maker == maker


def test_a_cloud_and_the_firmware_corroborate_each_other() -> None:
    assert who(DHIP, saw("egress", names=("www.easy4ipcloud.com",))).assurance is Assurance.CORROBORATED


ICON = saw("http", favicon_md5="d9526978908979fa5018db0bcc762aa0")          # MOBOTIX


def test_an_icon_names_its_maker_where_nothing_else_speaks() -> None:
    identity = who(ICON)
    assert (identity.maker, identity.makers) == ("mobotix", ("mobotix",))
    assert identity.assurance is Assurance.SELF_REPORTED
    assert [(item.value, item.group) for item in identity.evidence if item.claim == "maker"] == [("mobotix", "favicon")]


def test_an_icon_supports_whatever_else_speaks_for_its_maker() -> None:
    label = saw("http", title="x", realm=("MOBOTIX",))
    assert who(label).makers == ("mobotix",)
    both = who(label, ICON)
    assert both.makers == ("mobotix",)
    assert both.confidence > who(label).confidence


def test_an_icon_counts_against_a_device_that_names_another_maker() -> None:
    other = saw("http", realm=("AXIS_ACCC8E000001",))
    identity = who(ICON, other)
    assert identity.makers == ("axis", "mobotix")
    assert [conflict.claim for conflict in identity.conflicts] == ["maker"]


@pytest.mark.parametrize("title", [
    "Panasonic KX-MB9999", "TOSHIBA e-STUDIO 9999AC", "Brother MFC-9999CDW", "EPSON ET-9999 Series", "Color LaserJet",
    "Panasonic VIERA", "BRAVIA", "TL-WR999N", "NETGEAR R9999", "HG8999H", "Grandstream GXP9999", "CP-7999G",
    "Yealink T99", "Bosch B9512G", "Synology DiskStation DS999+", "QNAP Turbo NAS", "Archer C99", "LG webOS TV",
])
def test_what_is_no_camera_is_told_by_its_model_or_its_trade(title: str) -> None:
    assert who(saw("http", title=title)).kind is Kind.OTHER


@pytest.mark.parametrize("title", [
    "DS-2CD9999G0-I", "CP-UNC-TA99L3", "Bosch DINION IP camera B999", "TL-SC9999 Network Camera", "WV-S9999L",
    "Control Panel", "Big Brother Live", "DS-7999NI", "Canasta", "Live view - AXIS M9999", "R9999",
    "QNAP VioStor NVR", "TS-E9999", "Epsonia", "Camera 1 HS8 east",
])
def test_a_camera_or_a_word_that_tells_nothing_is_not_set_aside(title: str) -> None:
    assert who(saw("http", title=title)).kind is not Kind.OTHER


def test_an_environment_monitor_is_not_the_camera_maker_of_the_same_name() -> None:
    identity = who(saw("http", title="AVTECH Software, Inc. - Room Alert 3E - Monitoring"))
    assert (identity.maker, identity.kind) == ("avtech-software", Kind.OTHER)


def test_every_piece_of_evidence_can_be_traced() -> None:
    seen = (DHIP, REALM, DAHUA_LINK, AXIS_LABEL)
    ids = {o.id for o in seen}
    for item in who(*seen).evidence:
        assert item.because
        assert item.signal
        assert set(item.observations) <= ids


@pytest.mark.parametrize(
    ("seen", "maker", "model"),
    [
        (saw("tcp", banner="220 Sony Network Camera SNC-EP520 FTP server ready"), "sony", "SNC-EP520"),
        (saw("snmp", sys_descr="Panasonic WV-SF438"), "panasonic", "WV-SF438"),
        (saw("snmp", sys_descr=" ; AXIS 243SA; Video Server; 4.45; Aug 01 2009"), "axis", "243SA"),
        (saw("http", title="Live view - AXIS 211 Network Camera version 4.40"), "axis", "211"),
        (saw("mdns", instances=("HIKVISION DS-2CD2000X-I - 000000001",)), "hikvision", "DS-2CD2000X-I"),
        (saw("sip", user_agent="AXIS A8004-VE Network Video Door Station"), "axis", "A8004-VE"),
        (saw("http", title="Network Camera 2009"), None, None),
    ],
)
def test_a_model_is_read_out_of_a_banner_only_in_its_makers_form(
    seen: Observation, maker: str | None, model: str | None
) -> None:
    identity = who(seen)
    assert (identity.maker, identity.model) == (maker, model)
