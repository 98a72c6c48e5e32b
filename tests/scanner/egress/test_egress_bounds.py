"""Tables that spoofed senders fill stay within their bounds, and say what they dropped."""

import gc
import io

import wirecraft as craft

from scanner import egress
from scanner.collection import no_collection
from scanner.egress import crowds, fragments, tables


def capture_of(frames):
    return egress.read(io.BytesIO(craft.pcap(frames)))


def spoofed(number):
    return f"02:00:00:00:{number >> 8:02x}:{number & 0xFF:02x}"


def test_many_macs_behind_one_address_are_counted(monkeypatch):
    monkeypatch.setattr(tables, "MAX_ADDRESSES", 10)
    capture = capture_of([craft.packet(b"x", "10.0.0.10", "203.0.113.8", 40000, 8800,
                                       macs=(spoofed(number), craft.GATEWAY)) for number in range(40)])
    assert len(capture.addresses) == 10
    assert capture.drops == {"addresses": 30}


def test_many_macs_that_seek_addresses_are_counted(monkeypatch):
    monkeypatch.setattr(tables, "MAX_SOUGHT", 5)

    def request(number, target):
        mac = craft.mac(spoofed(number))
        body = b"\0\1\x08\0\6\4\0\1" + mac + bytes([10, 0, 0, 2]) + bytes(6) + bytes([10, 0, 1, target])
        return craft.ethernet(body, spoofed(number), "ff:ff:ff:ff:ff:ff", 0x0806)
    capture = capture_of([request(number, 1) for number in range(12)] + [request(0, target) for target in range(9)])
    assert len(capture.asked) == 5
    assert capture.asked[spoofed(0).upper()] == 5
    assert capture.drops == {"arp": 7 + 4}


def test_answers_beyond_the_bound_leave_no_clients_behind(monkeypatch):
    monkeypatch.setattr(tables, "MAX_ANSWERS", 3)
    answers = tables.Answers()
    for client in range(50):
        answers.learn(client, 7, ["a.example"])
    assert (len(answers.names), answers.count, answers.dropped) == (3, 3, 47)


def test_who_opened_a_flow_is_remembered_for_the_youngest(monkeypatch):
    monkeypatch.setattr(tables, "MAX_FLOWS", 8)
    flows = tables.Initiators()
    for flow in range(20):
        flows.set(flow, flow % 2 == 0)
    assert flows.get(19) is False
    assert flows.get(18) is True
    assert flows.get(0) is None
    assert len(flows.young) + len(flows.old) <= 8


def test_the_collector_runs_again_afterwards():
    assert gc.isenabled()
    with no_collection():
        assert not gc.isenabled()
        with no_collection():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_many_flows_are_remembered_and_asked_for_at_once_as_one_by_one(monkeypatch):
    monkeypatch.setattr(tables, "MAX_FLOWS", 8)
    single, together = tables.Initiators(), tables.Initiators()
    for begin in range(0, 30, 3):
        flows = list(range(begin, begin + 3))
        together.set_all(flows, [flow % 2 == 0 for flow in flows])
        for flow in flows:
            single.set(flow, flow % 2 == 0)
        asked = [*flows, begin - 1, 99]
        assert together.get_all(asked) == [single.get(flow) for flow in asked]
    assert (together.young, together.old, together.evicted) == (single.young, single.old, single.evicted)


def test_an_address_keeps_the_names_it_was_given_first(monkeypatch):
    monkeypatch.setattr(tables, "MAX_NAMES", 3)
    answers = tables.Answers()
    for names in (["a.example", "b.example"], ["b.example"], [], ["c.example", "d.example"]):
        answers.learn(1, 7, names)
    assert answers.names == {1: {7: ("a.example", "b.example", "c.example")}}
    assert (answers.count, answers.dropped) == (1, 0)


def test_devices_that_said_least_are_left_out_and_counted(monkeypatch):
    monkeypatch.setattr(crowds, "MAX_DEVICES", 3)
    frames = [craft.packet(craft.dns_query(f"n{number}.example"), f"10.0.0.{number + 10}", "10.0.0.1", 40000, 53,
                           macs=(spoofed(number), craft.GATEWAY))
              for number in range(9) for _ in range(1 + number // 7)]
    capture = capture_of([*frames, craft.packet(b"x", "10.0.0.14", "203.0.113.8", 1, 8800,
                                                macs=(spoofed(4), craft.GATEWAY))])
    kept = {spoofed(number) for number in (4, 7, 8)}
    assert {c.mac for c in capture.conversations} == set(capture.names) == kept
    assert capture.drops == {"conversations": 6, "devices": 6}
    assert (capture.dropped, capture.complete) == (12, False)


def test_callers_from_outside_are_no_devices(monkeypatch):
    monkeypatch.setattr(crowds, "MAX_DEVICES", 3)
    frames = [craft.packet(b"x", f"203.0.113.{number}", "10.0.0.10", 40000, 8800, macs=(craft.GATEWAY, craft.CAMERA))
              for number in range(1, 40)]
    capture = capture_of([craft.packet(b"x", "10.0.0.10", "10.0.0.1", 40000, 8800), *frames])
    assert len(capture.conversations) == 40
    assert capture.drops == {}


def test_what_senders_beyond_the_bound_ask_for_takes_no_room(monkeypatch):
    monkeypatch.setattr(tables, "MAX_ASKERS", 2)
    monkeypatch.setattr(tables, "MAX_QUESTIONS", 4)
    frames = [craft.packet(craft.dns_query(f"n{number}.example"), f"10.0.0.{number + 10}", "10.0.0.1", 40000, 53,
                           macs=(spoofed(number), craft.GATEWAY)) for number in range(30)]
    late = craft.packet(craft.dns_query("late.example"), "10.0.0.10", "10.0.0.1", 40000, 53,
                        macs=(spoofed(0), craft.GATEWAY))
    capture = capture_of([*frames, late])
    assert set(capture.names) == {spoofed(0), spoofed(1)}
    assert set(capture.names[spoofed(0)].dns) == {"n0.example", "late.example"}
    assert capture.drops == {"names": 28}


def test_fragments_that_wait_are_bound_in_octets(monkeypatch):
    monkeypatch.setattr(fragments, "MAX_OCTETS", 1_000)
    frames = [craft.ethernet(craft.ipv4(bytes(400), "10.0.0.10", "203.0.113.5", 17, 0x2000, number))
              for number in range(9)]
    capture = capture_of(frames)
    assert capture.drops == {"fragments": 7}
    assert sum(c.packets for c in capture.conversations) == 9
