"""Coded video as a string of NAL units: cut apart (Annex B of H.264 and H.265), named, and one forged on purpose."""

from __future__ import annotations

import re

from lab.scenes import Codec

__all__ = ["access_units", "forge_size", "is_delimiter", "is_key", "is_parameter_set", "is_picture", "nal_units"]

START_CODE = re.compile(rb"\x00*\x00\x00\x01")
H264_SETS, H265_SETS = (7, 8), (32, 33, 34)
BEFORE_SIZE = {
    # Header, profile, constraints and level; then the set's id, frame number length and picture order type follow.
    Codec.H264: 32,
    # Two bytes of header, 8 bits of ids, 96 of profile, tier and level; then the set's id and the colour format.
    Codec.H265: 120,
}


def nal_units(stream: bytes) -> list[bytes]:
    """The NAL units of an Annex B byte stream, without start codes."""
    return [unit for unit in START_CODE.split(stream) if unit]


def _type(codec: Codec, nal: bytes) -> int:
    return nal[0] & 0x1F if codec is Codec.H264 else nal[0] >> 1 & 0x3F


def is_delimiter(codec: Codec, nal: bytes) -> bool:
    """Whether the unit only says that a new picture begins."""
    return _type(codec, nal) == (9 if codec is Codec.H264 else 35)


def is_parameter_set(codec: Codec, nal: bytes) -> bool:
    """Whether it is a video, sequence or picture parameter set."""
    return _type(codec, nal) in (H264_SETS if codec is Codec.H264 else H265_SETS)


def is_picture(codec: Codec, nal: bytes) -> bool:
    """Whether it holds a slice of a picture."""
    return _type(codec, nal) in (range(1, 6) if codec is Codec.H264 else range(32))


def is_key(codec: Codec, nal: bytes) -> bool:
    """Whether it holds a slice of a picture that a decoder can start with."""
    return _type(codec, nal) in ((5,) if codec is Codec.H264 else range(16, 22))


def access_units(codec: Codec, stream: bytes) -> list[tuple[bytes, ...]]:
    """The pictures of a stream with delimiters, each as its NAL units; the delimiters are left out."""
    pictures: list[list[bytes]] = []
    for nal in nal_units(stream):
        if is_delimiter(codec, nal):
            pictures.append([])
        else:
            pictures[-1].append(nal)
    return [tuple(nals) for nals in pictures]


def forge_size(codec: Codec, nal: bytes, width: int, height: int) -> bytes:
    """A sequence parameter set that claims another size; any other unit comes back as it is.

    Only for what the lab's own encoder makes: H.264 Main profile without arbitrary order types (ITU-T H.264 §7.3.2.1.1)
    and H.265 with one temporal layer (ITU-T H.265 §7.3.2.2). Sizes in pixels, multiples of 16.
    """
    if _type(codec, nal) != (7 if codec is Codec.H264 else 33):
        return nal
    bits = "".join(f"{byte:08b}" for byte in nal.replace(b"\x00\x00\x03", b"\x00\x00"))
    start = BEFORE_SIZE[codec]
    if codec is Codec.H264:
        _, start = _read(bits, start)                           # seq_parameter_set_id
        _, start = _read(bits, start)                           # log2_max_frame_num_minus4
        order, start = _read(bits, start)                       # pic_order_cnt_type
        if order == 0:
            _, start = _read(bits, start)                       # log2_max_pic_order_cnt_lsb_minus4
        _, start = _read(bits, start)                           # max_num_ref_frames
        start += 1                                              # gaps_in_frame_num_value_allowed_flag
    else:
        _, start = _read(bits, start)                           # sps_seq_parameter_set_id
        _, start = _read(bits, start)                           # chroma_format_idc
    _, end = _read(bits, start)
    _, end = _read(bits, end)
    if codec is Codec.H264:                                     # told in macroblocks, less one
        width, height = width // 16 - 1, height // 16 - 1
    forged = bits[:start] + _write(width) + _write(height) + bits[end:].rstrip("0")
    forged += "0" * (-len(forged) % 8)
    data = int(forged, 2).to_bytes(len(forged) // 8, "big")
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\x00\x00\x03", data)


def _read(bits: str, start: int) -> tuple[int, int]:
    """One unsigned Exp-Golomb number (§9.1 of both standards) and where the next field begins."""
    first = bits.index("1", start)
    end = 2 * first - start + 1
    return int(bits[first:end], 2) - 1, end


def _write(value: int) -> str:
    code = f"{value + 1:b}"
    return "0" * (len(code) - 1) + code
