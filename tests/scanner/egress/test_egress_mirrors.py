"""What mirrors and tunnels carry: frames by GRE and Geneve, in whole and in fragmented packets; the rest is counted."""

import io
import struct

import pytest
import wirecraft as craft
from hypothesis import given
from hypothesis import strategies as st

from scanner import egress

SWITCH, COLLECTOR = "02:00:00:00:0B:01", "02:00:00:00:0B:02"
FROM, TO = "192.0.2.1", "192.0.2.2"
CALL = craft.packet(b"x" * 600, "10.0.0.10", "203.0.113.8", 40000, 8800)
CALL6 = craft.packet(b"x", "fd00::10", "2001:db8::8", 40000, 8800)
INNER = (craft.CAMERA, "10.0.0.10", "203.0.113.8", 8800, 1, True)
INNER6 = (craft.CAMERA, "fd00::10", "2001:db8::8", 8800, 1, True)


def gre(payload, kind, *, flags=0, more=b""):
    return struct.pack(">HH", flags, kind) + more + payload


def outer(payload, protocol=47, **options):
    return craft.ethernet(craft.ipv4(payload, FROM, TO, protocol, **options), SWITCH, COLLECTOR)


def outer6(payload, protocol=47):
    return craft.ethernet(craft.ipv6(payload, "2001:db8::1", "2001:db8::2", protocol), SWITCH, COLLECTOR, 0x86DD)


def read(*frames):
    return egress.read(io.BytesIO(craft.pcap(list(frames))))


def talks(capture, *, tunnel=None):
    return {(c.mac, c.source, c.destination, c.port, c.packets, c.tunnel) for c in capture.conversations
            if tunnel is None or c.tunnel is tunnel}


ERSPAN_2 = bytes([0x10, 0x05, 0, 1, 0, 0, 0, 7])
ERSPAN_3 = bytes([0x20, 0x05, 0, 1]) + bytes(6) + b"\0\0"
ERSPAN_3_WITH_MORE = ERSPAN_3[:11] + b"\x01" + bytes(8)
SEQUENCE = (7).to_bytes(4, "big")
GENEVE = bytes([0x02, 0, 0x65, 0x58, 0, 0, 7, 0]) + bytes(8)


@pytest.mark.parametrize("carried", [
    gre(CALL, 0x6558), gre(CALL, 0x6558, flags=0x2000, more=b"\0\x17\x2a\0"),              # bridging, and NVGRE's key
    gre(CALL, 0x6558, flags=0xB000, more=bytes(12)),                                     # checksum, key and sequence
    gre(CALL, 0x88BE), gre(ERSPAN_2 + CALL, 0x88BE, flags=0x1000, more=SEQUENCE),
    gre(ERSPAN_3 + CALL, 0x22EB, flags=0x1000, more=SEQUENCE),
    gre(ERSPAN_3_WITH_MORE + CALL, 0x22EB, flags=0x1000, more=SEQUENCE),
    gre(craft.ethernet(CALL[14:], vlans=[(0x8100, 9)]), 0x6558),
])
@pytest.mark.parametrize("wrap", [outer, outer6])
def test_a_mirrored_frame_belongs_to_its_station(carried, wrap):
    capture = read(wrap(carried))
    assert talks(capture, tunnel=True) == {INNER}
    assert {c.protocol for c in capture.conversations if not c.tunnel} == {"gre"}
    assert (capture.undecoded, capture.packets) == ({}, 1)
    assert capture.addresses[craft.CAMERA] == ("10.0.0.10",)


@pytest.mark.parametrize(("carried", "expected"), [
    (GENEVE + CALL, INNER), (GENEVE + CALL6, INNER6),
    (bytes([0, 0, 0x08, 0, 0, 0, 7, 0]) + CALL[14:], ("", *INNER[1:])),
    (bytes([0, 0x80, 0x86, 0xDD, 0, 0, 7, 0]) + CALL6[14:], ("", *INNER6[1:])),
])
def test_geneve(carried, expected):
    capture = read(outer(craft.udp(carried, 50000, 6081), 17))
    assert talks(capture, tunnel=True) == {expected}
    assert capture.undecoded == {}


@pytest.mark.parametrize("carried", [
    b"\x40" + GENEVE[1:] + CALL, b"\x02\x01" + GENEVE[2:] + CALL, GENEVE[:7] + b"\1" + CALL, b"any other datagram"])
def test_another_protocol_on_that_port_is_a_conversation_like_any_other(carried):
    capture = read(outer(craft.udp(carried, 50000, 6081), 17))
    assert (talks(capture), capture.undecoded) == ({(SWITCH, FROM, TO, 6081, 1, False)}, {})


