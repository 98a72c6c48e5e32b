"""What a suspicion leads to: more ports and documents, likeliest maker first, and nothing for the unsuspicious."""

from datetime import UTC, datetime

import pytest

from rules.makers import load
from rules.planning import MAX_SUSPECTS, plan
from scanner.observation import FieldValue, Observation
from scanner.plan import Plan

AT = datetime(2026, 11, 22, tzinfo=UTC)
MAKERS = load()
PLANNER = plan(MAKERS)


def saw(transport: str, device: str = "d", **fields: FieldValue) -> Observation:
    return Observation.of(
        device=device, transport=transport, probe="test", port=None, at=AT, fields=fields, wire=repr(fields).encode()
    )


def test_nothing_seen_asks_for_nothing() -> None:
    assert PLANNER("d", []) == Plan()


def test_an_unsuspicious_device_is_asked_nothing_more() -> None:
    assert PLANNER("d", [saw("http", server="nginx", title="Welcome")]) == Plan()


def test_another_devices_replies_raise_no_suspicion() -> None:
    assert PLANNER("d", [saw("dhip", device="e")]) == Plan()


@pytest.mark.parametrize(
    ("seen", "port", "path"),
    [
        (saw("dhip", vendor="General"), 37777, "/cgi-bin/magicBox.cgi?action=getSystemInfo"),
        (saw("sadp", model="DS-2CD0000"), 8000, "/ISAPI/System/deviceInfo"),
        (saw("sadp", model="DS-7600"), 8000, "/ISAPI/ContentMgmt/InputProxy/channels"),
        (
            saw("http", realm=("iPolis_00-09-18-00-00-01",)),
            None,
            "/stw-cgi/media.cgi?msubmenu=cameraregister&action=view",
        ),
        (saw("http", server="uc-httpd 1.0.0"), 34567, None),
        (saw("onvif", manufacturer="UNIVIEW"), 81, "/LAPI/V1.0/System/DeviceInfo"),
        (saw("link", mac="AC:CC:8E:00:00:01"), None, "/axis-cgi/basicdeviceinfo.cgi"),
    ],
)
def test_a_suspected_maker_is_asked_for_its_own(seen: Observation, port: int | None, path: str | None) -> None:
    wanted = PLANNER("d", [seen])
    assert port is None or port in wanted.tcp_ports
    assert path is None or path in {ask.path for ask in wanted.asks}


def test_a_hint_too_weak_to_name_a_maker_is_enough_to_ask() -> None:
    assert 8000 in PLANNER("d", [saw("onvif", manufacturer="Swann")]).tcp_ports


def test_the_likeliest_maker_is_asked_first() -> None:
    wanted = PLANNER("d", [saw("onvif", manufacturer="HIKVISION"), saw("dhip", vendor="General")])
    assert wanted.tcp_ports.index(37777) < wanted.tcp_ports.index(8000)


def test_many_suspects_are_cut_to_the_likeliest() -> None:
    names = ["Dahua", "HIKVISION", "Uniview", "Reolink", "Bosch", "TVT"]
    wanted = PLANNER("d", [saw("onvif", manufacturer=name) for name in names])
    allowed = [set(maker.ask.tcp_ports) for maker in MAKERS if maker.ask.tcp_ports]
    assert sum(bool(set(wanted.tcp_ports) & ports) for ports in allowed) <= MAX_SUSPECTS + 1


def test_what_needs_a_login_is_marked() -> None:
    asks = {ask.path: ask for ask in PLANNER("d", [saw("sadp", model="DS-7600")]).asks}
    assert asks["/ISAPI/ContentMgmt/InputProxy/channels"].login


def test_every_path_in_the_makers_files_can_be_asked() -> None:
    for maker in MAKERS:
        for ask in maker.ask.documents:
            assert ask.path.startswith("/"), maker.maker
            assert " " not in ask.path
            assert 0 < ask.port < 65536
