"""Capture files: byte orders, resolutions, link types, and every kind of damage."""

import gzip
import io

import pytest
import wirecraft as craft
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner import egress
from scanner.egress import fragments, readers
from scanner.egress.batches import MAX_FRAME
from scanner.egress.readers import CaptureReader

UDP_OUT = craft.packet(b"o", "10.0.0.10", "203.0.113.8", 40000, 8800)
QUERY = craft.packet(craft.dns_query("time.example.org"), "10.0.0.10", "10.0.0.1", 40000, 53)


def read(data):
    return egress.read(io.BytesIO(data))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("nanoseconds", "expected"), [
    (False, 1_700_000_000_000_005_000), (True, 1_700_000_000_000_000_005)])
def test_both_orders_and_both_resolutions(order, nanoseconds, expected):
    capture = read(craft.pcap([QUERY], order, nanoseconds))
    assert capture.complete
    assert capture.packets == 1
    assert capture.first_ns == expected


def test_by_path_and_a_missing_file(tmp_path):
    path = tmp_path / "a.pcap"
    path.write_bytes(craft.pcap([QUERY]))
    assert egress.read(path).packets == 1
    assert egress.read(str(path)).packets == 1
    with pytest.raises(FileNotFoundError):
        egress.read(tmp_path / "none.pcap")


@pytest.mark.parametrize(("data", "trouble"), [
    (b"", "empty file"),
    (b"GIF89a", "not a capture file"),
    (craft.pcap([QUERY])[:20], "cut short in the file header"),
    (craft.pcap([QUERY, QUERY])[:-1], "cut short in a frame"),
    (craft.pcap([QUERY]) + b"\0\0\0", "cut short in a record header"),
    (craft.pcap([QUERY]) + b"\0" * 8 + b"\xff" * 8, f"damaged record: {0xFFFFFFFF} octets in one frame"),
])
def test_damage_gives_a_partial_answer_that_says_so(data, trouble):
    capture = read(data)
    assert capture.trouble == trouble
    assert not capture.complete
    assert capture.packets == (1 if len(data) > 40 and data[:1] == b"\xd4" else 0)


def test_a_frame_of_the_largest_size_is_read_and_one_octet_more_is_damage():
    largest = QUERY + bytes(MAX_FRAME - len(QUERY))
    assert read(craft.pcap([largest])).packets == 1
    assert read(craft.pcap([largest + b"\0"])).trouble.startswith("damaged record")


def link(number, *frames):
    return read(craft.pcap(list(frames), link=number))


UDP4 = craft.ipv4(craft.udp(b"x", 40000, 53), "10.0.0.10", "10.0.0.1", 17)
UDP6 = craft.ipv6(craft.udp(b"x", 40000, 53), "fd00::10", "fd00::1", 17)
SLL = b"\0\0\0\1\0\6" + craft.mac(craft.CAMERA) + b"\0\0" + b"\x08\x00"
SLL2 = b"\x86\xdd\0\0\0\0\0\2\0\1\4\6" + craft.mac(craft.CAMERA) + b"\0\0"
SNAP = b"\xaa\xaa\x03\0\0\0\x08\0"
TO_DS = b"\x08\x01\0\0" + craft.mac(craft.LAPTOP) + craft.mac(craft.CAMERA) + craft.mac(craft.GATEWAY) + b"\0\0"
FROM_DS_QOS = (b"\x88\x02\0\0" + craft.mac(craft.LAPTOP) + craft.mac(craft.GATEWAY) + craft.mac(craft.CAMERA)
               + b"\0\0\0\0")
RADIOTAP = b"\0\0\x0c\0" + bytes(8)


