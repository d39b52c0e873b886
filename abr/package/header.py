"""Init segments: the ftyp and moov that libavformat wrote, made CMAF, and what they say of a rendition."""

import math
import struct
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from abr.errors import MediaError
from abr.formats.box import Box, children, make_box, need_box, read_boxes
from abr.formats.codecs import (
    AAC_LC,
    HE_AAC,
    HE_AAC_V2,
    audio_of,
    codec_string,
    coded_size,
    colour,
    sample_entry,
)
from abr.formats.isobmff import TRACK, make_brands, read_media_header, read_track_header
from abr.formats.nal import HEVC_PARAMETERS
from abr.model.ladder import AudioTarget, VideoTarget
from abr.model.media import Encoding, Kind, Track
from abr.model.segment import Rendition

_DROPPED = frozenset(("udta", "meta", "edts", "mehd", "free", "btrt"))
"""Boxes that a live init cannot fill, that shift its times, or that name the muxer."""
_HANDLER_NAMES = {b"vide": b"video\0", b"soun": b"audio\0"}
_COUNT_AT = {"stts": 4, "stsc": 4, "stco": 4, "co64": 4, "ctts": 4, "stss": 4, "stsz": 8}

_SOUND_PEAK = Fraction(21, 20)
"""FFmpeg's AAC encoder was seen 3.1 % above its target over a segment."""
_SEGMENT_BYTES = 160
"""Upper bound of the boxes of a segment without its sample table."""
_SAMPLE_BYTES = {Kind.VIDEO: 16, Kind.AUDIO: 8}
"""Upper bound of a row of the sample table."""


def make_init(encoding: Encoding) -> bytes:
    """The init segment of a rendition (RFC 8216bis 3.1, ISO/IEC 23000-19 7.5).

    One track with id 1, durations 0, no samples, no edit list, movie extends; brand cmfc and, where its limits
    hold, that of the media profile. Raises MediaError when the header has another timescale or holds samples,
    RemoteProtocolError when it is broken.
    """
    header, name = encoding.header, encoding.name
    moov = need_box(header, "moov")
    tracks = [box for box in children(header, moov) if box.kind == "trak"]
    if len(tracks) != 1:
        raise MediaError(f"rendition {name}: the header has {len(tracks)} tracks, one is needed")
    media = read_media_header(header, need_box(header, "mdia/mdhd", tracks[0]))
    if media.timescale != encoding.timescale:
        raise MediaError(
            f"rendition {name}: the header counts in 1/{media.timescale} s, the packets in 1/{encoding.timescale} s"
        )
    _check_empty(header, need_box(header, "mdia/minf/stbl", tracks[0]), name)
    body = _rebuild(header, moov)
    if not any(box.kind == "mvex" for box in children(header, moov)):
        trex = make_box("trex", struct.pack(">6I", 0, TRACK, 1, 0, 0, 0))
        body = make_box("moov", body[8:], make_box("mvex", trex))
    brands = ("iso6", "cmfc", *_profile_brands(body))
    return make_brands("ftyp", "cmfc", brands) + body


def rendition_of(
    encoding: Encoding, target: VideoTarget | AudioTarget, init: bytes, duration: Fraction
) -> Rendition:
    """What playlists need to know of a rendition, before anything is measured; `duration` is D in seconds.

    The peak is maxrate + bufsize / D for video and a twentieth above the target for audio, the average is the
    target; all with the boxes around the samples (DESIGN 3.12). Codec string, sizes and rates are read from the init.
    """
    if isinstance(target, VideoTarget):
        boxes = _box_rate(Kind.VIDEO, target.rate, duration)
        peak = target.maxrate + target.bufsize / duration + boxes
        return replace(_described(encoding, init, peak, target.bitrate + boxes), frame_rate=target.rate)
    boxes = _box_rate(Kind.AUDIO, Fraction(target.sample_rate, target.frame), duration)
    peak = target.bitrate * _SOUND_PEAK + boxes
    described = _described(encoding, init, peak, target.bitrate + boxes)
    return replace(described, language=target.language, label=target.label)


def rendition_of_copy(encoding: Encoding, track: Track, init: bytes) -> Rendition:
    """The rendition of a copied track: peak and average are what the container says, until measured."""
    rate = Fraction(track.bit_rate)
    described = _described(encoding, init, rate, rate)
    return replace(described, frame_rate=track.frame_rate, language=track.language)


def _described(encoding: Encoding, init: bytes, peak: Fraction, average: Fraction) -> Rendition:
    video = encoding.kind is Kind.VIDEO
    width, height = _display_size(init) if video else (0, 0)
    sound = None if video else audio_of(init)
    return Rendition(
        name=encoding.name,
        kind=encoding.kind,
        timescale=encoding.timescale,
        codec=codec_string(init),
        bandwidth=math.ceil(peak),
        average_bandwidth=math.ceil(average),
        delay=encoding.delay,
        width=width,
        height=height,
        sample_rate=sound.sample_rate if sound else 0,
        channels=sound.channels if sound else 0,
    )


def _box_rate(kind: Kind, samples: Fraction, duration: Fraction) -> Fraction:
    """Bits a second of the boxes around `samples` samples a second."""
    return 8 * (_SEGMENT_BYTES / duration + _SAMPLE_BYTES[kind] * samples)


