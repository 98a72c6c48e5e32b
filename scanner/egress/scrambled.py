"""Peer-to-peer protocols under the scrambling their makers ship, undone far enough to see the form beneath.

PPPP of CS2 Network is XORed with a table that all implementations share; four numbers made of a key that apps carry in
the clear choose from it, and each octet of what was sent decides about the next. IOTC of ThroughTek turns every 16
octets over with a sentence that stands in its library. Neither hides anything from somebody who knows them, which is
everybody: table, keys and sentence were published by several independent readers of the libraries. Only the first
octets of a datagram are looked at, and nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from scanner.egress.batches import Bools, Ints

__all__ = ["PPPP_KEYS", "PPPP_TABLE", "begins_like_pppp", "iotc_beneath", "is_pppp_beneath", "may_be_iotc",
           "pppp_numbers", "rotated"]

PPPP_TABLE = np.array(list(bytes.fromhex(
    "7c9ce84a13dedcb22f2123e4307b3d8cbc0b270c3cf79ae7087196009785efc1"
    "1fc4dba1c2ebd901faba3b05b81587832872d18b5ad6da9358feaacc6e1bf0a3"
    "88ab43c00db545384f502266207f075b14981d9ba72ab9a8cbf1fc4947063eb1"
    "0e043a945eee541134dd4df9ecc7c9e3781a6f706ba4bda95dd5f8e5bb26af42"
    "37d8e1020aae5f1cc573094e6924906d12b319ad748a2940f52dbea559e0f479"
    "d24bce8982488425c6912ba2fb8fe9a6b09e3f65f603312eac0f952c5ced39b7"
    "336c567eb4a0fd7a815351868d9f77ff6a80dfe2bf10d775645776f355cdd0c8"
    "18e6364162cf99f2324c67606192cad3ea637d16b68ed46835c3529d46441e17")), np.int64)
"""The table every implementation of PPPP scrambles with; each octet stands in it once."""

PPPP_KEYS = ("SSD@cs2-network.", "camera", "SHIX", "@@@@....", "VMSV", "FERRY@88", "mycamera", "Deng123abc", "Duncom",
             "JX20130716", "hyWHzyhtzH", "JYDGAOZHANP2P", "SZGMBESTER", "aqarakr19kn")
"""Published keys: that of the servers, and those of sellers' networks by the prefix of their device numbers."""

_SIZES: dict[int, tuple[int, ...]] = {                       # of the messages a device or its servers send in the clear
    0x00: (0,), 0x01: (16,), 0x02: (16,), 0x03: (0,), 0x08: (0,), 0x09: (20,), 0x10: (36, 40, 152), 0x11: (4, 8),
    0x12: (40, 44), 0x13: (4, 8), 0x14: (40, 44), 0x15: (4, 8), 0x16: (40, 44), 0x18: (20,), 0x19: (4, 8, 20),
    0x20: (36, 152), 0x21: (4,), 0x26: (36, 40, 44), 0x30: (0,), 0x31: (20,), 0x32: (0,), 0x33: (52,), 0x35: (20,),
    0x40: (16,), 0x41: (20,), 0x42: (20,), 0x43: (0, 20), 0x60: (28,), 0x61: (4, 8), 0x62: (44,), 0x63: (4, 8),
    0x67: (20,), 0x68: (20,), 0x70: (0,), 0x71: (0,), 0x72: (0,), 0x73: (8,), 0x80: (40, 160), 0x81: (4, 8),
    0x82: (36, 40), 0x83: (28,), 0x84: (20,), 0x91: (20,), 0xA0: (4, 8, 20), 0xE0: (0,), 0xE1: (0,), 0xF0: (0,),
    0xF9: (84,),
}
_MAGIC, _DATA, _DATA_ACK, _DATA_MARK = 0xF1, 0xD0, 0xD1, 0xD1
_FITS = np.zeros((256, 161), np.bool_)                       # by type and size, for sizes up to the largest listed
for _kind, _sizes in _SIZES.items():
    _FITS[_kind, list(_sizes)] = True


