"""Databases of countries and owners as several publishers lay them out, and damaged ones: never a traceback."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from camvet.cli import main
from camvet.context import UsageError
from camvet.geography import Geography

NETWORK, ADDRESS = "203.0.113.0/24", "203.0.113.9"


def database(path, row, *, version=4, network=NETWORK):
    writer = MMDBWriter(version, "made-by-a-test", ipv4_compatible=version == 6)
    writer.insert_network(IPSet([network]), row)
    writer.to_db_file(str(path))
    return path


@pytest.mark.parametrize(("row", "expected"), [
    ({"country": {"iso_code": "CN", "names": {"en": "China"}}}, ("CN", None)),
    ({"registered_country": {"iso_code": "US"}}, ("US", None)),
    ({"country": {"names": {"en": "China"}}, "registered_country": {"iso_code": "US"}}, ("US", None)),
    ({"country": "CN", "country_name": "China", "as_name": "Example Hosting"}, ("CN", "Example Hosting")),
    ({"country": "China", "country_code": "CN", "as_name": "Example Hosting", "as_domain": "host.example"},
     ("CN", "Example Hosting")),
    ({"country_code": "cn", "as_domain": "host.example"}, ("CN", "host.example")),
    ({"autonomous_system_number": 64500, "autonomous_system_organization": "Example Hosting"},
     (None, "Example Hosting")),
    ({"country": "China"}, (None, None)),
    ({"country": 7, "as_name": ""}, (None, None)),
    ("text", (None, None)),
])
def test_what_each_publisher_calls_it(tmp_path, row, expected):
    known = Geography([database(tmp_path / "x.mmdb", row)])
    assert known.of(ADDRESS) == expected
    assert known.of("198.51.100.1") == (None, None)


def test_an_ipv6_address_is_asked_of_those_that_hold_any(tmp_path):
    known = Geography([database(tmp_path / "4.mmdb", {"country": "US"}),
                       database(tmp_path / "6.mmdb", {"country": "CN"}, version=6, network="2001:db8::/32")])
    assert known.of("2001:db8::9") == ("CN", None)
    assert known.of(ADDRESS) == ("US", None)


def test_a_damaged_search_tree_is_one_line_and_a_usage_error(tmp_path, capsys):
    path = database(tmp_path / "x.mmdb", {"country": "CN"})
    data = bytearray(path.read_bytes())
    data[3:6] = b"\xff\xff\xff"                          # the first node leads beyond the file
    path.write_bytes(data)
    with pytest.raises(UsageError, match="this database is damaged"):
        Geography([path])
    log = tmp_path / "flows.log"
    log.write_text("2 1 eni-0a 10.0.0.5 203.0.113.9 50000 443 6 6 800 1795341600 1795341660 ACCEPT OK\n")
    with pytest.raises(SystemExit) as end:
        main(["--db", f"sqlite:///{tmp_path}/c.db", "egress", str(log), "--geoip", str(path)])
    said = capsys.readouterr()
    assert (end.value.code, said.out) == (2, "")
    assert said.err.count("\n") == 1


def opened(path):
    """What the database says of the address; None where it was refused as it should be."""
    try:
        return Geography([path]).of(ADDRESS)
    except UsageError:
        return None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_anywhere_is_a_usage_error_or_no_harm(tmp_path, data):
    path = database(tmp_path / "x.mmdb", {"country": {"iso_code": "CN"}, "as_name": "Example Hosting"})
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[:data.draw(st.integers(1, len(raw)))] if data.draw(st.booleans()) else raw)
    known = opened(path)
    if known is not None:
        country, owner = known
        assert country is None or len(country) == 2
        assert owner is None or isinstance(owner, str)
