"""The gate from the command line: approve, attach, count; swap, restart, revoke; and everything it keeps out.

The simulated site runs in this process, on loopback; every command runs in another one.
"""

import json
import sqlite3
import subprocess
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from queue import Queue

import pytest
from acceptance.shell import Shell
from acceptance.story import Camvet

from camvet.context import ExitCode
from camvet.inventory import AttestationRow, Inventory
from camvet.keys import KeyStore
from lab.personas import persona
from lab.site import Site
from scanner import clock

NETWORK = "127.131.7.0/24"
LINE = 'people_count={"line": [[0.5, 1], [0.5, 0]]}'          # from the bottom up: "in" is from left to right
PATHS = {"axis": "/axis-media/media.amp", "bosch": "/rtsp_tunnel", "hanwha": "/profile2/media.smp", "flir": "/avc"}
SHORT = {"scene_seconds": "24"}


def shortened(one):
    return replace(one, options={**one.options, **SHORT}) if "scene" in one.options else one


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    from lab.personas import PERSONAS

    with Site.loopback(NETWORK, tmp_path_factory.mktemp("site"), [shortened(one) for one in PERSONAS],
                       port_offset=25_000) as running:
        yield running


@pytest.fixture(scope="module")
def camvet(site, tmp_path_factory):
    made = Camvet(tmp_path_factory.mktemp("home"), site)
    swept = made.run(*made.sweep_words())
    assert swept.returncode == ExitCode.FINDINGS, swept.stderr
    return made


@pytest.fixture(scope="module")
def shell(camvet):
    with Shell(camvet) as open_shell:
        assert open_shell("keys", "init").code == ExitCode.CLEAN
        yield open_shell


class Words:
    """The words of the commands, for one site."""

    def __init__(self, site):
        self.site = site
        self.tables = ["--port-map", site.out_dir / "site.json", "--neighbours", site.out_dir / "neighbours.txt"]
        self.logins = ["--credentials", f"file:{site.out_dir / 'logins.txt'}"]

    def approve(self, name, *more):
        return ["approve", self.site.address(name), *self.tables, *self.logins, *more]

    def attach(self, name, *more):
        path = ["--path", PATHS[name]] if name in PATHS else []
        return ["attach", self.site.address(name), "--purpose", "count visitors", "--app", LINE, "--retention", "30d",
                "--dpia", "DPIA-7", *self.tables, *path, *(more or self.logins)]


@pytest.fixture(scope="module")
def words(site):
    return Words(site)


@pytest.fixture
def inventory(camvet):
    return Inventory.open(f"sqlite:///{camvet.db}")


def attachment(shell, address):
    return next((row for row in shell("--json", "attached").json if row["address"] == address), None)


class Running:
    """A `camvet monitor --json` that is read while it runs."""

    def __init__(self, camvet, *more):
        self.process = subprocess.Popen(camvet.command("--json", "monitor", "--interval", "1", *more), text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=camvet.home,
                                        env=camvet.environment())
        self._lines = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put(None)

    def metric(self):
        """The next metric, waited for; None where the monitor has ended."""
        return self._lines.get(timeout=40)

    def end(self):
        """Exit code, the metrics that were not read yet, and what was said."""
        code = self.process.wait(timeout=40)
        self._reader.join(timeout=10)
        return code, list(iter(self._lines.get, None)), self.process.stderr.read()


# -- what is kept out --------------------------------------------------------------------------------------------------

KEPT_OUT = {"dahua-tpc": "law.prohibited", "lorex": "law.prohibited", "intelbras": "law.prohibited",
            "imposter": "law.prohibited", "hikvision-dome": "law.prohibited", "hikmicro": "law.prohibited",
            "recorder": "channels.prohibited", "unknown": "maker.unknown", "printer": "kind.not_a_camera"}