@pytest.mark.parametrize(("number", "data", "source", "mac"), [
    (1, craft.ethernet(UDP4), "10.0.0.10", craft.CAMERA),
    (1, craft.ethernet(UDP4, vlans=[(0x8100, 20)]), "10.0.0.10", craft.CAMERA),
    (1, craft.ethernet(UDP6, kind=0x86DD, vlans=[(0x88A8, 5), (0x8100, 20)]), "fd00::10", craft.CAMERA),
    (1, craft.ethernet(b"\x11\0\0\x07\0\x20\0\x21" + UDP4, kind=0x8864), "10.0.0.10", craft.CAMERA),
    (1, craft.ethernet(b"\0\x01\0\x40\0\x02\x01\x40" + UDP4, kind=0x8847), "10.0.0.10", craft.CAMERA),
    (113, SLL + UDP4, "10.0.0.10", craft.CAMERA),
    (276, SLL2 + UDP6, "fd00::10", craft.CAMERA),
    (101, UDP4, "10.0.0.10", ""),
    (101, UDP6, "fd00::10", ""),
    (228, UDP4, "10.0.0.10", ""),
    (229, UDP6, "fd00::10", ""),
    (0, b"\x02\0\0\0" + UDP4, "10.0.0.10", ""),
    (9, b"\xff\x03\0\x21" + UDP4, "10.0.0.10", ""),
    (9, b"\x57" + UDP6, "fd00::10", ""),
    (50, b"\xff\x03\0\x57" + UDP6, "fd00::10", ""),
    (127, RADIOTAP + TO_DS + SNAP + UDP4, "10.0.0.10", craft.CAMERA),
    (127, RADIOTAP + FROM_DS_QOS + SNAP + UDP4 + b"FCS!", "10.0.0.10", craft.CAMERA),
    (105, TO_DS + SNAP + UDP4, "10.0.0.10", craft.CAMERA),
])
def test_link_types(number, data, source, mac):
    capture = link(number, data)
    (talk,) = capture.conversations
    assert (talk.source, talk.mac, talk.protocol, talk.port) == (source, mac, "udp", 53)
    assert capture.undecoded == {}


def subframe(packet, padded=True, source=craft.CAMERA):
    body = SNAP[:6] + (b"\x08\0" if packet[0] >> 4 == 4 else b"\x86\xdd") + packet
    whole = craft.mac(craft.GATEWAY) + craft.mac(source) + len(body).to_bytes(2, "big") + body
    return whole + bytes(-len(whole) % 4) * padded


AGGREGATE = b"\x88\x01\0\0" + craft.mac(craft.LAPTOP) * 3 + b"\0\0" + b"\x80\0"
"""To the distribution system, with quality of service: several frames in one."""


@pytest.mark.parametrize(("number", "before"), [(105, b""), (127, RADIOTAP)])
def test_every_frame_of_an_aggregate_is_read_and_no_octet_counted_twice(number, before):
    frame = before + AGGREGATE + subframe(UDP4) + subframe(UDP6, source=craft.LAPTOP) + subframe(UDP4, padded=False)
    capture = link(number, frame)
    assert {(c.mac, c.source, c.port, c.packets, c.tunnel) for c in capture.conversations} == {
        (craft.CAMERA, "10.0.0.10", 53, 2, False), (craft.LAPTOP, "fd00::10", 53, 1, False)}
    assert sum(c.bytes for c in capture.conversations) == len(frame)
    assert (capture.packets, capture.undecoded) == (1, {})


@pytest.mark.parametrize(("rest", "undecoded"), [
    (b"", {"short frame": 1}), (subframe(UDP4)[:30], {"short ip": 1}),
    (craft.mac(craft.GATEWAY) * 2 + b"\0\x04\x42\x42\3\0", {"llc": 1})])
def test_an_aggregate_that_cannot_be_read_is_counted(rest, undecoded):
    assert link(105, AGGREGATE + rest).undecoded == undecoded


def test_frames_beside_an_aggregate_keep_their_stations():
    capture = link(105, TO_DS + SNAP + UDP4, AGGREGATE + subframe(UDP6, source=craft.LAPTOP), TO_DS + SNAP + UDP4)
    assert {(c.mac, c.packets) for c in capture.conversations} == {(craft.CAMERA, 2), (craft.LAPTOP, 1)}


@pytest.mark.parametrize(("present", "fields"), [
    ([0x02], b"\x20"), ([0x03], bytes(8) + b"\x20"), ([0x80000002, 0x80000001, 0x01], b"\x20"),
    ([0x80000003, 0], bytes(8) + b"\x20")])
