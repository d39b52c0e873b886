"""HLS playlists as lines and as values (RFC 8216bis 4): lenient, so that each fault can be named by its rule."""

import re
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from abr.errors import RemoteProtocolError
from abr.verify.instant import parse_date, parse_decimal
from abr.verify.source import Span, resolve

_ATTRIBUTE = re.compile(r'\s*([A-Z0-9-]+)=("[^"\r\n]*"|[^,\r\n]*)\s*(?:,|$)')
_INTEGER = re.compile(r"\d{1,19}\Z", re.ASCII)

MEDIA_ONCE = (
    "EXT-X-TARGETDURATION",
    "EXT-X-MEDIA-SEQUENCE",
    "EXT-X-DISCONTINUITY-SEQUENCE",
    "EXT-X-ENDLIST",
    "EXT-X-PLAYLIST-TYPE",
    "EXT-X-I-FRAMES-ONLY",
    "EXT-X-PART-INF",
    "EXT-X-SERVER-CONTROL",
)
"""Tags of the whole media playlist (4.4.3)."""

SEGMENT_TAGS = (
    "EXTINF",
    "EXT-X-BYTERANGE",
    "EXT-X-DISCONTINUITY",
    "EXT-X-KEY",
    "EXT-X-MAP",
    "EXT-X-PROGRAM-DATE-TIME",
    "EXT-X-GAP",
    "EXT-X-BITRATE",
    "EXT-X-PART",
)
"""Tags of one segment (4.4.4)."""

MULTIVARIANT_TAGS = (
    "EXT-X-MEDIA",
    "EXT-X-STREAM-INF",
    "EXT-X-I-FRAME-STREAM-INF",
    "EXT-X-SESSION-DATA",
    "EXT-X-SESSION-KEY",
    "EXT-X-CONTENT-STEERING",
)
"""Tags of a multivariant playlist (4.4.6)."""


class Tag(NamedTuple):
    """One line that begins with #EXT, or a URI line, whose name is empty."""

    line: int
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Text:
    """A playlist as lines."""

    url: str
    body: bytes
    tags: tuple[Tag, ...]
    counts: Counter[str] = field(compare=False)

    def first(self, name: str) -> Tag | None:
        """The first tag of this name."""
        return next((tag for tag in self.tags if tag.name == name), None)

    def value(self, name: str) -> str | None:
        """The value of the first tag of this name."""
        tag = self.first(name)
        return tag.value if tag else None

    def integer(self, name: str) -> int | None:
        """The value of a tag as a decimal integer, None if it is absent or anything else."""
        return parse_integer(self.value(name) or "")


class Initial(NamedTuple):
    """EXT-X-MAP: where the init is."""

    url: str
    span: Span | None


class Entry(NamedTuple):
    """One segment of a media playlist."""

    line: int
    url: str
    uri: str
    """As it is written."""
    duration: Fraction
    sequence: int
    discontinuity: int
    """The discontinuity sequence number."""
    breaks: bool
    """Whether DISCONTINUITY stands on it."""
    gap: bool
    initial: Initial | None
    span: Span | None
    date: int | None
    """PROGRAM-DATE-TIME, nanoseconds since 1970, where the tag stands."""
    bitrate: int | None
    """EXT-X-BITRATE in force, kbit/s."""
    encrypted: bool


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """A media playlist; what is absent or unreadable is None."""

    text: Text
    entries: tuple[Entry, ...]
    target: int | None
    version: int | None
    kind: str | None
    """PLAYLIST-TYPE."""
    ended: bool
    iframes_only: bool

    @property
    def url(self) -> str:
        """Its own address."""
        return self.text.url

    @property
    def live(self) -> bool:
        """Whether more may come."""
        return not self.ended

    @property
    def duration(self) -> Fraction:
        """Sum of EXTINF, seconds."""
        return sum((entry.duration for entry in self.entries), Fraction(0))


def read_text(url: str, body: bytes) -> Text:
    """Split a playlist into its tags. Raises RemoteProtocolError if it is not UTF-8."""
    try:
        lines = body.decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        raise RemoteProtocolError(
            f"the playlist is not UTF-8: {error.reason} at byte {error.start}"
        ) from error
    tags: list[Tag] = []
    for number, line in enumerate(lines, 1):
        if line.startswith("#EXT"):
            name, _, value = line[1:].partition(":")
            tags.append(Tag(number, name.strip(), value.strip()))
        elif line.strip() and not line.startswith("#"):
            tags.append(Tag(number, "", line.strip()))
    return Text(url, body, tuple(tags), Counter(tag.name for tag in tags))


