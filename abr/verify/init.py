"""The init segment: ftyp and moov (ISO/IEC 14496-12 8.2 to 8.8)."""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from abr.errors import RemoteProtocolError
from abr.verify.boxes import Box, Reader
from abr.verify.codec import AacConfig, aac_config, codec_string

_VIDEO_FIELDS, _AUDIO_FIELDS = 78, 28
"""Bytes of fields before the boxes of a visual and an audio sample entry."""


class Edit(NamedTuple):
    """A line of an edit list; `media_time` −1 is an empty edit. `duration` is in the movie's timescale."""

    duration: int
    media_time: int


class SampleEntry(NamedTuple):
    """A sample entry: its four letters, codec string and sizes."""

    kind: str
    codec: str
    width: int
    height: int
    channels: int
    sample_rate: int
    config: bytes
    """Content of avcC, hvcC or av1C."""
    aac: AacConfig | None
    transfer: int | None
    """Transfer characteristics of an nclx colr (ISO/IEC 23091-2)."""

    @property
    def length_size(self) -> int:
        """Bytes of the length before each NAL unit; 0 where there are none."""
        if self.codec[:4] in {"avc1", "avc3"} and len(self.config) > 4:
            return (self.config[4] & 3) + 1
        if self.codec[:4] in {"hvc1", "hev1"} and len(self.config) > 21:
            return (self.config[21] & 3) + 1
        return 0


class Defaults(NamedTuple):
    """What trex and tfhd give to samples that say nothing."""

    duration: int
    size: int
    flags: int


@dataclass(frozen=True, slots=True)
class Track:
    """One trak."""

    id: int
    handler: str
    """vide, soun, text, subt …"""
    timescale: int
    duration: int
    """Of tkhd."""
    width: Fraction
    """Of tkhd: the display size."""
    height: Fraction
    entry: SampleEntry
    counts: int
    """Sum of the counts in stts, stsc, stsz and stco."""
    edits: tuple[Edit, ...]
    movie_scale: int
    """Timescale of the edits' durations."""
    external: bool
    """Whether a data reference points outside the file."""
    defaults: Defaults

    @property
    def shift(self) -> Fraction:
        """Ticks that the edit list takes from a composition time to give the presentation time."""
        shift = Fraction(0)
        for edit in self.edits:
            if edit.media_time >= 0:
                return shift + edit.media_time
            shift -= Fraction(edit.duration * self.timescale, self.movie_scale or 1)
        return shift


@dataclass(frozen=True, slots=True)
class Init:
    """An init segment."""

    brands: tuple[str, ...]
    """Major brand first."""
    first: str
    """Type of the first box."""
    duration: int
    """Of mvhd."""
    fragmented: bool
    """Whether mvex is there."""
    tracks: tuple[Track, ...]

    @property
    def track(self) -> Track:
        """The first track."""
        return self.tracks[0]


def parse_init(data: bytes) -> Init:
    """Read an init segment. Raises RemoteProtocolError where boxes are broken or a track is missing."""
    reader = Reader(data)
    whole = Box("file", 0, 0, len(data))
    top = reader.inside(whole)
    ftyp = reader.need(whole, "ftyp")
    moov = reader.need(whole, "moov")
    mvhd = reader.need(moov, "mvhd")
    movie_scale, duration = _scale_and_duration(reader, mvhd)
    defaults = _extends(reader, moov)
    tracks = tuple(
        _track(reader, trak, movie_scale, defaults) for trak in reader.inside(moov) if trak.kind == "trak"
    )
    if not tracks:
        raise RemoteProtocolError("moov has no track")
    return Init(
        brands=_brands(reader, ftyp),
        first=top[0].kind,
        duration=duration,
        fragmented=reader.child(moov, "mvex") is not None,
        tracks=tracks,
    )


def _brands(reader: Reader, ftyp: Box) -> tuple[str, ...]:
    text = reader.bytes(ftyp).decode("latin-1")
    return (text[:4], *(text[place : place + 4] for place in range(8, len(text) - 3, 4)))


def _scale_and_duration(reader: Reader, box: Box) -> tuple[int, int]:
    """Timescale and duration of mvhd or mdhd, which have one layout up to there."""
    wide = reader.version(box)[0] == 1
    scale = reader.number(box.body + (20 if wide else 12), 4)
    if not scale:
        raise RemoteProtocolError(f"{box.kind} has the timescale 0")
    return scale, reader.number(box.body + (24 if wide else 16), 8 if wide else 4)