@pytest.mark.parametrize(("header", "pad"), [(FROM_DS_QOS, 2), (TO_DS, 0)])
def test_the_header_of_80211_may_be_padded(present, fields, header, pad):
    words = b"".join(word.to_bytes(4, "little") for word in present)
    lead = bytes(-(4 + len(words)) % 8) if present[0] & 1 else b""          # the clock stands at a multiple of eight
    size = 4 + len(words) + len(lead) + len(fields)
    before = b"\0\0" + size.to_bytes(2, "little") + words + lead + fields
    (talk,) = link(127, before + header + bytes(pad) + SNAP + UDP4).conversations
    assert (talk.source, talk.mac, talk.port) == ("10.0.0.10", craft.CAMERA, 53)


def test_ip_behind_a_length_and_snap_is_read_on_ethernet_too():
    (talk,) = link(1, craft.ethernet(SNAP + UDP4, kind=8 + len(UDP4))).conversations
    assert (talk.source, talk.mac, talk.port) == ("10.0.0.10", craft.CAMERA, 53)


def cut(frame, kept):
    return craft.pcap([]) + b"\0\x71\x51\x65\5\0\0\0" + kept.to_bytes(4, "little") + len(frame).to_bytes(
        4, "little") + frame[:kept]


SIX = craft.packet(b"x" * 50, "fd00::10", "2001:db8::8", 40000, 8443, "tcp")
FOUR = craft.packet(b"x" * 50, "10.0.0.10", "203.0.113.8", 40000, 8443, "tcp")
WITH_OPTIONS = craft.ethernet(b"\x48" + craft.ipv4(bytes(12) + craft.udp(b"x" * 20, 40000, 8443), "10.0.0.10",
                                                   "203.0.113.8", 17)[1:])
EXTENDED = craft.ethernet(craft.ipv6(craft.udp(b"x" * 9, 40000, 8443), "fd00::10", "2001:db8::8", 17,
                                     b"\x11\0" + bytes(6), 60), kind=0x86DD)


@pytest.mark.parametrize(("frame", "kept", "told", "undecoded"), [
    (FOUR, 34, ("tcp", 0), {"short transport": 1}), (FOUR, 37, ("tcp", 0), {"short transport": 1}),
    (FOUR, 38, ("tcp", 8443), {}), (FOUR, 47, ("tcp", 8443), {}), (FOUR, 48, ("tcp", 8443), {}),
    (SIX, 54, ("tcp", 0), {"short transport": 1}), (SIX, 58, ("tcp", 8443), {}), (SIX, 68, ("tcp", 8443), {}),
    (UDP_OUT, 38, ("udp", 8800), {}), (WITH_OPTIONS, 40, ("udp", 0), {"short transport": 1}),
    (WITH_OPTIONS, 50, ("udp", 8443), {}), (EXTENDED, 56, ("ip-60", 0), {"short ip": 1}),
    (EXTENDED, 66, ("udp", 8443), {})])
def test_of_a_frame_that_was_cut_short_all_is_told_that_was_kept(frame, kept, told, undecoded):
    capture = read(cut(frame, kept))
    (talk,) = capture.conversations
    assert (talk.protocol, talk.port) == told
    assert talk.destination in {"203.0.113.8", "2001:db8::8"}
    assert (talk.packets, talk.bytes) == (1, len(frame))
    assert capture.undecoded == undecoded


@pytest.mark.parametrize(("number", "data", "reason"), [
    (1, b"", "short frame"),
    (1, craft.ethernet(b"", kind=0x88CC), "ethertype 88cc"),
    (1, craft.ethernet(b"", kind=0x0806), "short arp"),
    (1, craft.ethernet(b"\x42\x42\x03", kind=0x0026), "llc"),
    (1, craft.ethernet(b"\x45"), "short ip"),
    (1, craft.ethernet(b"\x41" + UDP4[1:]), "short ip"),
    (1, craft.ethernet(UDP4, vlans=[(0x8100, 1)] * 9), "too many vlan tags"),
    (1, craft.ethernet(craft.ipv4(b"xx", "10.0.0.1", "10.0.0.2", 6)), "short transport"),
    (1, craft.ethernet(craft.ipv6(b"", "fd00::1", "fd00::2", 59), kind=0x86DD), "no transport"),
    (113, b"\0" * 15, "short frame"),
    (127, RADIOTAP + b"\x80\0" + bytes(40), "802.11 without data"),
    (127, RADIOTAP + b"\x08\x41" + bytes(40), "802.11 encrypted"),
    (9, b"\xff\x03\xc0\x21" + bytes(8), "not ip"),
    (299, b"\0" * 60, "link type 299"),
])
def test_what_is_not_decoded_is_named(number, data, reason):
    assert link(number, data).undecoded == {reason: 1}


