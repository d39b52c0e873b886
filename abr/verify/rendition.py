"""A media playlist with the facts of all that it lists."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

from abr.verify.finding import Finding
from abr.verify.fragment import Media
from abr.verify.init import Init, Track
from abr.verify.library import Fault, Library
from abr.verify.multivariant import Multivariant
from abr.verify.playlist import Entry, MediaPlaylist


@dataclass(frozen=True, eq=False)
class Item:
    """An entry with what its addresses hold."""

    entry: Entry
    init: Init
    media: Media

    def seconds(self, ticks: int) -> Fraction:
        """Ticks of the first track as seconds."""
        return Fraction(ticks, self.init.track.timescale)

    @cached_property
    def start(self) -> Fraction:
        """The earliest presentation time, after the edit list, seconds."""
        return presented(self.init.track, self.media)[0]

    @cached_property
    def length(self) -> Fraction:
        """Sum of the sample durations, seconds."""
        return self.seconds(self.media.duration)


def presented(track: Track, media: Media) -> tuple[Fraction, Fraction]:
    """Start and length of what is presented of a segment, seconds: an edit list shifts it and trims its head."""
    start = media.first_shown - track.shift
    trimmed = -start if track.shift > 0 else Fraction(0)
    trimmed = min(max(trimmed, Fraction(0)), Fraction(media.duration))
    return (start + trimmed) / track.timescale, (media.duration - trimmed) / track.timescale


@dataclass(frozen=True)
class Rendition:
    """A media playlist and its objects. `role` is variant, audio, video, subtitles or iframes."""

    playlist: MediaPlaylist
    role: str
    loaded: tuple[Item | None, ...]
    """One for each entry; None for gaps and for what could not be read."""
    faults: tuple[Finding, ...]

    @property
    def url(self) -> str:
        """The playlist's address."""
        return self.playlist.url

    @cached_property
    def media(self) -> tuple[Item, ...]:
        """The entries that were read without fault."""
        return tuple(item for item in self.loaded if item is not None)

    @property
    def init(self) -> Init | None:
        """The init of the newest segment."""
        return self.media[-1].init if self.media else None

    @property
    def track(self) -> Track | None:
        """The first track of the newest init."""
        return self.init.track if self.init else None

    @property
    def is_video(self) -> bool:
        """Whether its first track is video."""
        return bool(self.track and self.track.handler == "vide")

    @property
    def is_audio(self) -> bool:
        """Whether its first track is audio."""
        return bool(self.track and self.track.handler == "soun")

    @cached_property
    def rate(self) -> Fraction | None:
        """Frames a second: of the constant duration of all samples, else their mean; None without samples."""
        steps = {item.seconds(step) for item in self.media for step in item.media.steps}
        total = sum((item.length for item in self.media), Fraction(0))
        if len(steps) == 1 and total:
            return 1 / min(steps)
        return sum(item.media.samples for item in self.media) / total if total else None

    @cached_property
    def mean(self) -> Fraction:
        """Measured bits a second over all segments that were read; 0 without any."""
        length = sum((item.length for item in self.media), Fraction(0))
        return 8 * sum(item.media.size for item in self.media) / length if length else Fraction(0)

    @cached_property
    def peak(self) -> Fraction:
        """Bits a second of the fastest run of segments that lasts 0.5 to 1.5 target durations (4.4.6.2)."""
        return max(
            (rate for first in range(len(self.loaded)) for rate in self._runs(first)), default=Fraction(0)
        )

    def _runs(self, first: int) -> Iterator[Fraction]:
        target = self.playlist.target or 1
        size, length = 0, Fraction(0)
        for item in self.loaded[first:]:
            if item is None or 2 * length > 3 * target:
                return
            size, length = size + item.media.size, length + item.entry.duration
            if target <= 2 * length <= 3 * target:
                yield 8 * size / length

    def where(self, item: Item) -> str:
        """The place of an entry for a report."""
        return f"{self.url}#{item.entry.sequence}"

    def pairs(self) -> Iterator[tuple[Item, Item]]:
        """Each two entries that follow each other in one timeline and were both read."""
        for before, after in pairwise(self.loaded):
            if before and after and not after.entry.breaks:
                yield before, after


@dataclass(frozen=True)
class Presentation:
    """A multivariant playlist and the renditions that could be read, by address."""

    multivariant: Multivariant
    renditions: dict[str, Rendition]

    @cached_property
    def main(self) -> tuple[Rendition, ...]:
        """Renditions that are not I-frame lists."""
        return tuple(item for item in self.renditions.values() if item.role != "iframes")

    @cached_property
    def video(self) -> tuple[Rendition, ...]:
        """Renditions whose first track is video, I-frame lists not among them."""
        return tuple(item for item in self.main if item.is_video)

    @cached_property
    def audio(self) -> tuple[Rendition, ...]:
        """Renditions whose first track is audio."""
        return tuple(item for item in self.main if item.is_audio)

    @cached_property
    def iframes(self) -> tuple[Rendition, ...]:
        """The I-frame lists."""
        return tuple(item for item in self.renditions.values() if item.role == "iframes")


def load(library: Library, playlist: MediaPlaylist, role: str) -> Rendition:
    """Fetch and read all that a playlist lists; what fails becomes a finding of H-06, H-07 or H-45."""
    faults: dict[Finding, None] = {}
    loaded: list[Item | None] = []
    for entry in playlist.entries:
        result = None if entry.gap else _load_entry(library, playlist, entry)
        loaded.append(result if isinstance(result, Item) else None)
        if isinstance(result, Finding):
            faults[result] = None
    return Rendition(playlist, role, tuple(loaded), tuple(faults))


def _load_entry(library: Library, playlist: MediaPlaylist, entry: Entry) -> Item | Finding | None:
    where = f"{playlist.url}#{entry.sequence}"
    if entry.initial is None:
        return _unmapped(library, entry, where)
    init = library.init(entry.initial.url, entry.initial.span)
    if isinstance(init, Fault):
        return Finding("H-06" if init.missing else "H-45", entry.initial.url, init.text)
    media = library.segment(entry.url, entry.span, init, cut=playlist.iframes_only)
    if isinstance(media, Fault):
        return Finding("H-07" if media.missing else "H-45", where, f"{entry.uri}: {media.text}")
    return Item(entry, init, media)


def _unmapped(library: Library, entry: Entry, where: str) -> Finding | None:
    """Without EXT-X-MAP: fMP4 breaks H-06, anything else (WebVTT, MPEG-TS) only has to be there."""
    answer = library.source.read(entry.url, entry.span, immutable=True)
    if not answer.ok:
        return Finding("H-07", where, f"{entry.uri}: {answer.problem}")
    if answer.body[4:8] in {b"styp", b"moof", b"sidx", b"prft", b"emsg"}:
        return Finding("H-06", where, "a segment in fMP4 without EXT-X-MAP")
    return None
