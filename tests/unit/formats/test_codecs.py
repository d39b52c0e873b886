import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import RemoteProtocolError
from abr.formats.bits import Bits
from abr.formats.box import make_box, make_full_box
from abr.formats.codecs import (
    AudioConfig,
    Colour,
    audio_config,
    audio_of,
    av1_parameters,
    codec_string,
    coded_size,
    colour,
    hevc_parameters,
    sample_entry,
)
from tests.fakes.boxdump import dump
from tests.fakes.encoded import aac, h264, hevc


def init_of(entry: bytes) -> bytes:
    box = make_full_box("stsd", 0, 0, bytes((0, 0, 0, 1)), entry)
    for kind in ("stbl", "minf", "mdia", "trak", "moov"):
        box = make_box(kind, box)
    return box


def visual(kind: str, *boxes: bytes) -> bytes:
    return make_box(kind, bytes(24), struct.pack(">HH", 640, 360), bytes(50), *boxes)


def sound(kind: str, *boxes: bytes) -> bytes:
    return make_box(kind, bytes(16), struct.pack(">HHII", 2, 16, 0, 44_100 << 16), *boxes)


def esds(object_type: int, config: bytes = b"") -> bytes:
    specific = bytes((5, len(config))) + config if config else b""
    decoder = bytes((object_type,)) + bytes(12) + specific
    decoder = bytes((4, len(decoder))) + decoder
    stream = bytes(3) + decoder
    return make_full_box("esds", 0, 0, b"\3\x80\x80" + bytes((len(stream),)) + stream)


HVCC = bytes.fromhex("0101600000009000000000001e")


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (visual("avc1", make_box("avcC", bytes.fromhex("0164001fff"))), "avc1.64001f"),
        (visual("avc3", make_box("avcC", bytes.fromhex("0142c01eff"))), "avc3.42c01e"),
        (visual("hvc1", make_box("hvcC", HVCC)), "hvc1.1.6.L30.90"),
        (visual("av01", make_box("av1C", bytes.fromhex("81080c00"))), "av01.0.08M.08"),
        (sound("mp4a", esds(0x40, bytes.fromhex("1190"))), "mp4a.40.2"),
        (sound("mp4a", esds(0x40, bytes.fromhex("2b118800"))), "mp4a.40.5"),
        (sound("mp4a", esds(0x40, bytes.fromhex("eb098800"))), "mp4a.40.29"),
        (sound("mp4a", esds(0x6B)), "mp4a.6b"),
        (sound("Opus"), "Opus"),
        (sound("fLaC"), "fLaC"),
        (sound("ec-3"), "ec-3"),
    ],
)
def test_the_string_of_an_init(entry, text):
    assert codec_string(init_of(entry)) == text


@pytest.mark.parametrize(
    ("profile", "compatible", "constraints", "level", "text"),
    [
        (0x01, 0x6000_0000, "b00000000000", 93, "1.6.L93.B0"),
        (0x02, 0x2000_0000, "900000000000", 153, "2.4.L153.90"),
        (0x21, 0x6000_0000, "000000000000", 120, "1.6.H120"),
        (0x44, 0x0800_0000, "b23000000001", 60, "A4.10.L60.B2.30.0.0.0.1"),
    ],
)
def test_hevc_reverses_flags_and_drops_trailing_zero_bytes(profile, compatible, constraints, level, text):
    record = b"\1" + struct.pack(">BI", profile, compatible) + bytes.fromhex(constraints) + bytes((level,))
    assert hevc_parameters(record) == text


@pytest.mark.parametrize(
    ("record", "seen", "text"),
    [
        ("81000c00", None, "0.00M.08"),
        ("81094c00", None, "0.09M.10"),
        ("81898c00", None, "4.09H.08"),
        ("81486c00", None, "2.08M.12"),
        ("81080c00", Colour(9, 16, 9, full_range=False), "0.08M.08.0.110.09.16.09.0"),
        ("81081c00", None, "0.08M.08.1.110.01.01.01.0"),
        ("81080e00", Colour(1, 1, 1, full_range=True), "0.08M.08.0.112.01.01.01.1"),
    ],
)
def test_av1_is_short_while_its_defaults_hold(record, seen, text):
    assert av1_parameters(bytes.fromhex(record), seen) == text


@pytest.mark.parametrize(
    ("config", "meant"),
    [
        ("1190", AudioConfig(2, 48_000, 2)),
        ("119056e500", AudioConfig(2, 48_000, 2)),
        ("131056e59880", AudioConfig(5, 48_000, 2)),
        ("130856e59d4880", AudioConfig(29, 48_000, 2)),
        ("2b118800", AudioConfig(5, 48_000, 2)),
        ("17805dc008", AudioConfig(2, 48_000, 1)),
        ("11b0", AudioConfig(2, 48_000, 6)),
    ],
)
def test_both_ways_to_signal_sbr_and_ps(config, meant):
    assert audio_config(bytes.fromhex(config)) == meant


def test_an_unknown_rate_is_refused():
    with pytest.raises(RemoteProtocolError, match="index 13"):
        audio_config(bytes.fromhex("1690"))


def test_sizes_rates_and_colour_are_read():
    colr = make_box("colr", b"nclx", struct.pack(">HHHB", 9, 16, 9, 0x80))
    init = init_of(visual("avc1", make_box("avcC", bytes(8)), colr))
    assert coded_size(init) == (640, 360)
    assert colour(sample_entry(init)) == Colour(9, 16, 9, full_range=True)
    assert audio_of(init_of(sound("Opus"))) == AudioConfig(0, 44_100, 2)
    assert audio_of(init_of(sound("mp4a", esds(0x40, bytes.fromhex("1188"))))) == AudioConfig(2, 48_000, 1)


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        visual("vvc1"),
        visual("avc1"),
        visual("avc1", make_box("avcC", b"\1")),
        sound("mp4a", make_full_box("esds", 0, 0, b"\3\2\0\0")),
        sound("mp4a", make_full_box("esds", 0, 0, b"\3\x7f")),
        sound("mp4a", esds(0x40)),
    ],
)
def test_a_broken_or_unknown_entry_is_refused(entry):
    with pytest.raises(RemoteProtocolError):
        codec_string(init_of(entry))


def test_a_picture_has_no_rate_and_a_sound_no_size():
    with pytest.raises(RemoteProtocolError, match="no audio"):
        audio_of(init_of(visual("avc1")))
    with pytest.raises(RemoteProtocolError, match="no video"):
        coded_size(init_of(sound("mp4a")))


@given(st.sampled_from([h264, hevc, aac]), st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_byte_gives_values_or_is_refused(encode, place, byte):
    header = bytearray(encode()[0].header)
    header[place % len(header)] = byte
    for read in (codec_string, dump, audio_of if encode is aac else coded_size):
        with contextlib.suppress(RemoteProtocolError):
            read(bytes(header))


def test_bits_end_where_the_data_does():
    bits = Bits(b"\xa1", "test")
    assert (bits.read(3), bits.flag(), bits.left) == (5, False, 4)
    with pytest.raises(RemoteProtocolError, match="test ends after 8 bits, 5 more are needed"):
        bits.read(5)
    assert [Bits(bytes((byte,))).read_golomb() for byte in (0x80, 0x40, 0x60, 0x28)] == [0, 1, 2, 4]