def _display_size(init: bytes) -> tuple[int, int]:
    """Sizes of tkhd, which hold the pixel aspect; those of the sample entry where tkhd says nothing."""
    head = read_track_header(init, need_box(init, "moov/trak/tkhd"))
    return (head.width, head.height) if head.width and head.height else coded_size(init)


def _check_empty(header: bytes, table: Box, name: str) -> None:
    """An init names no samples (RFC 8216bis 3.1.2)."""
    for box in children(header, table):
        at = box.body + _COUNT_AT.get(box.kind, 0)
        if box.kind in _COUNT_AT and int.from_bytes(header[at : min(at + 4, box.end)]):
            raise MediaError(
                f"rendition {name}: the header names samples in {box.kind}; open it without media"
            )


def _rebuild(data: bytes, box: Box) -> bytes:
    """A box with everything below it, patched."""
    if box.kind in _DROPPED:
        return b""
    patch = _PATCHES.get(box.kind)
    if patch:
        return make_box(box.kind, patch(data[box.body : box.end]))
    below = children(data, box)
    if not below:
        return data[box.start : box.end]
    kind = "hvc1" if box.kind == "hev1" and _has_parameters(data, below) else box.kind
    contents = [_rebuild(data, child) for child in below]
    if kind == "hvc1":
        contents = [_completed(content) for content in contents]
    return make_box(kind, data[box.body : below[0].start], *contents)


def _zero_duration(narrow: int, wide: int) -> Callable[[bytes], bytes]:
    """A patch that writes 0 over the duration, at `narrow` in version 0 and at `wide` in version 1."""

    def patch(body: bytes) -> bytes:
        at, size = (wide, 8) if body[:1] == b"\1" else (narrow, 4)
        return body[:at] + bytes(size) + body[at + size :]

    return patch


def _patch_track(body: bytes) -> bytes:
    """Write 0 as duration and 1 as track_ID into tkhd."""
    at = 20 if body[:1] == b"\1" else 12
    return _zero_duration(20, 28)(body[:at] + TRACK.to_bytes(4) + body[at + 4 :])


def _patch_extends(body: bytes) -> bytes:
    """Write 1 as track_ID into trex and leave no defaults in it: fragments carry their own."""
    return body[:4] + struct.pack(">5I", TRACK, 1, 0, 0, 0)


def _patch_handler(body: bytes) -> bytes:
    return body[:24] + _HANDLER_NAMES.get(body[8:12], b"\0")


_PATCHES: dict[str, Callable[[bytes], bytes]] = {
    "mvhd": _zero_duration(16, 24),
    "tkhd": _patch_track,
    "mdhd": _zero_duration(16, 24),
    "hdlr": _patch_handler,
    "trex": _patch_extends,
}


def _has_parameters(data: bytes, below: list[Box]) -> bool:
    """Whether hvcC holds VPS, SPS and PPS, so that the entry may be hvc1 (Apple asks for it: authoring 1.10)."""
    record = next((data[box.body : box.end] for box in below if box.kind == "hvcC"), b"")
    return {record[at] & 63 for at in _arrays(record)} >= HEVC_PARAMETERS


def _completed(content: bytes) -> bytes:
    """Box hvcC with array_completeness set for its parameter sets, as hvc1 wants (ISO/IEC 14496-15, 8.4.1)."""
    box = read_boxes(content)[0] if content else None
    if box is None or box.kind != "hvcC":
        return content
    patched = bytearray(content)
    for at in _arrays(content[box.body :]):
        if patched[box.body + at] & 63 in HEVC_PARAMETERS:
            patched[box.body + at] |= 0x80
    return bytes(patched)


def _arrays(record: bytes) -> list[int]:
    """Where the arrays of NAL units begin in an HEVC decoder configuration record."""
    found, at = [], 23
    for _ in range(record[22] if len(record) > 22 else 0):
        if at + 3 > len(record):
            break
        found.append(at)
        count, at = int.from_bytes(record[at + 1 : at + 3]), at + 3
        for _ in range(count):
            at += 2 + int.from_bytes(record[at : at + 2])
    return found


def _profile_brands(moov: bytes) -> tuple[str, ...]:
    """The brand of the CMAF media profile whose limits hold (ISO/IEC 23000-19: AAC core, AVC SD, AVC HD)."""
    entry = sample_entry(moov)
    if entry.kind == "mp4a":
        sound = audio_of(moov)
        core = sound.object_type in {AAC_LC, HE_AAC, HE_AAC_V2}
        return ("caac",) if core and sound.channels <= 2 and sound.sample_rate <= 48_000 else ()
    if entry.kind != "avc1":
        return ("av01",) if entry.kind == "av01" else ()
    profile, constraints, level = struct.unpack_from(">xBBB", entry.record("avcC").ljust(4, b"\0"))
    seen = colour(entry)
    primaries = seen.primaries if seen else 1
    if profile not in {77, 100} and not (profile == 66 and constraints & 0x40):
        return ()
    width, height = coded_size(moov)
    if level <= 31 and width <= 864 and height <= 576 and primaries in {1, 5, 6}:
        return ("cfsd",)
    return ("cfhd",) if level <= 40 and width <= 1920 and height <= 1080 and primaries == 1 else ()
