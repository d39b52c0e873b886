"""What the origins of a live channel say while it runs: laws that must hold at every single look."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, Protocol

from tests.fakes.reader import Playlist, read_playlist

_MILLISECOND = Fraction(1, 1000)


class Origin(Protocol):
    """A channel's part of an origin, as a viewer may read it."""

    @property
    def name(self) -> str:
        """How faults call it."""

    def playlists(self) -> dict[str, bytes]:
        """The media playlists that are there now, by rendition."""

    def holds(self, key: str) -> bool:
        """Whether the object is there; `key` counts from the channel's folder."""


class Folder(NamedTuple):
    """A channel's folder at an origin that is a directory."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path)

    def playlists(self) -> dict[str, bytes]:
        return {path.parent.name: path.read_bytes() for path in sorted(self.path.glob("*/index.m3u8"))}

    def holds(self, key: str) -> bool:
        return (self.path / key).is_file()


@dataclass
class Watcher:
    """Looks at the media playlists of all origins, again and again."""

    origins: Sequence[Origin]
    seen: dict[tuple[str, str], list[Playlist]] = field(default_factory=dict)
    """By origin and rendition: each state of the playlist that was seen, in order."""
    faults: list[str] = field(default_factory=list)
    _held: set[tuple[str, str]] = field(default_factory=set)

    def look(self) -> bool:
        """One look at everything; always false, for it is a condition that only time ends."""
        for origin in self.origins:
            found = origin.playlists()
            known = {rendition for place, rendition in self.seen if place == origin.name}
            self.faults += [f"{origin.name}: the playlist of {gone} is gone" for gone in known - found.keys()]
            playlists = {rendition: read_playlist(data) for rendition, data in found.items()}
            for rendition, playlist in playlists.items():
                self._check(origin, rendition, playlist)
            newest = {rendition: max(playlist.entries) for rendition, playlist in playlists.items()}
            if newest and max(newest.values()) - min(newest.values()) > 1:
                self.faults.append(f"{origin.name}: rungs drift apart: {newest}")
        return False

    def steps(self, origin: str, rendition: str) -> list[int]:
        """The media sequence numbers of what was seen."""
        return [playlist.sequence for playlist in self.seen[origin, rendition]]

    def _check(self, origin: Origin, rendition: str, playlist: Playlist) -> None:
        self._check_objects(origin, rendition, playlist)
        place = f"{origin.name} {rendition}"
        self._check_time(place, playlist)
        history = self.seen.setdefault((origin.name, rendition), [])
        if history:
            self._check_step(place, history[-1], playlist)
        if not history or history[-1] != playlist:
            history.append(playlist)

    def _check_objects(self, origin: Origin, rendition: str, playlist: Playlist) -> None:
        uris = {uri for entry in playlist.entries.values() for uri in (entry.uri, entry.init.split('"')[1])}
        for key in sorted(f"{rendition}/{uri}" for uri in uris):
            # What is there once stays: it is asked for when it is named first.
            if (origin.name, key) not in self._held:
                if origin.holds(key):
                    self._held.add((origin.name, key))
                else:
                    self.faults.append(f"{origin.name}: {key} is listed and not there")

    def _check_time(self, place: str, playlist: Playlist) -> None:
        for number, entry in playlist.entries.items():
            after = playlist.entries.get(number + 1)
            if after and abs(after.date - entry.date - entry.duration) > _MILLISECOND:
                self.faults.append(f"{place}: the date jumps after {number}")

    def _check_step(self, place: str, before: Playlist, after: Playlist) -> None:
        """It goes on; an entry keeps its number: so the sequence grows by exactly what left at the front."""
        if after.sequence < before.sequence or max(after.entries) < max(before.entries):
            self.faults.append(f"{place}: went back from {before.sequence} to {after.sequence}")
        common = before.entries.keys() & after.entries.keys()
        if not common:
            self.faults.append(f"{place}: nothing is left of {before.sequence} at {after.sequence}")
        for number in common:
            if before.entries[number] != after.entries[number]:
                self.faults.append(f"{place}: entry {number} changed")
