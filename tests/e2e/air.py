"""A live channel as its viewers find it: the test picture on air, and what both origins say meanwhile."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from abr.demo.font import text_mask
from abr.demo.publisher import Broadcast, Publisher
from tests.e2e.playback import Shown
from tests.e2e.processes import Program
from tests.fakes.reader import Playlist, read_playlist

DIGITS = 7
_MILLISECOND = Fraction(1, 1000)
_GLYPHS = np.stack([text_mask(digit, 1)[:, :5] for digit in "0123456789"]).astype(np.float32)


def look(frame: av.VideoFrame) -> tuple[int, float]:
    """The counter of the test picture, and the brightness of the disc that flashes."""
    luma = frame.to_ndarray(format="gray8").astype(np.float32)
    height, width = luma.shape
    disc = luma[height * 2 // 5 : height * 3 // 5, width * 9 // 20 : width * 11 // 20]
    return read_counter(luma), float(disc.mean())


def read_counter(luma: NDArray[np.float32], *, source: int = 360) -> int:
    """The number behind the #, read dot by dot; `source` is the height at which it was painted."""
    dot = max(1, source // 72)
    scale = luma.shape[0] / source
    top = source - source // 12 - 7 * dot
    left = luma.shape[1] / scale / 2 - dot * 6 * (DIGITS + 1) / 2
    rows = ((top + (np.arange(7) + 0.5) * dot) * scale).astype(int)
    number = 0
    for place in range(1, DIGITS + 1):
        columns = ((left + (place * 6 + np.arange(5) + 0.5) * dot) * scale).astype(int)
        dots = (luma[np.ix_(rows, columns)] - 16) / 219
        number = number * 10 + int(np.abs(_GLYPHS - dots).sum(axis=(1, 2)).argmin())
    return number


@contextmanager
def publishing(url: str, seconds: int) -> Iterator[Publisher]:
    """The test picture on its way to `url`, from a process of its own."""
    publisher = Publisher(Broadcast(url, seconds))
    publisher.start()
    try:
        yield publisher
    finally:
        publisher.stop()


def listening(program: Program) -> None:
    """Wait until the worker takes publishers."""
    program.until("listening", lambda: program.log("listening"), 20)


@dataclass
class Watcher:
    """Looks at a channel's media playlists in the folders of its origins, again and again."""

    channels: Sequence[Path]
    seen: dict[Path, list[Playlist]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def look(self) -> bool:
        """One look at everything; always false, for it is a condition that only time ends."""
        for channel in self.channels:
            newest = {}
            for path in sorted(channel.glob("*/index.m3u8")):
                playlist = self._read(path)
                newest[path.parent.name] = max(playlist.entries)
            if newest and max(newest.values()) - min(newest.values()) > 1:
                self.faults.append(f"{channel}: rungs drift apart: {newest}")
        return False

    def _read(self, path: Path) -> Playlist:
        playlist = read_playlist(path.read_bytes())
        self._check_objects(path, playlist)
        self._check_time(path, playlist)
        history = self.seen.setdefault(path, [])
        if history:
            self._check_step(path, history[-1], playlist)
        if not history or history[-1] != playlist:
            history.append(playlist)
        return playlist

    def _check_objects(self, path: Path, playlist: Playlist) -> None:
        for entry in playlist.entries.values():
            missing = [
                uri for uri in (entry.uri, entry.init.split('"')[1]) if not (path.parent / uri).is_file()
            ]
            self.faults += [f"{path}: {uri} is listed and not there" for uri in missing]

    def _check_time(self, path: Path, playlist: Playlist) -> None:
        for place, entry in playlist.entries.items():
            after = playlist.entries.get(place + 1)
            if after and abs(after.date - entry.date - entry.duration) > _MILLISECOND:
                self.faults.append(f"{path}: the date jumps after {place}")

    def _check_step(self, path: Path, before: Playlist, after: Playlist) -> None:
        if after.sequence < before.sequence or max(after.entries) < max(before.entries):
            self.faults.append(f"{path}: went back from {before.sequence} to {after.sequence}")
        for place in before.entries.keys() & after.entries.keys():
            if before.entries[place] != after.entries[place]:
                self.faults.append(f"{path}: entry {place} changed")


def runs(numbers: Sequence[int]) -> list[int]:
    """The numbers without repetitions."""
    return [number for place, number in enumerate(numbers) if not place or numbers[place - 1] != number]


def feeds(numbers: Sequence[int], count: int) -> list[list[int]]:
    """What each of `count` feeds has shown: counters that only grow, from one that is smaller again."""
    parts: list[list[int]] = []
    for number in runs(numbers):
        if not parts or number < parts[-1][-1]:
            parts.append([])
        parts[-1].append(number)
    assert len(parts) == count, [(part[0], part[-1]) for part in parts]
    return parts


def slots(shown: Sequence[Shown], rate: int) -> list[Fraction]:
    """Presentation times in frames since the first one: 0, 1, 2 … where each slot is filled once."""
    return [(item.time - shown[0].time) * rate for item in shown]