def test_arp_is_read_and_what_it_looks_for_is_counted():
    def asks(target):
        return craft.ethernet(bytes.fromhex("0001080006040001") + craft.mac(craft.CAMERA) + craft.address("10.0.0.10")
                              + bytes(6) + craft.address(target), kind=0x0806)
    capture = link(1, *(asks(f"10.0.0.{n}") for n in range(20, 50)), asks("10.0.0.20"))
    assert (capture.arp, capture.undecoded) == (31, {})
    assert capture.asked == {craft.CAMERA: 30}
    assert capture.addresses == {craft.CAMERA: ("10.0.0.10",)}


def test_a_tunnel_shows_where_it_goes_and_what_is_inside():
    inner = craft.ipv4(craft.udp(b"x", 40000, 32100), "10.8.0.2", "203.0.113.8", 17)
    frames = [craft.ethernet(craft.ipv4(b"\0\0\x08\0" + inner, "10.0.0.10", "198.51.100.9", 47)),
              craft.ethernet(craft.ipv4(inner, "10.0.0.10", "198.51.100.10", 4))]
    talks = {(c.destination, c.protocol, c.port, c.tunnel) for c in link(1, *frames).conversations}
    assert talks == {("198.51.100.9", "gre", 0, False), ("198.51.100.10", "ipip", 0, False),
                     ("203.0.113.8", "udp", 32100, True)}


