"""Codec strings and key pictures, from bytes that the specifications give."""

import struct

from abr.verify.boxes import Box, Reader
from abr.verify.codec import aac_config, codec_string, same_codec
from abr.verify.init import SampleEntry
from abr.verify.picture import starts_with_key


def name_of(kind: str, **content: bytes) -> str:
    data = b"".join(content.values())
    children, place = {}, 0
    for inner, body in content.items():
        children[inner] = Box(inner, place, place, place + len(body))
        place += len(body)
    return codec_string(Reader(data), Box(kind, 0, 0, len(data)), children)


def test_avc_is_profile_constraints_and_level():
    assert name_of("avc1", avcC=bytes.fromhex("0164001fffe1")) == "avc1.64001f"


def test_hevc_reverses_its_compatibility_flags_and_drops_trailing_zeros():
    config = bytes([1, 0x01]) + bytes.fromhex("60000000") + bytes.fromhex("b00000000000") + bytes([93])
    assert name_of("hvc1", hvcC=config) == "hvc1.1.6.L93.B0"
    main10 = bytes([1, 0x22]) + bytes.fromhex("20000000") + bytes(6) + bytes([120])
    assert name_of("hev1", hvcC=main10) == "hev1.2.4.H120"


def test_av1_is_profile_level_tier_and_depth():
    assert name_of("av01", av1C=bytes([0x81, 0x08, 0x0C, 0])) == "av01.0.08M.08"
    assert name_of("av01", av1C=bytes([0x81, 0x2D, 0xCC, 0])) == "av01.1.13H.10"


ESDS = bytes(4) + bytes.fromhex(
    "0319000100 0411 40 15 000000 0001f400 0001f400 0502 1190 0601 02".replace(" ", "")
)


def test_aac_is_read_through_its_descriptors():
    assert name_of("mp4a", esds=ESDS) == "mp4a.40.2"
    config = aac_config(Reader(ESDS), Box("esds", 0, 0, len(ESDS)))
    assert (config.sample_rate, config.channels) == (48_000, 2)


def test_an_encrypted_entry_is_named_by_its_original_format():
    sinf = struct.pack(">I", 12) + b"frmaavc1"
    assert name_of("encv", sinf=sinf, avcC=bytes.fromhex("0164001fffe1")) == "avc1.64001f"


def test_what_is_unknown_keeps_its_four_letters_and_hex_has_no_case():
    assert name_of("wvtt") == "wvtt"
    assert same_codec("avc1.64001F", "avc1.64001f")


def entry(codec: str, config: bytes) -> SampleEntry:
    return SampleEntry(codec[:4], codec, 0, 0, 0, 0, config, None, None)


def units(*kinds: int) -> bytes:
    return b"".join(struct.pack(">I", 2) + bytes([kind, 0]) for kind in kinds)


def test_an_avc_key_picture_is_an_idr_after_its_parameter_sets():
    avc = entry("avc1.64001f", bytes.fromhex("0164001fffe1"))
    assert starts_with_key(units(0x09, 0x67, 0x68, 0x65), avc)
    assert not starts_with_key(units(0x09, 0x67, 0x68, 0x41, 0x65), avc)
    assert not starts_with_key(b"", avc)


def test_a_hevc_key_picture_is_an_idr_and_not_a_cra():
    hevc = entry("hvc1.1.6.L93.B0", bytes(21) + b"\x03")
    assert starts_with_key(units(32 << 1, 33 << 1, 34 << 1, 19 << 1), hevc)
    assert not starts_with_key(units(32 << 1, 21 << 1), hevc)


def test_an_av1_key_frame_is_told_by_its_header():
    av1 = entry("av01.0.08M.08", b"")
    sequence = bytes([0x0A, 1, 0])
    assert starts_with_key(sequence + bytes([0x32, 1, 0x10]), av1)
    assert not starts_with_key(sequence + bytes([0x32, 1, 0x30]), av1)
    assert not starts_with_key(sequence, av1)


def test_other_media_are_not_judged():
    assert starts_with_key(b"\x21\x00", entry("mp4a.40.2", b"")) is None