def parse_integer(text: str) -> int | None:
    """A decimal integer of RFC 8216bis 4.2, or None."""
    return int(text) if _INTEGER.match(text) else None


def parse_attributes(text: str) -> dict[str, str]:
    """An attribute list (4.2), quotes taken off. Raises RemoteProtocolError where it cannot be read."""
    attributes: dict[str, str] = {}
    place = 0
    while place < len(text):
        match = _ATTRIBUTE.match(text, place)
        if match is None:
            raise RemoteProtocolError(f"attribute list cannot be read at {text[place : place + 40]!r}")
        if match[1] in attributes:
            raise RemoteProtocolError(f"attribute {match[1]} stands twice")
        attributes[match[1]] = match[2].removeprefix('"').removesuffix('"')
        place = match.end()
    return attributes


def parse_span(text: str, follows: int | None) -> Span:
    """A byte range `n[@o]`; without `o` it begins at `follows`. Raises RemoteProtocolError."""
    size, at, offset = text.partition("@")
    length = parse_integer(size)
    start = parse_integer(offset) if at else follows
    if not length or start is None:
        raise RemoteProtocolError(f"{text[:40]!r} is not a byte range", hint="write size@offset")
    return Span(start, length)


def read_media(text: Text) -> MediaPlaylist:
    """The values of a media playlist. Raises RemoteProtocolError where segments cannot be told apart."""
    return MediaPlaylist(
        text=text,
        entries=_Reader(text).entries(),
        target=text.integer("EXT-X-TARGETDURATION"),
        version=text.integer("EXT-X-VERSION"),
        kind=text.value("EXT-X-PLAYLIST-TYPE"),
        ended=bool(text.counts["EXT-X-ENDLIST"]),
        iframes_only=bool(text.counts["EXT-X-I-FRAMES-ONLY"]),
    )


class _Reader:
    """The state between two lines: tags of the segment to come, and those that stay in force."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._sequence = text.integer("EXT-X-MEDIA-SEQUENCE") or 0
        self._discontinuity = text.integer("EXT-X-DISCONTINUITY-SEQUENCE") or 0
        self._initial: Initial | None = None
        self._bitrate: int | None = None
        self._encrypted = False
        self._ends: dict[str, int] = {}
        self._pending: dict[str, str] = {}

    def entries(self) -> tuple[Entry, ...]:
        found = []
        for tag in self._text.tags:
            if not tag.name:
                found.append(self._entry(tag))
            elif tag.name == "EXT-X-MAP":
                self._initial = self._map(tag)
            elif tag.name == "EXT-X-BITRATE":
                self._bitrate = parse_integer(tag.value)
            elif tag.name == "EXT-X-KEY":
                self._encrypted = parse_attributes(tag.value).get("METHOD") != "NONE"
            elif tag.name in SEGMENT_TAGS:
                self._pending[tag.name] = tag.value
        return tuple(found)

    def _map(self, tag: Tag) -> Initial:
        attributes = parse_attributes(tag.value)
        span = attributes.get("BYTERANGE")
        url = resolve(self._text.url, attributes.get("URI", ""))
        return Initial(url, parse_span(span, 0) if span else None)

    def _entry(self, tag: Tag) -> Entry:
        pending, self._pending = self._pending, {}
        if "EXTINF" not in pending:
            raise RemoteProtocolError(f"line {tag.line}: a URI without EXTINF")
        breaks = "EXT-X-DISCONTINUITY" in pending
        self._discontinuity += breaks
        url = resolve(self._text.url, tag.value)
        date = pending.get("EXT-X-PROGRAM-DATE-TIME")
        entry = Entry(
            line=tag.line,
            url=url,
            uri=tag.value,
            duration=parse_decimal(pending["EXTINF"].partition(",")[0].strip()),
            sequence=self._sequence,
            discontinuity=self._discontinuity,
            breaks=breaks,
            gap="EXT-X-GAP" in pending,
            initial=self._initial,
            span=self._span(url, pending.get("EXT-X-BYTERANGE")),
            date=None if date is None else parse_date(date),
            bitrate=None if "EXT-X-BYTERANGE" in pending else self._bitrate,
            encrypted=self._encrypted,
        )
        self._sequence += 1
        return entry

    def _span(self, url: str, text: str | None) -> Span | None:
        if text is None:
            return None
        span = parse_span(text, self._ends.get(url))
        self._ends = {url: span.start + span.size}
        return span