@pytest.mark.parametrize(("carried", "undecoded"), [
    (gre(b"anything", 0x2000), {"gre 2000": 1}),
    (gre(CALL, 0x6558, flags=0x4000, more=bytes(4)), {"short tunnel": 1}),               # source routing
    (gre(CALL, 0x6558, flags=0x0002), {"short tunnel": 1}),                              # no such version
    (gre(b"\x50" + bytes(30), 0x88BE, flags=0x1000, more=SEQUENCE), {"gre 88be": 1}),
    (gre(ERSPAN_3[:10] + b"\x0c\0" + CALL, 0x22EB, flags=0x1000, more=SEQUENCE), {"gre 22eb": 1}),
    (gre(ERSPAN_2, 0x88BE, flags=0x1000, more=SEQUENCE), {"short tunnel": 1}),
    (b"\0\0\x65", {"short tunnel": 1}), (gre(CALL[:9], 0x6558), {"short frame": 1}),
    (gre(b"", 0), {}), (gre(b"", 0x880B, flags=0x0081 | 0x2000, more=bytes(8)), {}),        # keepalive; acknowledgement
    (gre(b"\xff\x03\xc0\x21\1\1\0\4", 0x880B), {}), (gre(b"\0\xfd\x90\0", 0x880B), {"gre 880b": 1}),
])
def test_what_gre_carries_and_nobody_reads_is_counted(carried, undecoded):
    capture = read(outer(carried))
    assert talks(capture) == {(SWITCH, FROM, TO, 0, 1, False)}
    assert capture.undecoded == undecoded


@pytest.mark.parametrize("ppp", [b"\xff\x03\0\x21", b"\0\x21", b"\x21", b"\xff\x03\x21"])
def test_ppp_inside_gre_with_and_without_its_compressions(ppp):
    capture = read(outer(gre(ppp + CALL[14:], 0x880B, flags=0x3081, more=bytes(12))))
    assert {talk[1:] for talk in talks(capture, tunnel=True)} == {INNER[1:]}