def test_ipv6_extension_headers_are_walked():
    hop = b"\x2c\x00" + bytes(6)                      # hop-by-hop, then a fragment header at offset 0
    whole = b"\x11\x00\x00\x00" + bytes(4)
    data = craft.ipv6(craft.udp(b"x", 40000, 53), "fd00::1", "fd00::2", 17, extensions=hop + whole, first=0)
    (talk,) = link(229, data).conversations
    assert talk.port == 53


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_fragments_are_joined_in_any_order(order):
    body = craft.udp(craft.dns_query("a-long-name-for-a-query.cloud.example"), 40000, 53)
    cuts = [(0, 16, 0x2000), (16, 32, 0x2000), (32, len(body), 0)]
    frames = [craft.ethernet(craft.ipv4(body[a:b], "10.0.0.10", "10.0.0.1", 17, more | a // 8, 7)) for a, b,
              more in cuts]
    capture = link(1, *(frames[n] for n in order))
    (talk,) = capture.conversations
    assert (talk.port, talk.packets) == (53, 3)
    assert capture.names[craft.CAMERA].dns == {"a-long-name-for-a-query.cloud.example": 1}


def test_a_fragment_that_stays_alone_keeps_its_destination():
    capture = link(1, craft.ethernet(craft.ipv4(b"later part", "10.0.0.10", "203.0.113.5", 17, fragment=100)))
    (talk,) = capture.conversations
    assert (talk.destination, talk.protocol, talk.port, talk.packets) == ("203.0.113.5", "udp", 0, 1)


def test_ipv6_fragments_are_joined():
    body = craft.udp(craft.dns_query("six.cloud.example"), 40000, 53)
    def part(start, end, more):
        head = bytes([17, 0]) + (start | more).to_bytes(2, "big") + b"\0\0\0\x09"
        return craft.ipv6(body[start:end], "fd00::10", "fd00::1", 17, extensions=head, first=44)
    capture = link(229, part(0, 24, 1), part(24, len(body), 0))
    assert capture.names["fd00::10"].dns == {"six.cloud.example": 1}


def test_too_many_datagrams_in_pieces_are_counted(monkeypatch):
    monkeypatch.setattr(fragments, "MAX_DATAGRAMS", 4)
    pieces = [craft.ethernet(craft.ipv4(bytes(24), "10.0.0.10", "203.0.113.5", 17, 0x2000, n)) for n in range(9)]
    capture = link(1, *pieces)
    assert capture.drops == {"fragments": 5}
    assert sum(c.packets for c in capture.conversations) == 9


def test_ethernet_padding_is_no_payload():
    padded = craft.ethernet(craft.ipv4(craft.udp(b"", 40000, 32100), "10.0.0.10", "203.0.113.5", 17)) + b"\xf1\x00\0\0"
    (talk,) = link(1, padded).conversations
    assert talk.signs == ()


def test_a_mapped_address_is_read_as_ipv4():
    (talk,) = link(229, craft.ipv6(craft.udp(b"", 1, 2), "::ffff:10.0.0.1", "::ffff:203.0.113.5", 17)).conversations
    assert (talk.source, talk.destination) == ("10.0.0.1", "203.0.113.5")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("resolution", "ticks", "expected"), [
    (None, 1_700_000_000_000_005, 1_700_000_000_000_005_000), (9, 1_700_000_000_000_000_005, 1_700_000_000_000_000_005),
    (3, 1_700_000_000_005, 1_700_000_000_005_000_000),
    (0x80 | 10, 1_700_000_000 * 1024 + 512, 1_700_000_000_500_000_000),
])
def test_pcapng_in_both_orders_and_any_resolution(order, resolution, ticks, expected):
    data = (craft.section(order) + craft.interface(1, resolution, order=order) + craft.block(0xBAD, b"other", order)
            + craft.enhanced(QUERY, ticks, order=order))
    capture = read(data)
    assert (capture.trouble, capture.packets, capture.first_ns) == ("", 1, expected)


def test_pcapng_with_several_interfaces_and_sections():
    frames = (craft.section() + craft.interface(1) + craft.interface(101, offset=1_000)
              + craft.enhanced(QUERY, 5, 0) + craft.enhanced(UDP4, 6, 1) + craft.section(">")
              + craft.interface(229, order=">") + craft.enhanced(UDP6, 7, 0, ">")
              + craft.block(3, (len(UDP6)).to_bytes(4, "big") + UDP6, ">"))
    capture = read(frames)
    assert (capture.packets, capture.trouble) == (4, "")
    assert capture.last_ns == 1_000_000_006_000
    assert {c.source for c in capture.conversations} == {"10.0.0.10", "fd00::10"}


def test_pcapng_packets_before_a_damaged_one_are_kept():
    begin = craft.section() + craft.interface() + craft.interface()
    good = [craft.enhanced(QUERY, n, n % 2) for n in range(5)]
    whole = craft.enhanced(QUERY, 9)
    for bad in (craft.enhanced(QUERY, 9, 2), whole[:20] + b"\xff\xff\0\0" + whole[24:]):
        capture = read(begin + b"".join(good) + bad + good[0])
        assert (capture.packets, capture.trouble) == (5, "damaged packet block")


def test_pcapng_packets_keep_their_order_around_other_blocks():
    answer = craft.packet(b"r", "203.0.113.8", "10.0.0.10", 8800, 40000, macs=(craft.GATEWAY, craft.CAMERA))
    simple = craft.block(3, len(answer).to_bytes(4, "little") + answer)
    capture = read(b"".join((craft.section(), craft.interface(), craft.enhanced(UDP_OUT, 5), simple,
                             craft.enhanced(UDP_OUT, 9), craft.block(0xBAD, b"other"),
                             craft.enhanced(UDP_OUT, 2**40))))
    (talk,) = capture.conversations
    assert (talk.packets, talk.packets_out, talk.first_ns, talk.last_ns) == (4, 3, 5_000, 2**40 * 1_000)


def test_pcapng_statistics_say_what_was_lost():
    statistics = craft.block(5, bytes(12) + b"\x05\0\x08\0" + (7).to_bytes(8, "little"))
    capture = read(craft.section() + craft.interface() + craft.enhanced(QUERY, 5) + statistics)
    assert capture.lost == 7
    assert not capture.complete


@pytest.mark.parametrize(("data", "trouble"), [
    (craft.section() + craft.interface() + craft.enhanced(QUERY, 1)[:-5], "cut short in a block"),
    (craft.section() + b"\x06\0\0\0\x07\0\0\0" + bytes(20), "damaged block: 7 octets"),
    (craft.section() + craft.enhanced(QUERY, 1), "damaged packet block"),
    (b"\x0a\x0d\x0d\x0a" + bytes(40), "damaged section header"),
])
def test_damaged_pcapng_says_so(data, trouble):
    assert read(data).trouble == trouble


def test_gzip_is_read_and_damage_in_it_is_said():
    packed = gzip.compress(craft.pcap([QUERY] * 5))
    assert read(packed).packets == 5
    assert read(packed[:-20]).trouble.startswith("damaged gzip data")
    assert read(gzip.compress(craft.section() + craft.interface() + craft.enhanced(QUERY, 1))).packets == 1


def test_a_capture_longer_than_the_buffer_is_read_whole(monkeypatch):
    monkeypatch.setattr(readers, "CHUNK", 400)
    monkeypatch.setattr(readers, "MOST", 3)
    frames = [craft.packet(b"x" * (n % 90), "10.0.0.10", "203.0.113.8", 40000, 8800) for n in range(100)]
    capture = read(craft.pcap(frames))
    assert (capture.packets, capture.conversations[0].packets, capture.trouble) == (100, 100, "")


def test_several_files_add_up(tmp_path):
    for number in range(2):
        (tmp_path / f"{number}.pcap").write_bytes(craft.pcap([QUERY], start=1_700_000_000 + number))
    (tmp_path / "cut.pcap").write_bytes(craft.pcap([QUERY])[:-3])
    capture = egress.read(tmp_path / "0.pcap", tmp_path / "1.pcap", tmp_path / "cut.pcap")
    assert (capture.packets, capture.seconds, capture.trouble) == (2, 1.0, "cut.pcap: cut short in a frame")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([0, 1, 9, 12, 51, 101, 105, 113, 127, 204, 228, 229, 276, 999]))
