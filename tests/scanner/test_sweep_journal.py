import json
from datetime import UTC, datetime

import pytest

from scanner.journal import Batch, Journal, JournalError
from scanner.logins import Logins
from scanner.observation import Attempt, AttemptStatus, Observation, Reason
from scanner.pace import Profile
from scanner.scope import Scope
from scanner.settings import Settings

SCOPE = Scope.of(["10.0.0.0/28"], owner="tests")
SETTINGS = Settings(profile=Profile.FAST)
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SEEN = Observation.of(device="10.0.0.1", transport="http", probe="http.root", port=80, at=AT,
                      fields={"status": 200, "headers": ("a: b",)}, wire=b"\xff\x00wire", raw=b"\xff\x00wire")
TRIED = Attempt("10.0.0.1", "http.root", 80, AttemptStatus.FAILED, AT, Reason.TIMEOUT, "late", 7, (SEEN.id,))
DONE = Batch("device", "10.0.0.1", (SEEN,), (TRIED,), {"dropped": 0, "ports": [80]})


def begun(folder, *batches, **more):
    journal = Journal.open(folder, SCOPE, SETTINGS, **more)
    for batch in batches:
        journal.write(batch)
    return journal


def test_a_batch_comes_back_as_it_went(tmp_path):
    first = begun(tmp_path, DONE)
    first.close()
    second = begun(tmp_path)
    assert second.resumed
    assert list(second.restored) == [DONE]
    assert abs((second.started - first.started).total_seconds()) < 0.001      # stamped to the millisecond
    second.close()


@pytest.mark.parametrize("torn", [
    b'{"kind":"device","dev', b'{"kind":"device"}\n', b"\x00\x00\x00", b"[]\n", b"null\n"])
def test_a_torn_tail_is_cut_and_the_journal_goes_on(tmp_path, torn):
    begun(tmp_path, DONE).close()
    path = next(tmp_path.iterdir())
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    second = begun(tmp_path, Batch("silent", "10.0.0.2", notes={"reason": "refused", "detail": "d"}))
    second.close()
    assert path.read_bytes().startswith(whole)
    third = begun(tmp_path)
    assert [batch.device for batch in third.restored] == ["10.0.0.1", "10.0.0.2"]
    third.close()


def test_every_way_of_tearing_restores_a_prefix(tmp_path):
    begun(tmp_path, DONE, DONE, DONE).close()
    path = next(tmp_path.iterdir())
    whole = path.read_bytes()
    for cut in range(0, len(whole), 37):
        path.write_bytes(whole[:cut])
        journal = begun(tmp_path)
        assert list(journal.restored) == [DONE] * max(0, whole[:cut].count(b"\n") - 1)
        journal.close()


def test_another_scope_profile_or_login_has_another_journal(tmp_path):
    from scanner.wire.auth import Credentials
    begun(tmp_path, DONE).close()
    others = [(Scope.of(["10.0.0.0/27"], owner="tests"), SETTINGS), (SCOPE, Settings(profile=Profile.GENTLE)),
              (SCOPE, Settings(profile=Profile.FAST, credentials=Logins(default=Credentials("u", "p"))))]
    for scope, settings in others:
        journal = Journal.open(tmp_path, scope, settings)
        assert not journal.resumed
        journal.close()


def test_fresh_and_foreign_files_start_anew(tmp_path):
    begun(tmp_path, DONE).close()
    fresh = begun(tmp_path, fresh=True)
    assert not fresh.resumed
    fresh.close()
    path = next(tmp_path.iterdir())
    path.write_text('{"version": 99}\n{"kind": "device"}\n')
    journal = begun(tmp_path)
    assert not journal.resumed
    journal.close()
    assert json.loads(path.read_text())["scope"] == SCOPE.digest


def test_a_finished_journal_is_kept_under_another_name(tmp_path):
    begun(tmp_path, DONE).finish()
    assert [path.name.endswith(".done.jsonl") for path in tmp_path.iterdir()] == [True]
    second = begun(tmp_path)
    assert not second.resumed
    second.close()


def test_two_sweeps_of_one_scope_do_not_mix(tmp_path):
    first = begun(tmp_path)
    with pytest.raises(JournalError, match="another sweep"):
        begun(tmp_path)
    first.close()


def test_a_folder_that_cannot_be_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError):
        Journal.open(tmp_path / "file" / "below", SCOPE, SETTINGS)


def test_the_file_is_its_owners_only(tmp_path):
    begun(tmp_path / "new").close()
    path = next((tmp_path / "new").iterdir())
    assert path.stat().st_mode & 0o077 == 0
