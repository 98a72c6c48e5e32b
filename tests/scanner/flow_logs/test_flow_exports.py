"""NetFlow 5, NetFlow 9 and IPFIX: every form a field can have, and octets that mean harm."""

import io
import struct
from datetime import UTC, datetime

import exportcraft as craft
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.imports.flow_logs import netflow, read
from scanner.imports.flow_logs.messages import message_size, messages
from scanner.imports.flow_logs.netflow import Exports

NOW = datetime(2026, 11, 22, tzinfo=UTC)
T = 1_795_161_600
NS = 1_000_000_000
PLAIN = ((8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (2, 4), (1, 4))


def plain(source="10.0.0.5", target="203.0.113.9", sport=50000, dport=443, protocol=6, packets=3, octets=300):
    return craft.ip(source) + craft.ip(target) + struct.pack(">HHBII", sport, dport, protocol, packets, octets)


def flows(*data, exports=None, exporter=""):
    exports = exports or Exports()
    return [flow for one in data for flow in exports.read(one, exporter)], exports


def test_version_5_times_follow_from_the_uptime():
    message = craft.v5([{"src": "10.0.0.5", "dst": "203.0.113.9", "first": 990_000, "last": 995_000}], seconds=T)
    (flow,), _ = flows(message)
    assert (flow.source, flow.destination, flow.source_port, flow.destination_port) == (
        "10.0.0.5", "203.0.113.9", 40000, 443)
    assert (flow.start_ns, flow.end_ns) == ((T - 10) * NS, (T - 5) * NS)


def test_the_uptime_of_49_days_wraps():
    message = craft.v5([{"src": "10.0.0.5", "dst": "203.0.113.9", "first": 2**32 - 5_000, "last": 1_000}],
                       seconds=T, uptime=5_000)
    (flow,), _ = flows(message)
    assert (flow.start_ns, flow.end_ns) == ((T - 10) * NS, (T - 4) * NS)


def test_sampled_version_5_is_counted_up_and_said():
    message = craft.v5([{"src": "10.0.0.5", "dst": "203.0.113.9", "first": 1, "last": 2, "packets": 2, "octets": 90}],
                       seconds=T, sampling=0x4000 | 100)
    (flow,), exports = flows(message)
    assert (flow.packets, flow.octets, flow.scale) == (200, 9000, 100)
    assert "1 in 100" in " ".join(exports.notes)


def test_a_template_may_come_after_its_data():
    data = craft.v9([craft.flow_set(300, plain())], seconds=T)
    late = craft.v9([craft.template(300, PLAIN)], seconds=T + 1, sequence=1)
    got, exports = flows(data, late)
    assert [flow.destination for flow in got] == ["203.0.113.9"]
    exports.finish()
    assert not exports.unread


def test_data_without_a_template_is_counted_by_its_number():
    _, exports = flows(craft.v9([craft.flow_set(301, plain())], seconds=T))
    exports.finish()
    assert exports.unread == {"sets of template 301, which never came": 1}


def test_templates_are_an_exporters_own():
    exports = Exports()
    flows(craft.v9([craft.template(300, PLAIN)], seconds=T), exports=exports, exporter="192.0.2.1")
    got, _ = flows(craft.v9([craft.flow_set(300, plain())], seconds=T), exports=exports, exporter="192.0.2.2")
    assert got == []


def test_what_waits_for_templates_is_bounded():
    exports = Exports()
    body = bytes(60_000)
    for number in range(200):
        flows(craft.v9([craft.flow_set(256 + number, body)], seconds=T), exports=exports)
    assert sum(exports.unread.values()) >= 200 - netflow.MAX_WAITING // 60_000


def test_ipfix_variable_and_enterprise_fields_are_stepped_over():
    fields = ((8, 4), (12, 4), (100, 65535, 9), (371, 65535), (4, 1), (7, 2), (11, 2), (2, 3), (152, 8), (153, 8))
    record = (craft.ip("10.0.0.5") + craft.ip("203.0.113.9") + b"\x05hello" + b"\xff\x01\x2c" + bytes(300)
              + struct.pack(">BHH", 17, 40000, 8800) + b"\x00\x01\x00" + struct.pack(">QQ", T * 1000, T * 1000 + 1500))
    got, _ = flows(craft.ipfix([craft.template(400, fields, version=10), craft.flow_set(400, record * 3)], seconds=T))
    assert len(got) == 3
    assert (got[0].packets, got[0].destination_port, got[0].end_ns - got[0].start_ns) == (256, 8800, 1_500_000_000)


def test_a_biflow_tells_of_both_directions_and_who_opened_it():
    fields = (*PLAIN, (2, 4, 29305), (1, 4, 29305), (239, 1))
    forward = plain() + struct.pack(">IIB", 7, 700, 1)
    backward = plain("203.0.113.9", "10.0.0.5", 443, 50000) + struct.pack(">IIB", 7, 700, 2)
    got, _ = flows(craft.ipfix([craft.template(400, fields, version=10), craft.flow_set(400, forward + backward)],
                               seconds=T))
    assert [(f.source, f.destination_port, f.packets, f.back_packets, f.opened) for f in got] == [
        ("10.0.0.5", 443, 3, 7, True), ("10.0.0.5", 443, 7, 3, True)]


def test_ipv6_macs_and_denied_records():
    fields = ((27, 16), (28, 16), (4, 1), (7, 2), (11, 2), (56, 6), (57, 6), (233, 1))
    record = (craft.ip("fd00::5") + craft.ip("2001:db8::9") + struct.pack(">BHH", 6, 50000, 443)
              + bytes.fromhex("0200000000aa") + bytes.fromhex("0200000000bb") + b"\x03")
    (flow,), _ = flows(craft.v9([craft.template(300, fields), craft.flow_set(300, record)], seconds=T))
    assert (flow.source, flow.destination) == ("fd00::5", "2001:db8::9")
    assert (flow.source_mac, flow.destination_mac) == ("02:00:00:00:00:AA", "02:00:00:00:00:BB")
    assert flow.denied


@pytest.mark.parametrize(("numbers", "values", "begun"), [
    ((150, 151), (T, T + 2), T * NS), ((152, 153), (T * 1000 + 7, T * 1000 + 9), T * NS + 7_000_000),
    ((154, 155), ((T + 2_208_988_800) << 32 | 1 << 31, (T + 2_208_988_801) << 32), T * NS + NS // 2),
    ((158, 159), (4_000_000, 2_000_000), (T - 4) * NS), ((322, 322), (T, T), T * NS),
])
def test_every_way_to_say_when(numbers, values, begun):
    sizes = {150: 4, 152: 8, 154: 8, 158: 4, 322: 4}[numbers[0]]
    fields = (*PLAIN, *((number, sizes) for number in dict.fromkeys(numbers)))
    record = plain() + b"".join(value.to_bytes(sizes, "big") for value, _ in zip(values, dict.fromkeys(numbers),
                                                                                  strict=False))
    (flow,), exports = flows(craft.ipfix([craft.template(400, fields, version=10), craft.flow_set(400, record)],
                                         seconds=T))
    assert flow.start_ns == begun
    assert exports.timeless == 0


def test_records_without_a_time_take_that_of_their_message():
    (flow,), exports = flows(craft.ipfix([craft.template(400, PLAIN, version=10), craft.flow_set(400, plain())],
                                         seconds=T))
    assert flow.start_ns == T * NS
    assert "1 records carry no time" in " ".join(exports.notes)


def test_sampling_told_in_options_counts_for_later_records():
    options = struct.pack(">HHHHHHHHH", 500, 4, 8, 1, 4, 34, 4, 35, 1)
    told = craft.flow_set(500, struct.pack(">IIB", 1, 50, 1))
    got, exports = flows(craft.v9([craft.flow_set(1, options), craft.template(300, PLAIN)], seconds=T),
                         craft.v9([told, craft.flow_set(300, plain())], seconds=T, sequence=1))
    assert [(flow.packets, flow.scale) for flow in got] == [(150, 50)]
    assert exports.sampled == {50}


def test_templates_that_would_never_end_are_refused():
    got, exports = flows(craft.v9([craft.template(300, ((8, 0), (12, 0))), craft.flow_set(300, bytes(64))], seconds=T))
    assert got == []
    assert exports.unread["templates whose records have no length"] == 1


def test_the_number_of_templates_is_bounded():
    exports = Exports()
    for first in range(256, 256 + 5000, 500):
        sets = [craft.template(number, ((8, 4), (12, 4))) for number in range(first, first + 500)]
        flows(craft.v9(sets, seconds=T), exports=exports)
    assert exports.unread["templates beyond the number that is kept"] == 5000 - netflow.MAX_TEMPLATES


def test_a_withdrawn_template_reads_no_more():
    exports = Exports()
    flows(craft.ipfix([craft.template(400, PLAIN, version=10)], seconds=T), exports=exports)
    flows(craft.ipfix([craft.flow_set(2, struct.pack(">HH", 400, 0))], seconds=T), exports=exports)
    assert flows(craft.ipfix([craft.flow_set(400, plain())], seconds=T), exports=exports)[0] == []


def test_missing_messages_are_told_by_their_numbers():
    template = craft.template(300, PLAIN)
    exports = Exports()
    flows(craft.v9([template], seconds=T, sequence=10), craft.v9([template], seconds=T, sequence=14), exports=exports)
    assert "3 NetFlow 9 messages missing" in " ".join(exports.notes)


def test_a_file_of_messages_is_read_to_its_damage():
    whole = b"".join((craft.v9([craft.template(300, PLAIN), craft.flow_set(300, plain())], seconds=T),
                      craft.v5([{"src": "10.0.0.6", "dst": "203.0.113.9", "first": 1, "last": 2}], seconds=T),
                      craft.ipfix([craft.template(400, PLAIN, version=10), craft.flow_set(400, plain("10.0.0.7"))],
                                  seconds=T)))
    capture = read(io.BytesIO(whole), now=NOW)
    assert {c.source for c in capture.conversations} == {"10.0.0.5", "10.0.0.6", "10.0.0.7"}
    assert capture.complete
    assert capture.sources[0].form == "NetFlow 9, NetFlow 5, IPFIX"
    cut = read(io.BytesIO(whole[:-3]), now=NOW)
    assert {c.source for c in cut.conversations} == {"10.0.0.5", "10.0.0.6"}
    assert "no whole NetFlow" in cut.trouble


MESSAGES = [
    craft.v9([craft.template(300, PLAIN), craft.flow_set(300, plain() * 3)], seconds=T),
    craft.v5([{"src": "10.0.0.6", "dst": "203.0.113.9", "first": 1, "last": 2}] * 3, seconds=T),
    craft.ipfix([craft.template(400, (*PLAIN, (371, 65535)), version=10), craft.flow_set(400, plain() + b"\x03abc")],
                seconds=T),
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(MESSAGES), min_size=1, max_size=4), st.data())
def test_damage_never_raises_and_never_invents_addresses(whole, data):
    damaged = bytearray(b"".join(whole))
    for _ in range(data.draw(st.integers(0, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    del damaged[data.draw(st.integers(0, len(damaged))):]
    exports = Exports()
    for message in messages(io.BytesIO(bytes(damaged))):
        for flow in exports.read(message):
            assert 0 <= flow.start_ns <= flow.end_ns
            assert flow.source
            assert flow.destination
    exports.finish()


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([b"\x00\x05", b"\x00\x09", b"\x00\x0a"]), st.binary(max_size=400))
def test_garbage_is_no_message_or_reads_to_an_end(version, rest):
    data = version + rest
    size = message_size(data)
    assert 0 <= size <= len(data)
    assert len(list(Exports().read(data))) <= len(data)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([1, 2, 4, 7, 8, 12, 27, 56, 150, 154, 305, 460, 9999]),
                          st.sampled_from([0, 1, 2, 3, 4, 5, 8, 16, 300, 65535])), max_size=12),
       st.binary(max_size=300))
def test_any_template_reads_any_data(fields, body):
    message = craft.ipfix([craft.template(400, fields, version=10), craft.flow_set(400, body)], seconds=T)
    assert len(list(Exports().read(message))) <= len(body) + 4