def _extends(reader: Reader, moov: Box) -> dict[int, Defaults]:
    mvex = reader.child(moov, "mvex")
    found = {}
    for box in reader.inside(mvex) if mvex else []:
        if box.kind == "trex":
            place = box.body + 4
            fields = [reader.number(place + 4 * index, 4) for index in range(5)]
            found[fields[0]] = Defaults(*fields[2:])
    return found


def _track(reader: Reader, trak: Box, movie_scale: int, defaults: dict[int, Defaults]) -> Track:
    tkhd = reader.need(trak, "tkhd")
    wide = reader.version(tkhd)[0] == 1
    identity = reader.number(tkhd.body + (20 if wide else 12), 4)
    timescale, _ = _scale_and_duration(reader, reader.need(trak, "mdia", "mdhd"))
    handler = reader.bytes(reader.need(trak, "mdia", "hdlr"))[8:12].decode("latin-1")
    stbl = reader.need(trak, "mdia", "minf", "stbl")
    return Track(
        id=identity,
        handler=handler,
        timescale=timescale,
        duration=reader.number(tkhd.body + (28 if wide else 20), 8 if wide else 4),
        width=Fraction(reader.number(tkhd.end - 8, 4), 65536),
        height=Fraction(reader.number(tkhd.end - 4, 4), 65536),
        entry=_sample_entry(reader, stbl, handler),
        counts=_counts(reader, stbl),
        edits=_edits(reader, trak),
        movie_scale=movie_scale,
        external=_external(reader, reader.child(trak, "mdia", "minf", "dinf", "dref")),
        defaults=defaults.get(identity, Defaults(0, 0, 0)),
    )


def _sample_entry(reader: Reader, stbl: Box, handler: str) -> SampleEntry:
    entries = reader.inside(reader.need(stbl, "stsd"), 8)
    if not entries:
        raise RemoteProtocolError("stsd is empty")
    entry = entries[0]
    fields = {"vide": _VIDEO_FIELDS, "soun": _AUDIO_FIELDS}.get(handler)
    children = {} if fields is None else {box.kind: box for box in reader.inside(entry, fields)}
    video, audio = handler == "vide", handler == "soun"
    aac = aac_config(reader, children["esds"]) if "esds" in children else None
    config = next(
        (reader.bytes(children[kind]) for kind in ("avcC", "hvcC", "av1C") if kind in children), b""
    )
    return SampleEntry(
        kind=entry.kind,
        codec=codec_string(reader, entry, children),
        width=reader.number(entry.body + 24, 2) if video else 0,
        height=reader.number(entry.body + 26, 2) if video else 0,
        channels=(aac.channels if aac else 0) or (reader.number(entry.body + 16, 2) if audio else 0),
        sample_rate=reader.number(entry.body + 24, 2) if audio else 0,
        config=config,
        aac=aac,
        transfer=_transfer(reader, children.get("colr")),
    )


def _transfer(reader: Reader, colr: Box | None) -> int | None:
    if colr is None or reader.bytes(colr)[:4] != b"nclx":
        return None
    return reader.number(colr.body + 6, 2)


def _counts(reader: Reader, stbl: Box) -> int:
    """Entries of the sample tables: stsz counts after its common size, the others after version and flags."""
    total = 0
    for box in reader.inside(stbl):
        if box.kind in {"stts", "stsc", "stco", "co64"}:
            total += reader.number(box.body + 4, 4)
        elif box.kind in {"stsz", "stz2"}:
            total += reader.number(box.body + 8, 4)
    return total


def _edits(reader: Reader, trak: Box) -> tuple[Edit, ...]:
    elst = reader.child(trak, "edts", "elst")
    if elst is None:
        return ()
    size = 8 if reader.version(elst)[0] == 1 else 4
    count = min(reader.number(elst.body + 4, 4), (elst.end - elst.body) // (2 * size + 4))
    places = (elst.body + 8 + index * (2 * size + 4) for index in range(count))
    return tuple(Edit(reader.number(place, size), reader.signed(place + size, size)) for place in places)


def _external(reader: Reader, dref: Box | None) -> bool:
    """Whether any data entry lacks the flag "in this file" (8.7.2)."""
    if dref is None:
        return False
    return any(not reader.version(box)[1] & 1 for box in reader.inside(dref, 8))