def test_every_device_that_is_kept_out_refuses_and_names_its_rule(shell, words, site):
    by_address = {site.address(name): name for name in site.names}
    ids = {device["key"]: device["id"] for device in shell("--json", "devices").json}
    refused = {}
    for device in shell("--json", "judge").json["devices"]:
        if device["verdict"]["outcome"] == "approved":
            continue
        rules = device["verdict"]["rules"]
        name = by_address.get(device["key"], device["key"])
        both = name in ("imposter", "recorder", "unknown")
        for words_of in (words.attach, words.approve) if both else (words.attach,):
            verb, _, *rest = words_of("dahua-tpc")
            done = shell("--json", verb, ids[device["key"]], *rest)
            assert (done.code, done.json["rule"]) == (ExitCode.FINDINGS, rules[0]), device["key"]
            assert done.json["refused"] is True
        refused[name] = rules[0]
    assert KEPT_OUT.items() <= refused.items()
    assert {f"{site.address('recorder')}#{number}" for number in range(4)} <= refused.keys()
    assert shell("--json", "attached").json == []
    assert not any(site.sessions(name) or site.failed_logins(name) for name in site.names)


def test_a_weak_device_is_kept_out_until_somebody_else_has_waived_each_rule(shell, words, site):
    address = site.address("uniview")
    refused = shell("--json", *words.approve("uniview"))
    assert refused.code == ExitCode.FINDINGS
    verdict = shell("--json", "show", address).json["verdict"]
    assert refused.json["rule"] == verdict["rules"][0]
    until = (clock.now() + timedelta(days=9)).date().isoformat()
    for rule in verdict["rules"]:
        done = shell("waive", address, rule, "--reason", "tested bench", "--until", until, "--actor", "carol")
        assert done.code == ExitCode.CLEAN, done.err
    same = shell("--json", *words.approve("uniview", "--actor", "carol"))
    assert (same.code, same.json["rule"]) == (ExitCode.FINDINGS, "attestation.same_actor")
    given = shell("--json", *words.approve("uniview", "--actor", "dave")).json
    assert given["waived"] == verdict["rules"]
    assert given["expires"][:10] == (clock.now() + timedelta(days=10)).date().isoformat()      # ends with the waiver
    assert shell("waive", address, "law.prohibited", "--reason", "x", "--until", until).code == ExitCode.FINDINGS


def test_an_approved_device_that_nobody_approved_is_not_attached(shell, words):
    done = shell("--json", *words.attach("flir"))
    assert (done.code, done.json["rule"]) == (ExitCode.FINDINGS, "attestation.none")


@pytest.mark.parametrize(("word", "said"), [
    (["--app", "people_count"], "line or a zone"), (["--app", "face_recognition"], "no app"),
    (["--app", "people_count={not json"], "not JSON"), (["--credentials", "env:NO_SUCH"], "no such variable"),
    (["--retention", "a month"], "number of days"), (["--path", "rtsp://10.9.9.9/x"], "a path on the device"),
])
def test_a_wrong_word_is_one_line_and_exit_2(shell, words, word, said):
    done = shell(*words.attach("axis", *words.logins), *word)
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1


# -- the attestation --------------------------------------------------------------------------------------------------

def test_a_tampered_an_expired_and_an_unsigned_attestation_are_refused(shell, words, camvet, site, inventory):
    given = shell("--json", *words.approve("flir")).json
    with sqlite3.connect(camvet.db) as database:
        (envelope,) = database.execute("SELECT envelope FROM attestation WHERE id = ?",
                                       [given["attestation"]]).fetchone()
        broken = json.loads(envelope)
        broken["payload"] = "A" + broken["payload"][1:] if broken["payload"][0] != "A" else "B" + broken["payload"][1:]
        database.execute("UPDATE attestation SET envelope = ? WHERE id = ?", [json.dumps(broken), given["attestation"]])
    assert shell("--json", *words.attach("flir")).json["rule"] == "attestation.signature"
    with sqlite3.connect(camvet.db) as database:
        database.execute("UPDATE attestation SET envelope = ? WHERE id = ?", [envelope, given["attestation"]])
    keys = camvet.home / "keys"
    keys.rename(camvet.home / "elsewhere")
    assert shell("--json", *words.attach("flir")).json["rule"] == "attestation.key"
    assert shell(*words.approve("flir")).code == ExitCode.USAGE
    (camvet.home / "elsewhere").rename(keys)
    _expire(inventory, camvet, given)
    assert shell("--json", *words.attach("flir")).json["rule"] == "attestation.expired"
    assert attachment(shell, site.address("flir")) is None


