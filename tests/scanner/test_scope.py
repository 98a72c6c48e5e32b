from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.scope import Scope, ScopeError


def addresses(*targets, **more):
    return list(Scope.of(targets, **more).addresses())


@pytest.mark.parametrize(("target", "first", "last", "count"), [
    ("10.0.0.0/24", "10.0.0.1", "10.0.0.254", 254),
    ("10.0.0.7/29", "10.0.0.1", "10.0.0.6", 6),            # host bits set: the network it lies in
    ("10.0.0.4/31", "10.0.0.4", "10.0.0.5", 2),            # RFC 3021: no broadcast address
    ("10.0.0.4/32", "10.0.0.4", "10.0.0.4", 1),
    ("192.168.1.9-12", "192.168.1.9", "192.168.1.12", 4),
    ("192.168.1.250-192.168.2.3", "192.168.1.250", "192.168.2.3", 10),
    ("172.31.255.1", "172.31.255.1", "172.31.255.1", 1),
    ("169.254.3.1", "169.254.3.1", "169.254.3.1", 1),
    ("fd00::10-fd00::12", "fd00::10", "fd00::12", 3),
])
def test_targets_stand_for_these_addresses(target, first, last, count):
    found = addresses(target)
    assert (found[0], found[-1], len(found)) == (first, last, count)


@pytest.mark.parametrize(("target", "word"), [
    ("8.8.8.8", "public"), ("100.64.0.1", "public"), ("192.0.2.1", "public"), ("2001:db8::1", "public"),
    ("10.255.255.250-11.0.0.5", "public"),
    ("224.0.0.251", "multicast"), ("ff02::1", "multicast"), ("255.255.255.255", "broadcast"),
    ("0.0.0.0", "unspecified"), ("::", "unspecified"), ("250.1.1.1", "reserved"),
    ("127.0.0.1", "loopback"), ("::1", "loopback"),
    ("10.0.0.0/19", "/20"), ("10.0.0.0/8", "/16"), ("0.0.0.0/0", "/16"), ("fd00::/64", "/16"),
    ("10.0.0.9-10.0.0.1", "ends before"), ("10.0.0.300", "not an address"), ("10.0.0.0/33", "not an address"),
    ("fe80::1%eth0", "zone"), ("@/nowhere/at-all", "nowhere"), ("a b", "not an address"), ("", "no target"),
])
def test_refuses_in_one_line(target, word):
    with pytest.raises(ScopeError, match=word) as caught:
        Scope.of([target])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("target", ["8.8.8.8", "127.0.0.1", "10.0.0.0/19"])
def test_a_reason_opens_public_loopback_and_wide(target):
    assert addresses(target, authorised="order 7 of the owner")
    with pytest.raises(ScopeError):
        Scope.of([target], authorised="   ")


@pytest.mark.parametrize("target", ["224.0.0.1", "255.255.255.255", "0.0.0.0", "ff02::1", "10.0.0.0/8"])
def test_no_reason_opens_what_is_no_device_or_too_much(target):
    with pytest.raises(ScopeError):
        Scope.of([target], authorised="because")


def test_a_lab_opens_loopback_and_nothing_else():
    assert len(addresses("127.77.0.0/24", lab=True)) == 254
    with pytest.raises(ScopeError, match="public"):
        Scope.of(["9.9.9.9"], lab=True)


def test_width_is_counted_over_all_targets_and_overlap_once():
    with pytest.raises(ScopeError, match="/20"):
        Scope.of(["10.0.0.0/20", "10.9.0.0/24"])
    assert len(addresses("10.0.0.0/21", "10.0.0.0/21", "10.0.0.0/24")) == 2046


def test_excludes_hold_everywhere():
    scope = Scope.of(["10.0.0.0/29"], exclude=["10.0.0.2-3", "10.0.0.6"])
    assert list(scope.addresses()) == ["10.0.0.1", "10.0.0.4", "10.0.0.5"]
    assert scope.contains("10.0.0.4")
    assert not scope.contains("10.0.0.2")
    assert scope.size == 3
    with pytest.raises(ScopeError, match="excluded"):
        Scope.of(["10.0.0.2"], exclude=["10.0.0.0/24"])


@pytest.mark.parametrize("text", ["10.0.0.0", "10.0.0.255", "10.0.1.1", "camera", "", "10.0.0.1\n", "::ffff:10.0.0.1"])
def test_contains_is_false_for_what_was_not_asked_for(text):
    assert not Scope.of(["10.0.0.0/24"]).contains(text)


def test_names_are_resolved_once_and_pinned():
    asked = []

    def resolve(name):
        asked.append(name)
        return ["10.1.1.1", "10.1.1.2"]

    scope = Scope.of(["cam.example"], resolve=resolve)
    assert scope.pinned == (("cam.example", "10.1.1.1"), ("cam.example", "10.1.1.2"))
    assert [*scope.addresses()] == ["10.1.1.1", "10.1.1.2"]
    assert asked == ["cam.example"]


