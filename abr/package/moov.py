"""The ftyp and moov of a track that is copied, written from what its container says (ISO/IEC 14496-12, 8)."""

import struct
from fractions import Fraction

from abr.formats.box import make_box, make_full_box
from abr.formats.isobmff import TRACK, make_brands
from abr.model.media import Kind, Track

_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x4000_0000)
_ENTRIES = {"h264": ("avc1", "avcC"), "hevc": ("hvc1", "hvcC"), "av1": ("av01", "av1C")}

COPIED = {Kind.VIDEO: frozenset(_ENTRIES), Kind.AUDIO: frozenset(("aac",))}
"""FFmpeg's names of the codecs that can be copied."""


def write_header(track: Track, timescale: int, config: bytes) -> bytes:
    """The header of one track of a COPIED codec; `config` is its avcC, hvcC, av1C or AudioSpecificConfig."""
    video = track.kind is Kind.VIDEO
    entry = _visual_entry(track, config) if video else _sound_entry(track, config)
    handler, media = (b"vide", make_full_box("vmhd", 0, 1, bytes(8)))
    if not video:
        handler, media = (b"soun", make_full_box("smhd", 0, 0, bytes(4)))
    hdlr = make_full_box("hdlr", 0, 0, bytes(4), handler, bytes(13))
    data_reference = make_full_box("dref", 0, 0, struct.pack(">I", 1), make_full_box("url ", 0, 1))
    table = make_box(
        "stbl",
        make_full_box("stsd", 0, 0, struct.pack(">I", 1), entry),
        *(
            make_full_box(kind, 0, 0, bytes(size))
            for kind, size in (("stts", 4), ("stsc", 4), ("stsz", 8), ("stco", 4))
        ),
    )
    minf = make_box("minf", media, make_box("dinf", data_reference), table)
    mdhd = make_full_box("mdhd", 0, 0, struct.pack(">8xIIHH", timescale, 0, 0x55C4, 0))
    trak = make_box("trak", _track_header(track, video=video), make_box("mdia", mdhd, hdlr, minf))
    mvex = make_box("mvex", make_full_box("trex", 0, 0, struct.pack(">5I", TRACK, 1, 0, 0, 0)))
    return make_brands("ftyp", "iso6", ("iso6",)) + make_box("moov", _movie_header(), trak, mvex)


def _movie_header() -> bytes:
    body = struct.pack(">8xIIIH10x", 1000, 0, 0x10000, 0x100)
    return make_full_box("mvhd", 0, 0, body, _MATRIX, bytes(24), struct.pack(">I", TRACK + 1))


def _track_header(track: Track, *, video: bool) -> bytes:
    """Box tkhd: enabled and in the movie; sizes of the display (coded width times pixel aspect)."""
    body = struct.pack(">8xI4xI8xHHHH", TRACK, 0, 0, 0, 0 if video else 0x100, 0)
    width = round(track.width * (track.pixel_aspect or 1)) if video else 0
    size = struct.pack(">II", width << 16, (track.height if video else 0) << 16)
    return make_full_box("tkhd", 0, 3, body, _MATRIX, size)


def _visual_entry(track: Track, config: bytes) -> bytes:
    kind, record = _ENTRIES[track.codec]
    head = struct.pack(
        ">6xH16xHHIIIH32xHh", 1, track.width, track.height, 0x48_0000, 0x48_0000, 0, 1, 0x18, -1
    )
    return make_box(kind, head, make_box(record, config), _pixel_aspect(track.pixel_aspect))


def _pixel_aspect(aspect: Fraction) -> bytes:
    if aspect in {0, 1}:
        return b""
    return make_box("pasp", struct.pack(">II", aspect.numerator, aspect.denominator))


def _sound_entry(track: Track, config: bytes) -> bytes:
    """An mp4a entry with its elementary stream descriptor (ISO/IEC 14496-14, 6.7.2)."""
    specific = _descriptor(5, config)
    decoder = _descriptor(4, struct.pack(">BB3xII", 0x40, 0x15, 0, track.bit_rate), specific)
    stream = _descriptor(3, struct.pack(">HB", 0, 0), decoder, _descriptor(6, b"\2"))
    rate = track.sample_rate << 16 if track.sample_rate < 1 << 16 else 0
    head = struct.pack(">6xH8xHH4xI", 1, track.channels, 16, rate)
    return make_box("mp4a", head, make_full_box("esds", 0, 0, stream))


def _descriptor(tag: int, *contents: bytes) -> bytes:
    """A descriptor of less than 128 bytes (ISO/IEC 14496-1, 8.3.3)."""
    body = b"".join(contents)
    return bytes((tag, len(body))) + body