def _expire(inventory, camvet, given):
    """Put an attestation in the place of `given` that is the same, rightly signed, and over."""
    from rules import dsse

    (row,) = inventory.gate.attestations(given["device"])
    keys = KeyStore(camvet.home / "keys")
    statement = json.loads(dsse.open_envelope(row.envelope, dsse.IN_TOTO, keys.trusted()).payload)
    statement["predicate"]["expires"] = clock.stamp(clock.now() - timedelta(seconds=1))
    over = json.dumps(dsse.seal(json.dumps(statement).encode(), dsse.IN_TOTO, keys.signing()))
    with sqlite3.connect(camvet.db) as database:
        database.execute("DELETE FROM attestation WHERE id = ?", [row.id])
    inventory.gate.add_attestation(AttestationRow("e" * 64, row.device, over, row.issued, row.expires, row.actor),
                                   at=clock.now(), document={})


def test_a_wrong_password_is_tried_once_and_never_again(shell, words, site, camvet):
    wrong = camvet.home / "wrong.txt"
    wrong.touch(mode=0o600)
    wrong.write_text(f"{site.persona('axis-box').user}:not-the-password\n", encoding="utf-8")
    assert shell(*words.approve("axis-box")).code == ExitCode.CLEAN
    assert site.failed_logins("axis-box") == 0
    done = shell("--json", *words.attach("axis-box", "--credentials", f"file:{wrong}"))
    assert (done.code, done.json["rule"]) == (ExitCode.FINDINGS, "gate.login_rejected")
    assert site.failed_logins("axis-box") == 1
    assert site.sessions("axis-box") == ()
    assert attachment(shell, site.address("axis-box")) is None


# -- the story ---------------------------------------------------------------------------------------------------------

def test_approve_attach_count(shell, words, site, camvet):
    given = shell("--json", *words.approve("axis", "--actor", "alice")).json
    assert set(given["read"]) == {"mac", "serial", "firmware", "tls_key", "endpoint_reference"}
    assert (given["unread"], given["outcome"]) == ([], "approved")
    assert shell("--json", *words.attach("axis", *words.logins, "--actor", "bob")).json["state"] == "attached"
    site.slow("axis", fps=40)
    done = camvet.run("--json", "monitor", "--for", "7", "--interval", "2")
    assert done.returncode == ExitCode.CLEAN, done.stderr
    metrics = [json.loads(line) for line in done.stdout.splitlines()]
    (viewing,) = site.sessions("axis")
    truth = site.truth("axis").crossings(0.0, viewing.pictures / 12.5)
    counted = {name: sum(one["value"] for one in metrics if one["name"] == name) for name in ("in", "out")}
    assert truth.left_to_right + truth.right_to_left >= 2, "the scene is too short to count anything"
    assert counted["in"] == pytest.approx(truth.left_to_right, abs=1)
    assert counted["out"] == pytest.approx(truth.right_to_left, abs=1)
    assert all("stand or sit still" in one["quality"]["method"] for one in metrics)
    site.slow("axis")


def test_a_restart_finds_the_same_state_and_a_swap_suspends(shell, words, site, camvet, inventory):
    """Goes on where `test_approve_attach_count` ended: the monitor is a new process and needs no word but its name."""
    address = site.address("axis")
    assert attachment(shell, address)["state"] == "attached"
    monitor = Running(camvet)
    assert monitor.metric() is not None
    before = site.sessions("axis")
    swapped = clock.now()
    site.replace("axis", replace(persona("imposter"), name="swapped"))
    code, rest, said = monitor.end()
    assert code == ExitCode.FINDINGS, said
    assert "gate.fingerprint" in said
    assert site.sessions("swapped") == (), "the imposter's pictures were asked for"
    assert site.failed_logins("swapped") == 0
    assert all(datetime.fromisoformat(one["end"]) <= swapped + timedelta(seconds=5) for one in rest)

    held = attachment(shell, address)
    assert (held["state"], held["rule"]) == ("suspended", "gate.fingerprint")
    kinds = [event.kind for event in inventory.gate.camera_events(held["device"])]
    assert kinds[-2:] == ["lost", "suspended"]
    assert "camera.suspended" in {event.kind for event in inventory.events() if event.subject == held["device"]}

    again = camvet.run("--json", "monitor", "--for", "5")
    assert (again.returncode, again.stdout) == (ExitCode.FINDINGS, "")
    assert "stays suspended" in again.stderr
    assert attachment(shell, address) == held
    assert shell("--json", *words.attach("swapped", "--path", "/", *words.logins)).json["rule"] == "gate.fingerprint"

    site.replace("swapped", shortened(persona("axis")))
    assert attachment(shell, address)["state"] == "suspended", "only a person lets it in again"
    assert shell(*words.attach("axis")).code == ExitCode.CLEAN
    assert attachment(shell, address)["state"] == "attached"
    assert len(site.sessions("axis")) == len(before)
    assert shell("detach", address).code == ExitCode.CLEAN


