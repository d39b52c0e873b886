"""A media playlist with the facts of all that it lists."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from abr.verify.finding import Finding
from abr.verify.fragment import Media
from abr.verify.init import Init, Track
from abr.verify.library import Fault, Library
from abr.verify.multivariant import Multivariant
from abr.verify.playlist import Entry, MediaPlaylist


class Item(NamedTuple):
    """An entry with what its addresses hold."""

    entry: Entry
    init: Init
    media: Media

    def seconds(self, ticks: int) -> Fraction:
        """Ticks of the first track as seconds."""
        return Fraction(ticks, self.init.track.timescale)

    @property
    def start(self) -> Fraction:
        """The earliest presentation time, after the edit list, seconds."""
        track = self.init.track
        return (self.media.first_shown - track.shift) / track.timescale

    @property
    def length(self) -> Fraction:
        """Sum of the sample durations, seconds."""
        return self.seconds(self.media.duration)


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
