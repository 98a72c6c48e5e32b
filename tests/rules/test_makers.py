"""Every maker file is held to its own examples: what must match does, a near miss does not, nobody else is named."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from rules.documents import DATA, DataError, read
from rules.identity import identify
from rules.makers import Example, Maker, Makers, Signal, load
from rules.oui import longest_prefix, normal_mac
from rules.signals import matches
from rules.vocabulary import Assurance, Basis, Strength
from scanner.observation import Observation
from scanner.wire import replies

AT = datetime(2026, 11, 22, tzinfo=UTC)
MAKERS = load()
ACTS = frozenset({"tplink", "gvcp", "paths", "mhed", "sadp", "dhip"})


def _is_act(group: str) -> bool:
    """Groups of what a device does (docs/identity.md), which no text is."""
    return group in ACTS or group.endswith(("-discovery", "-nonce"))


def seen(example: Example, device: str = "d") -> list[Observation]:
    return replies.read(example.transport, example.port, example.payload(), device=device, now=AT)


def proven(owner: str, signals: tuple[Signal, ...]) -> list[tuple[str, int, Signal]]:
    return [(owner, number, signal) for number, signal in enumerate(signals) if signal.yes or signal.no]


SIGNALS = [row for maker in MAKERS for row in proven(maker.maker, maker.signals)] + [
    row for chipset in MAKERS.chipsets.values() for row in proven(chipset.chipset, chipset.signals)
]


@pytest.mark.parametrize(("owner", "number", "signal"), SIGNALS, ids=[f"{o}.{s.group}.{n}" for o, n, s in SIGNALS])
def test_a_signal_matches_its_positive_replies_and_not_its_near_misses(owner: str, number: int, signal: Signal) -> None:
    for example in signal.yes:
        assert any(matches(signal, o) for o in seen(example)), f"{owner} {number} misses {example}"
    for example in signal.no:
        assert not any(matches(signal, o) for o in seen(example)), f"{owner} {number} takes {example}"


@pytest.mark.parametrize("maker", list(MAKERS), ids=lambda maker: maker.maker)
def test_a_positive_reply_names_its_maker_and_no_other(maker: Maker) -> None:
    for signal in maker.signals:
        for example in signal.yes:
            identity = identify("d", seen(example), MAKERS)
            if signal.says == "maker" and signal.strength in {Strength.DECISIVE, Strength.STRONG}:
                assert identity.makers == (maker.maker,), f"{example}: {identity.makers}"


@pytest.mark.parametrize("maker", list(MAKERS), ids=lambda maker: maker.maker)
def test_a_near_miss_is_not_taken_for_the_maker(maker: Maker) -> None:
    for signal in maker.signals:
        for example in signal.no:
            assert maker.maker not in identify("d", seen(example), MAKERS).makers, example


LISTED = frozenset({"dahua", "uniview"})
"""Makers that laws name: what corroborates one of them counts against the device, so a form of theirs may do it."""


@pytest.mark.parametrize("maker", [one for one in MAKERS if one.maker not in LISTED], ids=lambda maker: maker.maker)
def test_no_text_of_a_maker_corroborates_it(maker: Maker) -> None:
    """All that its file shows but its acts, with its versions and serial numbers: a relabelled device can write it."""
    shown = [
        o for signal in maker.signals if not _is_act(signal.group) for example in signal.yes for o in seen(example)
    ]
    serial = maker.serial[0].example if maker.serial else "1"
    for version in [grammar.example for grammar in maker.firmware] or ["1"]:
        said = f"Manufacturer: {maker.name}\nModel: X\nFirmwareVersion: {version}\nSerialNumber: {serial}\n"
        shown += seen(Example(transport="parsed-fields", data=said))
    assert identify("d", shown, MAKERS).assurance is not Assurance.CORROBORATED


def test_a_file_is_named_after_its_maker() -> None:
    assert sorted(path.stem for path in (DATA / "makers").glob("*.yaml")) == sorted(maker.maker for maker in MAKERS)


def test_grammar_examples_fit_their_grammar() -> None:
    import re

    for maker in MAKERS:
        for grammar in (*maker.serial, *maker.firmware):
            assert re.search(grammar.pattern, grammar.example), (maker.maker, grammar.example)


def test_every_fact_says_where_it_is_from() -> None:
    for maker in MAKERS:
        assert all(
            row.source for row in (*maker.signals, *maker.models, *maker.serial, *maker.brands, *maker.clouds)
        ), maker.maker


def test_what_rests_on_general_knowledge_is_marked_unverified() -> None:
    for maker in MAKERS:
        for row in (*maker.signals, *maker.models, *maker.serial, *maker.firmware):
            assert row.unverified or "general knowledge" not in row.source or row.source.startswith("facts/"), (
                maker.maker,
                row,
            )


def test_no_address_block_belongs_to_two_makers() -> None:
    owners: dict[str, str] = {}
    for maker in MAKERS:
        for prefix in (*maker.oui, *(p for brand in maker.brands if brand.own for p in brand.oui)):
            assert owners.setdefault(prefix, maker.maker) == maker.maker, prefix


def test_blocks_of_buyers_never_name_a_maker() -> None:
    for name, rows in MAKERS.brands.items():
        for _, brand in rows:
            if not brand.own:
                assert all(MAKERS.oui[prefix].maker is None for prefix in brand.oui), name


def test_only_a_link_or_a_protocol_of_the_maker_is_stronger_than_its_label() -> None:
    """Text that anybody can set has the basis label; hardware is never claimed by a signal."""
    for maker in MAKERS:
        for signal in maker.signals:
            assert signal.basis is not Basis.HARDWARE, maker.maker
            if set(signal.see.field) & {"manufacturer", "subject", "vendor", "hostname", "instances"}:
                assert signal.basis is Basis.LABEL or signal.strength is not Strength.DECISIVE, (
                    maker.maker,
                    signal.see,
                )


@pytest.mark.parametrize(
    ("mac", "maker", "brand"),
    [
        ("3C:EF:8C:00:00:01", "dahua", None),
        ("C4:2F:90:00:00:01", "hikvision", None),
        ("A4:4C:62:00:00:01", "hikvision", "HIKMICRO"),  # registered to Microimage, not to a name with "hik" in it
        ("34:BD:20:00:00:01", "hikvision", "Hikrobot"),
        ("30:2F:AC:00:00:01", "dahua", "iRAYPLE"),
        ("AC:3D:FA:00:00:01", "dahua", "Imou"),
        ("0C:A6:4C:00:00:01", "hikvision", "EZVIZ"),
        ("00:1F:54:00:00:01", None, "Lorex"),  # a buyer's block says nothing of who built it
        ("38:C4:E8:00:00:01", None, "BCS"),
        ("50:FA:CB:90:00:01", "bosch", None),  # a 28-bit block
        ("50:FA:CB:80:00:01", None, None),
        ("70:B3:D5:2A:D0:01", "opgal", None),  # a 36-bit block
    ],
)
def test_address_blocks(mac: str, maker: str | None, brand: str | None) -> None:
    owner = longest_prefix(mac, MAKERS.oui)
    assert (owner.maker if owner else None, owner.brand if owner else None) == (maker, brand)


@pytest.mark.parametrize("mac", ["3E:EF:8C:00:00:01", "3D:EF:8C:00:00:01"])
def test_local_and_group_addresses_belong_to_nobody(mac: str) -> None:
    assert longest_prefix(mac, {mac.replace(":", "")[:6]: "somebody"}) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4c-11-bf-00-00-0d", "4C:11:BF:00:00:0D"),
        ("4c11.bf00.000d", "4C:11:BF:00:00:0D"),
        ("4C11BF00000D", "4C:11:BF:00:00:0D"),
        ("00:00:00:00:00:00", None),
        ("ff:ff:ff:ff:ff:ff", None),
        ("4c:11:bf", None),
        ("", None),
        ("zz:11:bf:00:00:0d", None),
    ],
)
def test_normal_mac(text: str, expected: str | None) -> None:
    assert normal_mac(text) == expected


GOOD = {
    "maker": "acme",
    "name": "Acme",
    "legal_name": "Acme Ltd.",
    "signals": [
        {
            "see": {"transport": "http", "field": "server", "matches": "^Acme"},
            "strength": "strong",
            "basis": "label",
            "group": "banner",
            "source": "x",
            "yes": [{"transport": "http-header", "data": "Server: Acme"}],
            "no": [{"transport": "http-header", "data": "Server: Best"}],
        }
    ],
}


def changed(**more: object) -> dict[str, object]:
    return {**GOOD, **more}


def test_a_whole_maker_loads() -> None:
    assert len(Makers({"acme": Maker.model_validate(GOOD)})) == 1


@pytest.mark.parametrize(
    "bad",
    [
        changed(colour="red"),  # an unknown key is an error
        changed(signals=[]),  # no proof
        changed(oui="00112G", oui_source="x"),
        changed(oui="001122"),  # no source
        changed(maker="Acme Inc"),
        changed(models=[{"pattern": "("}]),
        changed(clouds=[{"purpose": "p2p", "source": "x"}]),  # no target
        changed(clouds=[{"suffix": "a.example", "host": "b.example", "purpose": "p2p", "source": "x"}]),
        changed(brands=[{"name": "B"}]),  # no source
        changed(signals=[{**GOOD["signals"][0], "yes": [{"transport": "http-header"}]}]),  # type: ignore[index, dict-item]
    ],
)
def test_a_file_that_does_not_fit_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Maker.model_validate(bad)


def test_a_refusal_names_the_file_and_the_field(tmp_path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("maker: x\nname: X\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"x\.yaml: legal_name"):
        read(path, Maker)
