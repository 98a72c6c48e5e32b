"""What no device may achieve by saying less or by saying more."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.identity import identify
from rules.makers import Maker, Makers, load
from rules.signals import claims_of
from rules.vocabulary import Assurance, Identity
from scanner.observation import FieldValue, Observation

AT = datetime(2026, 11, 22, tzinfo=UTC)
MAKERS = load()
ORDER = [Assurance.NONE, Assurance.SELF_REPORTED, Assurance.CORROBORATED, Assurance.CRYPTOGRAPHIC]


def saw(transport: str, **fields: FieldValue) -> Observation:
    wire = repr((transport, sorted(fields.items(), key=str))).encode()
    return Observation.of(device="d", transport=transport, probe="test", port=None, at=AT, fields=fields, wire=wire)


def who(seen: list[Observation]) -> Identity:
    return identify("d", seen, MAKERS)


PROOFS = {
    "dahua": [
        saw("dhip", vendor="General"),
        saw("http", realm=("Login to 9Z01018PAA00899",)),
        saw("http", nonce_text=("onvif-digest:123",)),
        saw("link", mac="3C:EF:8C:00:00:01"),
        saw("rtsp", sdp_control=("/cam/realmonitor?channel=1",)),
    ],
    "hikvision": [
        saw("sadp", model="DS-2CD0000"),
        saw("rtsp", realm=("IP Camera(C1234)",)),
        saw("link", mac="C4:2F:90:00:00:01"),
        saw("http", server="App-webs/"),
    ],
    "axis": [
        saw("rtsp", realm=("AXIS_ACCC8E000001",)),
        saw("link", mac="AC:CC:8E:00:00:01"),
        saw("http", document="vapix-params"),
        saw("rtsp", sdp_control=("/axis-media/media.amp",)),
    ],
}
NAMES = st.sampled_from(
    ["Axis Communications", "AXIS", "Bosch", "Hanwha", "Dahua", "HIKVISION", "Canon", "General", "Lorex", "Acme", ""]
)
LABELS = st.one_of(
    NAMES.map(lambda name: saw("onvif", operation="GetDeviceInformation", manufacturer=name or "x", model="M1065")),
    NAMES.map(lambda name: saw("tls", subject=f"CN={name}", subject_o=name or "x")),
    NAMES.map(lambda name: saw("http", title=name or "x")),
    NAMES.map(lambda name: saw("onvif", scopes=(f"onvif://www.onvif.org/name/{name or 'x'}",))),
    NAMES.map(lambda name: saw("tcp", banner=f"220 {name} ready")),
    st.text(max_size=40).map(lambda text: saw("http", title=text)),
)
EVERYTHING = st.lists(
    st.one_of(LABELS, st.sampled_from([proof for rows in PROOFS.values() for proof in rows])), max_size=8
)


@settings(max_examples=150, deadline=None)
@given(st.lists(LABELS, max_size=4), st.sampled_from(sorted(PROOFS)), st.data())
def test_less_evidence_never_raises_assurance(labels: list[Observation], maker: str, data: st.DataObject) -> None:
    proofs = data.draw(st.lists(st.sampled_from(PROOFS[maker]), unique_by=id))
    every = [*labels, *proofs]
    kept = data.draw(st.lists(st.sampled_from(every), unique_by=id)) if every else []
    assert ORDER.index(who(kept).assurance) <= ORDER.index(who(every).assurance)


@settings(max_examples=150, deadline=None)
@given(EVERYTHING, st.data())
def test_less_evidence_raises_assurance_only_by_hiding_a_rival(every: list[Observation], data: st.DataObject) -> None:
    """With proof of two makers, what is left after hiding one may look better; its maker was credible before, too.

    The rival whose proof was hidden may still stand there by its label.
    """
    kept = data.draw(st.lists(st.sampled_from(every), unique_by=id)) if every else []
    less, more = who(kept), who(every)
    assert set(less.makers) <= set(more.makers)
    if ORDER.index(less.assurance) > ORDER.index(more.assurance):
        hidden = {maker for maker, proofs in PROOFS.items() for one in proofs if one in every and one not in kept}
        assert hidden - {less.maker}


@settings(max_examples=150, deadline=None)
@given(EVERYTHING, st.lists(LABELS, max_size=4))
def test_a_label_removes_no_maker_and_corroborates_nobody(seen: list[Observation], labels: list[Observation]) -> None:
    before, after = who(seen), who([*seen, *labels])
    assert set(before.makers) <= set(after.makers)
    if after.assurance in {Assurance.CORROBORATED, Assurance.CRYPTOGRAPHIC}:
        assert (after.maker, after.assurance) == (before.maker, before.assurance)


@settings(max_examples=100, deadline=None)
@given(st.lists(LABELS, max_size=6), st.sampled_from(["dahua", "hikvision"]), st.data())
def test_no_label_makes_a_device_somebody_elses(labels: list[Observation], maker: str, data: st.DataObject) -> None:
    proof = data.draw(st.sampled_from(PROOFS[maker]))
    assert who([proof, *labels]).maker == maker


@settings(max_examples=60, deadline=None)
@given(EVERYTHING, st.randoms())
def test_the_order_of_observations_does_not_matter(seen: list[Observation], random: object) -> None:
    shuffled = list(seen)
    random.shuffle(shuffled)
    first, second = who(seen), who(shuffled)
    assert (first.maker, first.makers, first.brand, first.assurance) == (
        second.maker,
        second.makers,
        second.brand,
        second.assurance,
    )


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "server",
                "realm",
                "title",
                "body",
                "manufacturer",
                "model",
                "serial",
                "firmware",
                "mac",
                "scopes",
                "banner",
                "channel",
                "names",
                "subject",
            ]
        ),
        st.text(max_size=200),
    ),
    st.sampled_from(["http", "rtsp", "onvif", "tcp", "tls", "link", "egress", "channel", "mdns", "nonsense"]),
)
def test_hostile_text_is_read_without_an_error(fields: dict[str, str], transport: str) -> None:
    identity = who([saw(transport, **fields)])
    assert 0.0 <= identity.confidence <= 1.0


def _conversation(n: int, **fields: FieldValue) -> Observation:
    return Observation.of(device="192.0.2.9", transport="egress", probe="egress.capture", port=443, at=AT,
                          fields={"destination": "203.0.113.9", "protocol": "tcp", **fields}, wire=f"{n}".encode())


MEASURES = st.fixed_dictionaries({}, optional={
    "packets": st.integers(0), "bytes": st.integers(0), "packets_out": st.integers(0), "bytes_out": st.integers(0),
    "seconds": st.floats(0, 1e6), "denied": st.integers(0), "estimated": st.just(True), "period_s": st.floats(0, 1e6),
    "beats": st.integers(0), "sought": st.integers(0)})
CALLED = st.sampled_from([("dev.hik-connect.com",), ("www.easy4ipcloud.com",), ("example.org",), ()])


@given(st.lists(st.tuples(CALLED, MEASURES, MEASURES), min_size=1, max_size=4))
def test_how_much_was_said_to_a_cloud_is_no_word_on_the_maker(
        calls: list[tuple[tuple[str, ...], dict[str, FieldValue], dict[str, FieldValue]]]) -> None:
    once = [_conversation(n, names=names, **one) for n, (names, one, _) in enumerate(calls)]
    again = [_conversation(n, names=names, **other) for n, (names, _, other) in enumerate(calls)]
    assert identify("192.0.2.9", once, MAKERS) == identify("192.0.2.9", again, MAKERS)
    for seen in once:
        bare = replace(seen, fields={name: seen.fields[name] for name in ("destination", "protocol", "names")})
        assert claims_of(seen, MAKERS) == claims_of(bare, MAKERS)


def test_a_signal_that_reads_a_measure_is_heeded_each_time() -> None:
    signal = {"see": {"transport": "egress", "field": "protocol", "matches": "tcp"},
              "where": [{"transport": "egress", "field": "bytes", "matches": "^5$"}], "strength": "strong",
              "basis": "firmware", "group": "acme", "source": "x",
              "yes": [{"transport": "http", "data": "x"}], "no": [{"transport": "http", "data": "y"}]}
    acme = Maker.model_validate({**MAKERS["axis"].model_dump(by_alias=True), "maker": "acme", "signals": [signal]})
    makers = Makers({"acme": acme})
    found = [identify("192.0.2.9", [_conversation(size, bytes=size)], makers).makers for size in (4, 5, 6)]
    assert found == [(), ("acme",), ()]