def test_a_name_cannot_lead_out_of_private_space():
    with pytest.raises(ScopeError, match="public"):
        Scope.of(["cam.example"], resolve=lambda _name: ["93.184.216.34"])
    with pytest.raises(ScopeError, match="does not resolve"):
        Scope.of(["cam.example"], resolve=lambda _name: [])


def test_target_file(tmp_path):
    listed = tmp_path / "targets.txt"
    listed.write_text("# floor 2\n10.0.0.1\n\n10.0.0.8/30  # lobby\n")
    assert addresses(f"@{listed}") == ["10.0.0.1", "10.0.0.9", "10.0.0.10"]
    listed.write_text(f"@{listed}\n")
    with pytest.raises(ScopeError, match="another file"):
        Scope.of([f"@{listed}"])


def test_scope_file(tmp_path):
    path = tmp_path / "scope.yaml"
    path.write_text("targets: [10.0.0.0/30]\nexclude: [10.0.0.2]\nowner: Facilities\nticket: CHG-7\n"
                    "not_before: 2026-01-01T20:00:00\nnot_after: 2026-01-02T06:00:00Z\n")
    scope = Scope.from_file(path)
    assert (scope.owner, scope.ticket, list(scope.addresses())) == ("Facilities", "CHG-7", ["10.0.0.1"])
    assert scope.open_at(datetime(2026, 1, 1, 20, tzinfo=UTC))
    assert not scope.open_at(datetime(2026, 1, 1, 19, 59, tzinfo=UTC))
    assert not scope.open_at(datetime(2026, 1, 2, 6, tzinfo=UTC))


@pytest.mark.parametrize(("text", "word"), [
    ("targets: [10.0.0.1]\n", "owner"), ("targets: 7\nowner: x\n", "targets"),
    ("owner: x\nextra: 1\ntargets: []\n", "extra"),
    ("targets: [\n", "scope.yaml"), ("", "scope.yaml"),
    ("targets: [10.0.0.1]\nowner: x\nnot_before: 2026-02-01\nnot_after: 2026-01-01\n", "window"),
])
def test_scope_file_that_does_not_fit(tmp_path, text, word):
    path = tmp_path / "scope.yaml"
    path.write_text(text)
    with pytest.raises(ScopeError, match=word):
        Scope.from_file(path)


def test_the_digest_names_what_and_on_whose_word():
    base = Scope.of(["10.0.0.0/24"], owner="a")
    assert base.digest == Scope.of(["10.0.0.1-100", "10.0.0.50-10.0.0.254"], owner="a").digest
    others = [Scope.of(["10.0.0.0/24"], owner="b"), Scope.of(["10.0.0.0/25"], owner="a"),
              Scope.of(["10.0.0.0/24"], owner="a", exclude=["10.0.0.9"]),
              Scope.of(["10.0.0.0/24"], owner="a", ticket="t")]
    assert len({base.digest, *(one.digest for one in others)}) == 5


@given(st.integers(0, 2**32 - 1), st.integers(0, 300), st.integers(0, 2**32 - 1))
def test_what_is_listed_is_what_is_contained(first, length, probe):
    import ipaddress
    last = min(first + length, 2**32 - 1)
    text = f"{ipaddress.IPv4Address(first)}-{ipaddress.IPv4Address(last)}"
    try:
        scope = Scope.of([text])
    except ScopeError:
        return
    listed = set(scope.addresses())
    assert all(scope.contains(address) and Scope.private(address) for address in listed)
    assert scope.contains(str(ipaddress.IPv4Address(probe))) == (str(ipaddress.IPv4Address(probe)) in listed)


@given(st.text(max_size=40))
def test_any_text_is_a_scope_or_a_scope_error(text):
    def resolve(_name):
        raise OSError

    try:
        scope = Scope.of([text], resolve=resolve)
    except ScopeError:
        return
    assert all(Scope.private(address) for address in scope.addresses())


@pytest.mark.parametrize(("targets", "who", "missing"), [
    (["10.0.0.0/24"], {}, "nobody is named as owner and no ticket is named: who"),
    (["10.0.0.0/24"], {"owner": "it"}, "no ticket is named: who"),
    (["10.0.0.0/24"], {"ticket": "T-1"}, "nobody is named as owner: who"),
    (["10.0.0.0/24"], {"owner": "it", "ticket": "T-1"}, ""),
    (["127.0.0.1", "127.9.0.0/24"], {"lab": True}, ""),
    (["127.0.0.1", "10.0.0.1"], {"lab": True}, "nobody is named as owner and no ticket is named: who"),
    (["10.0.0.1"], {"authorised": "pen test"}, "nobody is named as owner and no ticket is named: who"),
])
def test_who_authorised_a_sweep_is_asked_for_beyond_loopback(targets, who, missing):
    said = Scope.of(targets, **who).unattributed
    assert said.startswith(missing)
    assert bool(said) is bool(missing)
