"""The guard alone: what is attached is asked about anew, and by the rules that are installed by then."""

import threading
from datetime import timedelta

import pytest
from acceptance.shell import Here
from inventory_samples import NOW, sweep

from analytics.gate import Refused
from camvet import guarding
from camvet.admission import SiteWorld
from camvet.context import ExitCode
from camvet.edition import Edition
from camvet.guarding import Found, Guard
from camvet.inventory import AttachmentRow, AttachmentState, AttestationRow, Inventory
from camvet.keys import KeyStore
from camvet.lists import Store
from rules import documents
from scanner import clock

ORDER = {"purpose": "count", "apps": [{"name": "people_count", "config": {"line": [[0, 0], [1, 1]]}}],
         "retention_days": 30, "dpia": "D", "credentials": "env:CAM", "path": "/", "port": 554, "port_map": None,
         "neighbours": None}


@pytest.fixture
def inventory(tmp_path):
    made = Inventory.open(f"sqlite:///{tmp_path / 'camvet.sqlite'}")
    made.record(sweep(1, *((f"10.0.0.{n}", f"AA:00:00:00:00:0{n}", f"S{n}") for n in (1, 2, 3))), actor="x")
    for n, row in enumerate(sorted(made.devices(), key=lambda row: row.key), start=1):
        made.gate.add_attestation(AttestationRow(f"{n}" * 64, row.id, f"envelope {n}", clock.stamp(NOW),
                                                 "2027-01-01T00:00:00Z", "alice"), at=NOW, document={})
        made.gate.attach(AttachmentRow(row.id, row.key, ORDER, f"{n}" * 64, AttachmentState.ATTACHED, "", "",
                                       clock.stamp(NOW), "bob"), at=NOW)
    return made


@pytest.fixture
def answers(monkeypatch):
    """What the gate says of each address; `asked` are the envelopes it was shown."""
    said: dict[str, Refused] = {}
    asked = []

    class FakeGate:
        def __init__(self, _world):
            pass

        def admit(self, order, envelope):
            asked.append((order.address, envelope))
            if order.address in said:
                raise said[order.address]

    monkeypatch.setattr(guarding, "Gate", FakeGate)
    return said, asked


@pytest.fixture
def guard(inventory, tmp_path):
    told = []
    return Guard(inventory, KeyStore(tmp_path / "keys"), "hq", (), Edition(tmp_path / "lists", told.append),
                 told.append), told


def states(inventory):
    return {row.address: (str(row.state), row.rule) for row in inventory.gate.attachments()}


def test_a_round_suspends_what_fails_and_waits_for_what_does_not_answer(guard, answers, inventory):
    made, told = guard
    said, asked = answers
    said["10.0.0.2"] = Refused("gate.fingerprint", "mac: A -> B")
    said["10.0.0.3"] = Refused("gate.unreachable", "nobody answers")
    assert made.round() == 2
    assert sorted(asked) == [(f"10.0.0.{n}", f"envelope {n}") for n in (1, 2, 3)]
    assert {(one.address, one.found, one.rule) for one in told} == {
        ("10.0.0.1", Found.HOLDS, ""), ("10.0.0.2", Found.SUSPENDED, "gate.fingerprint"),
        ("10.0.0.3", Found.UNANSWERED, "gate.unreachable")}
    assert states(inventory) == {"10.0.0.1": ("attached", ""), "10.0.0.2": ("suspended", "gate.fingerprint"),
                                 "10.0.0.3": ("attached", "")}
    assert (len(made.suspended), len(made.unanswered)) == (1, 1)
    del said["10.0.0.3"]
    assert made.round() == 2, "a suspended camera is not asked again"
    assert (len(made.suspended), len(made.unanswered)) == (1, 0)


def test_what_was_attached_anew_meanwhile_is_not_suspended_for_what_it_was(guard, answers, inventory, monkeypatch):
    made, told = guard
    said, _ = answers
    said["10.0.0.1"] = Refused("attestation.expired", "over")
    row = next(one for one in inventory.gate.attachments() if one.address == "10.0.0.1")
    refuse = Guard._suspend

    def later(self, before, rule, because):
        inventory.gate.attach(AttachmentRow(row.device, row.address, ORDER, row.attestation, AttachmentState.ATTACHED,
                                            "", "", clock.stamp(NOW + timedelta(hours=1)), "bob"), at=NOW)
        return refuse(self, before, rule, because)

    monkeypatch.setattr(Guard, "_suspend", later)
    made.round()
    assert [one.found for one in told if one.address == "10.0.0.1"] == [Found.LET_GO]
    assert states(inventory)["10.0.0.1"] == ("attached", "")


def test_it_goes_on_until_nothing_is_attached(guard, answers, inventory, monkeypatch):
    made, _ = guard
    said, asked = answers
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        for row in inventory.gate.attachments():
            said[row.address] = Refused("law.prohibited", "listed since today")

    monkeypatch.setattr(guarding.time, "sleep", sleep)
    made.run(7.0)
    assert (pauses, len(asked)) == ([7.0], 6)
    assert {rule for _, rule in states(inventory).values()} == {"law.prohibited"}


