"""Films in coded form: kept, cut apart, forged on purpose and put into packets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rtsp_viewer import gather

from lab import encoding, rtp
from lab.bitstream import access_units, forge_size, nal_units
from lab.clips import Clip
from lab.scenes import Codec, Scene


def test_what_was_encoded_once_is_only_read_again(tmp_path, monkeypatch):
    scene = Scene(seed=3, width=128, height=96, seconds=4)
    first = Clip(scene, tmp_path)
    first.load(30)

    def refuse(*_anything):
        raise AssertionError("encoded twice")

    monkeypatch.setattr(encoding, "encode_group", refuse)
    second = Clip(scene, tmp_path)
    assert second.unit(30) is None
    second.load(30)
    assert second.unit(30) == first.unit(30) == second.unit(30 + 5 * scene.pictures)
    assert second.unit(0) is None
    with pytest.raises(AssertionError):
        Clip(scene, None).load(0)


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("size", [(640, 360), (128, 96)])
def test_a_forged_set_claims_a_size_and_keeps_the_rest(codec, size):
    scene = Scene(codec=codec, width=size[0], height=size[1])
    sets = encoding.parameter_sets(scene)
    assert tuple(forge_size(codec, forge_size(codec, each, 11008, 10000), 640, 368) for each in sets) == tuple(
        forge_size(codec, each, 640, 368) for each in sets)
    assert sum(forge_size(codec, each, 11008, 10000) != each for each in sets) == 1


def test_a_stream_is_cut_at_its_start_codes():
    stream = bytes.fromhex("00000109f0 00000001 6742 000001 6500ff 000000010930 0000014101".replace(" ", ""))
    assert [nal.hex() for nal in nal_units(stream)] == ["09f0", "6742", "6500ff", "0930", "4101"]
    assert access_units(Codec.H264, stream) == [(b"\x67\x42", b"\x65\x00\xff"), (b"\x41\x01",)]


@pytest.mark.parametrize("codec", list(Codec))
@given(size=st.integers(2, 9000))
def test_a_unit_survives_its_packets(codec, size):
    nal = bytes((0x65,)) + bytes(size) if codec is Codec.H264 else bytes((0x26, 0x01)) + bytes(size)
    gathered = []
    for payload in rtp.payloads(codec, [nal]):
        gather(gathered, payload, codec is Codec.H265)
    assert gathered == [nal]


def test_numbers_wrap():
    assert rtp.packet(b"x", 65_537, 2**32 + 5, 7, last=True)[:8] == bytes.fromhex("80e0000100000005")
