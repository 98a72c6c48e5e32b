"""The login that is used on a device never rests in what is kept of it, however the device says it back."""

import base64

import pytest

from scanner.dossier import Dossier
from scanner.pace import PACES, Profile
from scanner.wire.auth import Credentials

PASSWORD = "p@ss w/rd:9"
TOKEN = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()


@pytest.mark.parametrize("echo", [PASSWORD, f"hello {PASSWORD}!", "p%40ss%20w%2Frd%3A9", f"Basic {TOKEN}"])
def test_an_echoed_login_is_starred_out(echo):
    dossier = Dossier("10.0.0.1", PACES[Profile.FAST], Credentials("admin", PASSWORD))
    fields = {"sdp_session": echo, "headers": (f"x: {echo}",), "status": 200}
    seen = dossier.observe("rtsp", "rtsp.describe", 554, fields, f"s={echo}".encode())
    kept = str(seen.to_json())
    assert not any(secret in kept for secret in (PASSWORD, TOKEN, "p%40ss%20w%2Frd%3A9"))
    assert "***" in seen.text("sdp_session")
    assert seen.fields["status"] == 200


def test_without_a_login_a_reply_is_kept_as_it_came():
    seen = Dossier("10.0.0.1", PACES[Profile.FAST]).observe("sdp", "x", 1, {"model": "abc"}, b"abc")
    assert seen.text("model") == "abc"


def test_a_password_of_three_letters_does_not_blot_out_the_text():
    dossier = Dossier("10.0.0.1", PACES[Profile.FAST], Credentials("admin", "abc"))
    assert dossier.observe("sdp", "x", 1, {"model": "abcdef"}, b"abcdef").text("model") == "abcdef"