def test_a_reboot_passes_and_a_revocation_ends_it(shell, words, site, camvet):
    assert shell(*words.approve("bosch")).code == ExitCode.CLEAN
    assert shell(*words.attach("bosch")).code == ExitCode.CLEAN
    monitor = Running(camvet, site.address("bosch"))
    assert monitor.metric() is not None
    site.reboot("bosch", 1.0)
    while len(site.sessions("bosch")) < 2:
        assert monitor.metric() is not None, "it was not watched again after the reboot"
    done = shell("--json", "revoke", site.address("bosch"), "--reason", "stolen laptop", "--actor", "alice")
    assert len(done.json["revoked"]) == 1
    code, _, said = monitor.end()
    assert code == ExitCode.FINDINGS
    assert "lost" in said
    held = attachment(shell, site.address("bosch"))
    assert (held["state"], held["rule"], held["because"]) == ("suspended", "attestation.revoked", "stolen laptop")
    assert shell("--json", *words.attach("bosch")).json["rule"] == "attestation.revoked"


def test_an_upgrade_while_attached_suspends_and_a_new_sweep_is_asked_for(shell, words, site):
    assert shell(*words.approve("hanwha")).code == ExitCode.CLEAN
    assert shell(*words.attach("hanwha")).code == ExitCode.CLEAN
    site.upgrade("hanwha", "1.41.99_20260101_R500")
    done = shell("--json", "monitor", site.address("hanwha"), "--for", "20")
    assert (done.code, done.out) == (ExitCode.FINDINGS, "")
    assert "gate.fingerprint" in done.err
    assert "1.41.99_20260101_R500" in done.err
    assert shell("--json", *words.approve("hanwha")).json["rule"] == "approve.changed"


def test_the_guard_alone_and_a_rejection_keep_out(shell, words, site):
    address = site.address("axis-box")
    assert shell(*words.attach("axis-box")).code == ExitCode.CLEAN
    looked = shell("--json", "watch", address, "--once")
    assert (looked.code, looked.json["state"], looked.json["rule"]) == (ExitCode.CLEAN, "holds", None)
    assert site.sessions("axis-box") == (), "the guard takes no picture"
    given = shell("--json", "reject", address, "--reason", "nobody ordered it", "--actor", "alice").json
    assert (len(given["revoked"]), given["suspended"]) == (1, True)
    assert (attachment(shell, address)["state"], attachment(shell, address)["rule"]) == ("suspended", "device.rejected")
    again = shell("watch", address, "--once")
    assert (again.code, "stays suspended" in again.err) == (ExitCode.FINDINGS, True)
    for wanted in (words.attach("axis-box"), words.approve("axis-box")):
        assert shell("--json", *wanted).json["rule"] == "device.rejected"
    assert shell("revoke", given["rejection"], "--reason", "it was found").code == ExitCode.CLEAN
    assert shell("--json", *words.attach("axis-box")).json["rule"] == "attestation.revoked"
    assert shell(*words.approve("axis-box")).code == ExitCode.CLEAN
    assert shell(*words.attach("axis-box")).code == ExitCode.CLEAN
    site.upgrade("axis-box", "99.1.0")
    found = shell("--json", "watch", address, "--once")
    assert (found.code, found.json["state"], found.json["rule"]) == (ExitCode.FINDINGS, "suspended", "gate.fingerprint")
    assert attachment(shell, address)["rule"] == "gate.fingerprint"


def test_the_log_holds_and_no_secret_rests_anywhere(shell, camvet, site):
    done = shell("--json", "audit", "verify")
    assert done.json["holds"] is True
    kept = b"".join(path.read_bytes() for path in camvet.home.rglob("*") if path.is_file() and "wrong" not in path.name)
    for name in site.names:
        assert site.persona(name).password.encode() not in kept
