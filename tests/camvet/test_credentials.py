"""Credentials are named, never given; what is wrong with them is said without saying them."""

import pytest

from camvet.context import UsageError
from camvet.credentials import resolve, resolve_for


def file(tmp_path, text, mode=0o600):
    path = tmp_path / "logins"
    path.write_text(text)
    path.chmod(mode)
    return f"file:{path}"


def test_an_environment_variable_is_one_login_for_all(monkeypatch):
    monkeypatch.setenv("CAM", "admin:p:w@ #%/ß")
    assert resolve("env:CAM").of("10.0.0.1").password == "p:w@ #%/ß"


def test_a_file_may_hold_a_login_a_device(tmp_path):
    logins = resolve(file(tmp_path, "# site\n10.0.0.0/24 root:one two\n10.0.0.9 svc:x\nadmin:rest\n"))
    assert [logins.of(a).user for a in ("10.0.0.1", "10.0.0.9", "10.0.1.1")] == ["root", "svc", "admin"]
    assert logins.of("10.0.0.1").password == "one two"


@pytest.mark.parametrize(("text", "mode", "word"), [
    ("admin:secret1", 0o644, "read by others"),
    ("secret1", 0o600, "line 1: expected user:password"),
    (":secret1", 0o600, "expected user:password"),
    ("", 0o600, "expected user:password"),
    ("a:secret1\nb:secret1", 0o600, "line 2: a second login"),
])
def test_a_file_that_cannot_be_used_says_why_and_not_what(tmp_path, text, mode, word):
    with pytest.raises(UsageError, match=word) as caught:
        resolve(file(tmp_path, text, mode))
    assert "secret1" not in str(caught.value)


@pytest.mark.parametrize("reference", [
    "admin:secret1", "env:", "env:NOT_THERE_AT_ALL", "file:/not/there", "keyring:x", ""])
def test_a_value_or_an_unknown_reference_is_refused(reference):
    with pytest.raises(UsageError):
        resolve(reference)


def test_a_device_without_a_login_is_told_so(tmp_path):
    with pytest.raises(UsageError, match=r"no login for 10\.0\.0\.2"):
        resolve_for(file(tmp_path, "10.0.0.1 a:b"), "10.0.0.2")
