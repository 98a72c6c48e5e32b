"""Naming makers offline: recorded replies in, one line a device out, whatever the lines hold."""

import base64
import json

import pytest
from acceptance.story import Camvet

from camvet.context import ExitCode

DHIP = json.dumps({"mac": "3c:ef:8c:00:00:01", "method": "client.notifyDevInfo", "params": {"deviceInfo": {
    "DeviceClass": "IPC", "DeviceType": "W461ASC", "SerialNo": "ND012002000001", "Vendor": "Lorex",
    "Version": "2.800.0000000.8.R"}}}).encode()
FRAME = (b"\x20\0\0\0DHIP" + b"\0" * 8 + len(DHIP).to_bytes(8, "little") * 2) + DHIP


def line(device, transport, data, port=None):
    return json.dumps({"device": device, "transport": transport, "port": port,
                       "data": base64.b64encode(data).decode()})


@pytest.fixture
def camvet(tmp_path):
    return Camvet(tmp_path)


def identify(camvet, *lines):
    path = camvet.home / "replies.jsonl"
    path.write_text("\n".join(lines) + "\n")
    done = camvet.run("--json", "identify", "--replies", str(path))
    return done, {doc["device"]: doc for doc in map(json.loads, done.stdout.splitlines())}


def test_a_label_is_told_apart_from_the_maker(camvet):
    done, found = identify(camvet, line("cam", "udp-payload", FRAME, 37810))
    assert done.returncode == ExitCode.CLEAN, done.stderr
    assert found["cam"]["maker"] == "dahua"
    assert found["cam"]["brand"] == "Lorex"
    assert found["cam"]["model"] == "W461ASC"
    assert found["cam"]["firmware"] == "2.800.0000000.8.R"
    assert {"claim", "value", "strength", "because"} <= set(found["cam"]["evidence"][0])


def test_lines_of_one_device_together_make_its_identity(camvet):
    _, found = identify(camvet, line(1, "http-header", b"Server: App-webs/"),
                        line(1, "mac", b"C0:56:E3:00:00:01"), line(2, "http-header", b"Server: lighttpd/1.4.35"))
    assert found["1"]["maker"] == "hikvision"
    assert found["2"]["maker"] is None


def test_unreadable_lines_are_counted_named_and_do_not_stop_the_rest(camvet):
    done, found = identify(camvet, "not json", "[]", '{"device": "x"}', '{"device":"y","transport":"http","data":"%"}',
                           line("z", "no-such-transport", b"x"), line("ok", "http-header", b"Server: App-webs/"))
    assert found["ok"]["maker"] == "hikvision"
    assert done.returncode == ExitCode.INCOMPLETE
    for number in (1, 2, 3, 4, 5):
        assert f"replies.jsonl:{number}:" in done.stderr
    assert "'no-such-transport' is none of" in done.stderr
    assert "z" not in found


def test_a_hostile_name_cannot_steer_the_terminal(camvet):
    path = camvet.home / "replies.jsonl"
    path.write_text(line("\x1b[2Jcam", "html-title", b"\x1b]0;owned\x07AXIS") + "\n")
    done = camvet.run("identify", "--replies", str(path))
    assert "\x1b" not in done.stdout + done.stderr


def test_an_icon_alone_says_who_is_likeliest_and_decides_nothing_beside_other_signs(camvet):
    icon = line("cam", "favicon-md5", b"d9526978908979fa5018db0bcc762aa0")
    _, found = identify(camvet, icon)
    assert (found["cam"]["maker"], found["cam"]["assurance"]) == ("mobotix", "self_reported")
    (evidence,) = (one for one in found["cam"]["evidence"] if one["claim"] == "maker")
    assert (evidence["value"], evidence["strength"]) == ("mobotix", "medium")
    beside = line("cam", "http-header", b'WWW-Authenticate: Digest realm="AXIS_ACCC8E000001"')
    _, found = identify(camvet, icon, beside)
    assert found["cam"]["maker"] == "axis"
    assert found["cam"]["conflicts"]