def test_no_octets_make_a_frame_raise(data, number):
    assert link(number, data).packets == 1


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_no_octets_make_a_file_raise(tail):
    data = craft.pcap([QUERY]) + tail
    capture = read(data)
    assert capture.packets >= 1
    talked = sum(c.packets for c in capture.conversations if not c.tunnel)
    twice = sum(capture.undecoded.get(reason, 0) for reason in ("short arp", "short transport"))
    unread = sum(capture.undecoded.values()) - twice
    assert unread + talked + capture.arp == capture.packets


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_flipped_octet_never_raises(data):
    octets = bytearray(craft.pcap([QUERY, craft.packet(craft.client_hello("a.example.org"), "10.0.0.10", "203.0.113.9",
                                                       40000, 443, "tcp")]))
    octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    assert read(bytes(octets)).packets <= len(octets) // 16      # a changed length may show records where none began


def test_a_reader_says_nothing_of_trouble_where_there_is_none():
    reader = CaptureReader(io.BytesIO(craft.pcap([])))
    assert list(reader) == []
    assert reader.trouble == ""


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_no_octets_make_a_pcapng_file_raise(tail):
    assert read(craft.section() + craft.interface() + craft.enhanced(QUERY, 1) + tail).packets >= 1


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(14, 90), st.integers(1, 120)), min_size=1, max_size=12), st.integers(0, 200))
def test_runs_of_one_length_are_read_like_any_other_frames(runs, cut):
    frames = [bytes([number % 256]) * size for size, count in runs for number in range(count)]
    data = craft.pcap(frames)
    reader = CaptureReader(io.BytesIO(data[:len(data) - cut]))
    read_back = [batch.cut(at, at + size) for batch in reader
                 for at, size in zip(batch.at.tolist(), batch.kept.tolist(), strict=True)]
    left, whole = len(data) - cut - 24, []
    for frame in frames:
        left -= 16 + len(frame)
        if left < 0:
            break
        whole.append(frame)
    assert read_back == whole
    assert bool(reader.trouble) == (len(whole) < len(frames) and left + 16 + len(frames[len(whole)]) != 0)