def pieces(body, protocol, size=400, identification=9):
    for at in range(0, len(body), size):
        more = 0x2000 if at + size < len(body) else 0
        yield outer(body[at:at + size], protocol, fragment=more | at // 8, identification=identification)


@pytest.mark.parametrize(("body", "protocol"), [
    (CALL[14:], 4), (gre(CALL[14:], 0x0800), 47), (gre(CALL, 0x6558), 47),
    (gre(ERSPAN_2 + CALL, 0x88BE, flags=0x1000, more=SEQUENCE), 47),
    (craft.udp(b"\x08\0\0\0\0\0\7\0" + CALL, 50000, 4789), 17), (craft.udp(GENEVE + CALL, 50000, 6081), 17)])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_tunnel_whose_packets_were_fragmented_is_looked_into(body, protocol, backwards):
    frames = list(pieces(body, protocol))
    capture = read(*(frames[::-1] if backwards else frames))
    (inner,) = (c for c in capture.conversations if c.tunnel)
    (wrapping,) = (c for c in capture.conversations if not c.tunnel)
    assert (inner.source, inner.destination, inner.port, inner.packets) == ("10.0.0.10", "203.0.113.8", 8800, 1)
    assert inner.bytes == wrapping.bytes == sum(map(len, frames))
    assert (wrapping.packets, capture.undecoded) == (len(frames), {})


def test_fragments_inside_fragments_are_joined_and_stand_inside():
    body, inner = craft.udp(b"v" * 900, 40000, 8800), []
    for at in (0, 480):
        more = 0x2000 if at == 0 else 0
        inner.append(craft.ipv4(body[at:at + 480], "10.0.0.10", "203.0.113.8", 17, more | at // 8, 3))
    frames = [frame for number, one in enumerate(inner) for frame in pieces(one, 4, 200, number)]
    assert {talk[1:] for talk in talks(read(*frames), tunnel=True)} == {("10.0.0.10", "203.0.113.8", 8800, 2, True)}


def test_fragments_in_fragments_end_at_a_bound():
    body = craft.udp(b"v" * 100, 40000, 8800)
    for number in range(8):
        body = craft.ipv4(body, "10.0.0.10", "203.0.113.8", 4 if number else 17, 0x2000, number)
    capture = read(craft.ethernet(body))
    assert capture.undecoded["too many tunnels"] == 1
    assert capture.packets == 1


def fragments(*spans, body=None, last=True, identification=7):
    whole = body or craft.udp(craft.dns_query("a-long-name-for-a-query.cloud.example"), 40000, 53)
    return [craft.ethernet(craft.ipv4(whole[a:b], "10.0.0.10", "10.0.0.1", 17,
                                      (0x2000 if b < len(whole) or not last else 0) | a // 8, identification))
            for a, b in spans]


SPANS = [(0, 16), (16, 32), (32, 200)]


@pytest.mark.parametrize("again", [[0], [1, 1], [0, 1, 2], [2]])
@pytest.mark.parametrize("after", [1, 3])
def test_fragments_sent_again_join_the_conversation_they_belong_to(again, after):
    parts = fragments(*SPANS)
    capture = read(*parts[:after], *(parts[n] for n in again), *parts[after:])
    (talk,) = capture.conversations
    assert (talk.port, talk.packets) == (53, 3 + len(again))
    assert capture.names[craft.CAMERA].dns.keys() == {"a-long-name-for-a-query.cloud.example"}
    assert capture.undecoded == {}


@pytest.mark.parametrize("spans", [[(0, 16), (8, 32), (32, 200)], [(0, 16), (0, 24), (16, 32), (32, 200)]])
def test_fragments_that_contradict_each_other_are_not_joined_but_counted(spans):
    capture = read(*fragments(*spans))
    assert capture.names == {}
    assert capture.undecoded == {"overlapping fragments": 1}
    assert {c.port for c in capture.conversations} == {53}
    assert sum(c.packets for c in capture.conversations) == len(spans)


def test_a_number_that_is_used_again_is_another_datagram():
    other = craft.udp(craft.dns_query("another-name-that-is-asked-for.cloud.example"), 40000, 53)
    capture = read(*fragments(*SPANS), *fragments(*SPANS, body=other))
    assert set(capture.names[craft.CAMERA].dns) == {"a-long-name-for-a-query.cloud.example",
                                                    "another-name-that-is-asked-for.cloud.example"}


def test_options_behind_the_fragment_header_are_stepped_over():
    rest = b"\x11\0" + bytes(6) + craft.udp(b"q" * 64, 40000, 7777)

    def part(start, end, more):
        head = bytes([60, 0]) + (start | more).to_bytes(2, "big") + b"\0\0\0\x09"
        return craft.ethernet(craft.ipv6(rest[start:end], "fd00::10", "2001:db8::7", 17, head, 44), kind=0x86DD)
    (talk,) = read(part(0, 40, 1), part(40, len(rest), 0)).conversations
    assert (talk.protocol, talk.port, talk.packets) == ("udp", 7777, 2)


AUTHENTICATED = b"\x11\x04\0\0\0\0\0\1\0\0\0\1" + bytes(12) + craft.udp(b"x", 40000, 7777)


@pytest.mark.parametrize("frames", [
    [craft.ethernet(craft.ipv4(AUTHENTICATED, "10.0.0.10", "203.0.113.8", 51))],
    [craft.ethernet(craft.ipv6(AUTHENTICATED, "fd00::10", "2001:db8::8", 51), kind=0x86DD)],
    [craft.ethernet(craft.ipv4(AUTHENTICATED[a:b], "10.0.0.10", "203.0.113.8", 51, fragment, 5))
     for a, b, fragment in ((0, 24, 0x2000), (24, 99, 3))]])
def test_the_authentication_header_is_stepped_over(frames):
    (talk,) = read(*frames).conversations
    assert (talk.protocol, talk.port, talk.packets) == ("udp", 7777, len(frames))


@given(st.binary(max_size=90), st.sampled_from([0x0800, 0x86DD, 0x6558, 0x88BE, 0x22EB, 0x880B, 0]),
       st.sampled_from([0, 0x1000, 0x2000, 0xB000, 0x4000, 0x3081]))
def test_no_octets_in_a_tunnel_raise(octets, kind, flags):
    assert read(outer(gre(octets, kind, flags=flags)), outer(craft.udp(octets, 50000, 6081), 17)).packets == 2


@given(st.lists(st.tuples(st.integers(0, 6), st.binary(min_size=1, max_size=60), st.booleans(), st.integers(0, 2)),
                max_size=12), st.sampled_from([4, 6, 17, 41, 47, 51]))
def test_no_fragments_raise_and_every_one_is_counted(parts, protocol):
    frames = [outer(body, protocol, fragment=place | 0x2000 * more, identification=number)
              for place, body, more, number in parts]
    capture = read(*frames)
    whole = sum(1 for place, _, more, _ in parts if not place and not more)
    outside = sum(c.packets for c in capture.conversations if not c.tunnel)
    assert outside + capture.undecoded.get("no transport", 0) + whole >= len(parts)