def pppp_numbers(key: str) -> tuple[int, int, int, int]:
    """The four numbers that a key is mashed into: its sum, that negated, the sum of thirds, and all of it XORed."""
    octets = key.encode()
    folded = 0
    for octet in octets:
        folded ^= octet
    return sum(octets) & 0xFF, -sum(octets) & 0xFF, sum(octet // 3 for octet in octets) & 0xFF, folded


_NUMBERS = [np.array(pppp_numbers(key), np.int64) for key in PPPP_KEYS]
_FIRSTS = [int(PPPP_TABLE[numbers[0]]) ^ _MAGIC for numbers in _NUMBERS]      # how each key spells the first octet
_POSSIBLE = np.zeros(256, np.bool_)
_POSSIBLE[_FIRSTS] = True


def begins_like_pppp(first: Ints) -> Bools:
    """Which first octets could be the magic of PPPP under one of `PPPP_KEYS`."""
    possible: Bools = _POSSIBLE[first]
    return possible


def is_pppp_beneath(octets: Sequence[Ints], size: Ints) -> Bools:
    """Which datagrams are PPPP under one of `PPPP_KEYS`: magic, a listed message and its very size.

    Args:
        octets: the first five octets of each datagram, a column each.
        size: octets of the whole datagram.

    About one in a hundred million random datagrams fits one key.
    """
    found = np.zeros(len(size), np.bool_)
    places = np.flatnonzero(_POSSIBLE[octets[0]])
    if not len(places):
        return found
    chosen, sizes = [column[places] for column in octets], size[places] - 4
    following = list(pairwise(chosen))
    for numbers, first in zip(_NUMBERS, _FIRSTS, strict=True):
        kind, high, low, mark = (PPPP_TABLE[numbers[before & 3] + before & 0xFF] ^ octet
                                 for before, octet in following)
        listed = _FITS[kind, np.minimum(sizes, _FITS.shape[1] - 1)] & (sizes < _FITS.shape[1])
        data = (kind == _DATA) | (kind == _DATA_ACK)
        fits = (chosen[0] == first) & (high << 8 | low == sizes) & (listed | data & (mark == _DATA_MARK) & (sizes >= 4))
        found[places[fits]] = True
    return found


_SENTENCE = int.from_bytes(b"Char", "little"), int.from_bytes(b"lie ", "little")
_ALL = 0xFFFFFFFF


def rotated(words: Ints, by: int) -> Ints:
    """Words of 32 bit turned to the left."""
    turned: Ints = (words << by | words >> 32 - by) & _ALL
    return turned


def _octet(word: Ints, number: int) -> Ints:
    octet: Ints = word >> 8 * number & 0xFF
    return octet


def may_be_iotc(third: Ints) -> Bools:
    """Which third words can belong to a header that begins with 4 and 2: all but one in 32,768 cannot."""
    turned = rotated(third, 11)
    start = (_octet(turned, 3) | _octet(turned, 1) << 8) ^ _SENTENCE[0] & 0xFFFF
    possible: Bools = start << 1 & 0xFFFE == 0x0204
    return possible


def iotc_beneath(third: Ints, fourth: Ints) -> tuple[Ints, Ints]:
    """The first two little-endian words of an IOTC header, from the third and fourth word of the scrambled one.

    Undone are, in this order: a turn of each word, a swap of all octets, the sentence, and another turn. The swap takes
    the eight octets in question from the last two words alone.
    """
    third, fourth = rotated(third, 11), rotated(fourth, 15)
    head = _octet(third, 3) | _octet(third, 1) << 8 | _octet(third, 0) << 16 | _octet(fourth, 3) << 24
    rest = _octet(fourth, 1) | _octet(third, 2) << 8 | _octet(fourth, 0) << 16 | _octet(fourth, 2) << 24
    return rotated(head ^ _SENTENCE[0], 1), rotated(rest ^ _SENTENCE[1], 5)
