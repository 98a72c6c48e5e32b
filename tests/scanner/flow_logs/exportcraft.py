"""Export messages made for the tests: NetFlow 5 and 9 and IPFIX, and what the lab's phone-home traffic is as flows."""

import ipaddress
import struct

V9_FIELDS = ((8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (6, 1), (2, 4), (1, 4), (22, 4), (21, 4), (56, 6), (57, 6))


def template(number, fields, *, version=9, kind=None):
    """A (NetFlow 9 or IPFIX) set with one template; a field is (number, size) or (number, size, enterprise)."""
    body = struct.pack(">HH", number, len(fields))
    for one in fields:
        body += struct.pack(">HH", one[0] | (0x8000 if len(one) == 3 else 0), one[1])
        if len(one) == 3:
            body += struct.pack(">I", one[2])
    return flow_set((0 if version == 9 else 2) if kind is None else kind, body)


def flow_set(number, body):
    body += bytes(-len(body) % 4)
    return struct.pack(">HH", number, len(body) + 4) + body


def v9(sets, *, seconds, uptime=1_000_000, sequence=0, domain=7, count=None):
    sets = list(sets)
    return struct.pack(">HHIIII", 9, count or len(sets), uptime, seconds, sequence, domain) + b"".join(sets)


def ipfix(sets, *, seconds, sequence=0, domain=7):
    body = b"".join(sets)
    return struct.pack(">HHIII", 10, len(body) + 16, seconds, sequence, domain) + body


def v5(records, *, seconds, uptime=1_000_000, sequence=0, sampling=0):
    return struct.pack(">HHIIIIBBH", 5, len(records), uptime, seconds, 0, sequence, 0, 0, sampling) + b"".join(
        struct.pack(">4s4s4sHHIIIIHHBBBBHHBBH", ip(r["src"]), ip(r["dst"]), bytes(4), 1, 2, r.get("packets", 1),
                    r.get("octets", 100), r["first"], r["last"], r.get("sport", 40000), r.get("dport", 443), 0,
                    r.get("flags", 0x1B), r.get("proto", 6), 0, 0, 0, 24, 24, 0) for r in records)


def ip(text):
    return ipaddress.ip_address(text).packed


class Seen:
    """One direction of one flow, as an exporter on the way would have counted it."""

    def __init__(self, at, frame):
        self.first = self.last = at
        self.packets = self.octets = self.flags = 0
        self.source_mac, self.destination_mac = frame[6:12], frame[:6]


def uniflows(sent, started, idle=15.0):
    """IPv4 frames of (at, frame) added up to uniflows, a new one after `idle` seconds; in order of their end."""
    running, done = {}, []
    for at, frame in ((started + one.at, one.frame) for one in sent):
        if frame[12:14] != b"\x08\x00":
            continue
        packet = frame[14:]
        size = (packet[0] & 15) * 4
        ports = packet[size:size + 4] if packet[9] in {6, 17} else bytes(4)
        key = (packet[12:16], packet[16:20], packet[9], ports)
        flow = running.get(key)
        if flow is None or at - flow.last > idle:
            if flow is not None:
                done.append((key, flow))
            flow = running[key] = Seen(at, frame)
        flow.last = at
        flow.packets += 1
        flow.octets += int.from_bytes(packet[2:4], "big")
        flow.flags |= packet[size + 13] if packet[9] == 6 else 0
    done += running.items()
    return sorted(done, key=lambda pair: pair[1].last)


def as_v9(flows, boot, *, per_message=20, with_macs=True):
    """The uniflows as NetFlow 9 messages; the template stands in the first."""
    fields = V9_FIELDS if with_macs else V9_FIELDS[:-2]
    for number in range(0, len(flows), per_message):
        records = b"".join(_record(key, flow, boot, with_macs) for key, flow in flows[number:number + per_message])
        now = flows[min(number + per_message, len(flows)) - 1][1].last + 1
        sets = [template(300, fields)] if number == 0 else []
        yield v9([*sets, flow_set(300, records)], seconds=int(now), uptime=int((int(now) - boot) * 1000),
                 sequence=number // per_message)


def _record(key, flow, boot, with_macs):
    source, destination, protocol, ports = key
    return source + destination + ports + struct.pack(
        ">BBIIII", protocol, flow.flags, flow.packets, flow.octets, int((flow.first - boot) * 1000),
        int((flow.last - boot) * 1000)) + (flow.source_mac + flow.destination_mac if with_macs else b"")