def test_only_the_named_cameras_are_asked(guard, answers, inventory):
    made, _ = guard
    row = next(one for one in inventory.gate.attachments() if one.address == "10.0.0.2")
    made.devices = [row.device]
    made.round()
    assert [address for address, _ in answers[1]] == ["10.0.0.2"]


def test_the_command_line_tells_every_look_and_ends_by_the_worst(inventory, answers, tmp_path, monkeypatch):
    camvet = Here(tmp_path)
    said, _ = answers
    monkeypatch.setenv("CAM", "user:x")
    done = camvet("--json", "watch", "--once")
    assert done.code == ExitCode.CLEAN, done.err
    assert done.out.count('"state": "holds"') == 3
    said["10.0.0.3"] = Refused("gate.unreachable", "nobody answers")
    done = camvet("watch", "--once")
    assert done.code == ExitCode.INCOMPLETE
    assert "10.0.0.3  unanswered  gate.unreachable: nobody answers" in done.out
    said["10.0.0.1"] = Refused("attestation.expired", "over")
    assert camvet("watch", "--once").code == ExitCode.FINDINGS
    assert "stays suspended" in camvet("watch", "--once").err
    assert camvet("watch", "--once", "--for", "3").code == ExitCode.USAGE
    monkeypatch.delenv("CAM")
    unset = camvet("watch", "--once")
    assert (unset.code, "no such variable" in unset.err) == (ExitCode.USAGE, True)


def test_without_an_attached_camera_it_says_so(tmp_path):
    Inventory.open(f"sqlite:///{tmp_path / 'camvet.sqlite'}")
    done = Here(tmp_path)("watch")
    assert (done.code, "is attached" in done.err) == (ExitCode.USAGE, True)


# -- the rules of a long run -------------------------------------------------------------------------------------------

@pytest.fixture
def installed(tmp_path):
    """An installation into which bundles are put; the shipped rules count again afterwards."""
    from rules import bundle

    store = Store(tmp_path / "lists")

    def install(number):
        law = store.folder / "law" / "policies"
        law.mkdir(parents=True, exist_ok=True)
        (law / f"p{number}.yaml").write_text("{}", encoding="utf-8")
        store.remember(number=number, digest=f"{number:064d}", made="2026-11-22T00:00:00Z", signed_by=["k"])
    yield store, install
    bundle.use(None)


def policies():
    """The policies of the rules that are judged by now."""
    return sorted(path.name for path in documents.folder_of("policies").glob("*.yaml"))


def test_a_newly_installed_bundle_is_judged_by_from_the_next_verdict_on(installed):
    store, install = installed
    told = []
    edition = Edition(store.folder, told.append)
    with edition.newest():
        assert documents.law_from() is None
    install(4)
    with edition.newest():
        assert policies() == ["p4.yaml"]
    store.remember(signed=9)                     # signing one installs none
    with edition.newest():
        pass
    assert len(told) == 1
    assert "bundle 4" in told[0]
    install(5)
    with edition.newest():
        assert policies() == ["p4.yaml", "p5.yaml"]
    assert len(told) == 2
    Edition(store.folder, told.append)
    assert policies() == ["p4.yaml", "p5.yaml"]
    assert len(told) == 2, "what is installed when it begins is no news"


def test_while_a_bundle_is_being_installed_the_old_rules_go_on(installed):
    store, install = installed
    install(4)
    told = []
    edition = Edition(store.folder, told.append)
    law = store.folder / "law"
    law.rename(store.folder / "away")            # as an installation does before it puts the new laws there
    with edition.newest():
        assert policies() == ["p4.yaml"]
    store.remember(number=5, digest="5" * 64)
    with edition.newest():
        assert policies() == ["p4.yaml"]
    with edition.newest():
        pass
    assert len(told) == 1
    assert "bundle 5 is named as installed and cannot be read whole" in told[0]
    (store.folder / "away").rename(law)
    (law / "policies" / "p5.yaml").write_text("{}", encoding="utf-8")
    with edition.newest():
        assert policies() == ["p4.yaml", "p5.yaml"]


def test_rules_are_not_replaced_under_a_verdict_that_is_being_made(installed):
    store, install = installed
    edition = Edition(store.folder, lambda _said: None)
    inside, go_on = threading.Event(), threading.Event()
    order = []

    def judge():
        with edition.newest():
            inside.set()
            assert go_on.wait(10)
            order.append(documents.law_from())

    def renew():
        with edition.newest():
            order.append(policies())

    threads = [threading.Thread(target=judge), threading.Thread(target=renew)]
    threads[0].start()
    assert inside.wait(10)
    install(4)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert order == [None, ["p4.yaml"]]


def test_the_gate_judges_by_the_rules_that_are_installed_now_and_refuses_by_broken_ones(installed, inventory, tmp_path):
    store, install = installed
    world = SiteWorld(inventory, KeyStore(tmp_path / "keys"), edition=Edition(store.folder, lambda _said: None))
    row = inventory.devices()[0]
    assert world.verdict(row.id, "private") is not None
    install(4)                                            # its one policy says nothing at all
    with pytest.raises(Refused, match=r"gate\.verdict"):
        world.verdict(row.id, "private")
