"""How a player reads what was written: playlists and manifests as plain values, parsed without our own code."""

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from lxml import etree


@dataclass
class Listed:
    """One entry of a media playlist."""

    uri: str
    duration: Fraction
    gap: bool
    discontinuity: int
    """Its discontinuity sequence number (RFC 8216bis §3.5)."""
    init: str
    date: Fraction
    """Milliseconds of PROGRAM-DATE-TIME carried on by durations, seconds since the epoch."""


@dataclass
class Playlist:
    """A media playlist; entries by media sequence number."""

    target: int
    sequence: int
    discontinuity: int
    ended: bool
    entries: dict[int, Listed] = field(default_factory=dict)


def read_playlist(data: bytes) -> Playlist:
    """Read a media playlist line by line."""
    lines = data.decode().splitlines()
    heads = {line.partition(":")[0]: line.partition(":")[2] for line in lines}
    playlist = Playlist(
        target=int(heads["#EXT-X-TARGETDURATION"]),
        sequence=int(heads["#EXT-X-MEDIA-SEQUENCE"]),
        discontinuity=int(heads["#EXT-X-DISCONTINUITY-SEQUENCE"]),
        ended=lines[-1] == "#EXT-X-ENDLIST",
    )
    count, init, gap = playlist.discontinuity, "", False
    date = duration = Fraction(0)
    for line in lines:
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-DISCONTINUITY":
            count += 1
        elif tag == "#EXT-X-MAP":
            init = value
        elif tag == "#EXT-X-PROGRAM-DATE-TIME":
            date = Fraction(str(datetime.fromisoformat(value).timestamp()))
        elif tag == "#EXT-X-GAP":
            gap = True
        elif tag == "#EXTINF":
            duration = Fraction(value.rstrip(","))
        elif not line.startswith("#"):
            place = playlist.sequence + len(playlist.entries)
            playlist.entries[place] = Listed(line, duration, gap, count, init, date)
            date, gap = date + duration, False
    return playlist


@dataclass
class Segments:
    """The segments of one Representation in one Period: number → start and end in the presentation, seconds."""

    fixed: tuple[str | None, ...]
    """What may never change: bandwidth, codecs, timescale, presentationTimeOffset, addresses."""
    spans: dict[int, tuple[Fraction, Fraction]]


@dataclass
class ReadPeriod:
    """A Period."""

    start: Fraction
    duration: Fraction | None
    representations: dict[str, Segments]


@dataclass
class ReadManifest:
    """An MPD; Periods by id, in order."""

    attributes: dict[str, str]
    periods: dict[str, ReadPeriod]


def read_manifest(data: bytes) -> ReadManifest:
    """Read an MPD with SegmentTemplates."""
    root = etree.fromstring(data)
    periods = {period.get("id"): _period(period) for period in root.iterfind("{*}Period")}
    return ReadManifest(dict(root.attrib), periods)


def seconds(text: str) -> Fraction:
    """PT…S as seconds."""
    return Fraction(text.removeprefix("PT").removesuffix("S"))


def _period(period: etree._Element) -> ReadPeriod:
    start = seconds(period.get("start"))
    length = period.get("duration")
    found = {
        one.get("id"): _segments(one, start) for one in period.iterfind("{*}AdaptationSet/{*}Representation")
    }
    return ReadPeriod(start, None if length is None else seconds(length), found)


def _segments(representation: etree._Element, start: Fraction) -> Segments:
    template = representation.find("{*}SegmentTemplate")
    if template is None:
        template = representation.getparent().find("{*}SegmentTemplate")
    scale, offset = int(template.get("timescale")), int(template.get("presentationTimeOffset"))
    number, time, spans = int(template.get("startNumber")), 0, {}
    for s in template.iterfind("{*}SegmentTimeline/{*}S"):
        time = int(s.get("t", time))
        for _ in range(1 + int(s.get("r", 0))):
            end = time + int(s.get("d"))
            spans[number] = (start + Fraction(time - offset, scale), start + Fraction(end - offset, scale))
            number, time = number + 1, end
    adaptation_set = representation.getparent()
    fixed = (
        adaptation_set.get("id"),
        *(representation.get(key) for key in ("bandwidth", "codecs", "width", "audioSamplingRate")),
        *(template.get(key) for key in ("timescale", "presentationTimeOffset", "initialization", "media")),
    )
    return Segments(fixed, spans)
