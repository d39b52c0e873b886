"""A clip from its file to the exit of the grid: every picture once, flash and beep together."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from abr.ingest.demux import Demuxer
from abr.ingest.normalise import Normaliser
from abr.ingest.pull import PulledFeed
from abr.model.time import NANO
from abr.transcode.decode import Decoder
from abr.transcode.frame import Picture, Placed
from abr.transcode.grid import LiveGrid
from tests.fakes.clip import Clip, is_flash, make_clip, read_number
from tests.fakes.ladder import make_ladder

NOON = 1_788_027_300 * NANO + 345_678_912


class Time:
    """A clock that only waiting moves; while it waits the grid ticks."""

    def __init__(self, grid: LiveGrid) -> None:
        self.ns = NOON
        self.grid = grid
        self.placed: list[Placed] = []

    def now(self) -> int:
        return self.ns

    def wait(self, ns: int) -> bool:
        until = self.ns + ns
        while (due := self.grid.due()) is not None and due <= until:
            self.placed += self.grid.tick(due)
        self.ns = until
        return True


def publish(path: Path, grid: LiveGrid, loops: int = 1) -> tuple[list[Placed], dict[str, int]]:
    """Everything that leaves the grid, and what the normaliser repaired."""
    demuxer = Demuxer(str(path))
    tracks, packets = demuxer.tracks, list(demuxer.packets())
    demuxer.close()
    time, normaliser, decoder = Time(grid), Normaliser(tracks), Decoder(tracks)
    grid.begin_feed(tracks)
    items = (item for _ in range(loops) for packet in packets for item in normaliser.push(packet))
    for item in PulledFeed(items, tracks, time.now, time.wait):
        for frame in decoder.push(item):
            time.placed += grid.push(frame, time.ns)
    for frame in decoder.flush():
        time.placed += grid.push(frame, time.ns)
    return time.placed + grid.flush(), normaliser.stats()


@pytest.mark.parametrize(
    "clip",
    [
        Clip(container="flv", b_frames=2, seconds=Fraction(4)),
        pytest.param(
            Clip(container="mpegts", seconds=Fraction(4), fps=Fraction(30), start=Fraction(3600)),
            marks=pytest.mark.thorough,
        ),
        pytest.param(Clip(seconds=Fraction(4), sound_rate=44_100, layout="mono"), marks=pytest.mark.thorough),
        Clip(container="mpegts", seconds=Fraction(4), fps=Fraction(30_000, 1001)),
    ],
    ids=lambda clip: f"{clip.container}-{clip.fps}-{clip.sound_rate}",
)
def test_a_clip_leaves_the_grid_whole_and_in_sync(tmp_path, clip):
    path = tmp_path / "clip"
    path.write_bytes(make_clip(clip))
    ladder = make_ladder(clip.fps)
    grid = LiveGrid(ladder, hold=NANO)
    placed, _ = publish(path, grid)
    pictures = [item for item in placed if isinstance(item, Picture)]
    sounds = [item for item in placed if not isinstance(item, Picture)]
    numbers = [read_number(item.frame) for item in pictures]
    assert numbers == list(range(numbers[0], int(4 * clip.fps)))
    scale = ladder.video[0].timescale
    bright = [is_flash(item.frame) for item in pictures]
    flashes = [
        item.pts for item, pair in zip(pictures[1:], pairwise(bright), strict=True) if pair == (False, True)
    ]
    samples = np.concatenate([item.samples for item in sounds], axis=1)[0]
    loud = np.flatnonzero(np.abs(samples) > 0.4) + sounds[0].pts
    beeps = loud[np.diff(loud, prepend=0) > 20_000]
    assert len(flashes) >= 2
    exact = clip.fps.denominator == 1
    for flash in flashes:
        # a picture begins up to one frame after its second where seconds are no whole frames; AAC smears the edge
        heard = beeps[np.abs(beeps - flash * 48_000 // scale).argmin()]
        early = Fraction(flash, scale) - Fraction(int(heard), 48_000)
        assert -Fraction(2, 1000) < early < Fraction(2, 1000) + (0 if exact else 1 / clip.fps)
    stats = grid.stats()
    for name in ("repeated", "idle", "dropped", "surplus", "moved", "late", "stretched"):
        assert stats[name] == 0, name


def test_a_looped_clip_goes_on_and_repeats_only_what_its_sound_is_longer(tmp_path):
    """In FLV its sound is 29 ms longer than its pictures: less than one picture, once in each loop."""
    path = tmp_path / "clip"
    path.write_bytes(make_clip(Clip(container="flv", seconds=Fraction(3))))
    grid = LiveGrid(make_ladder(), hold=NANO)
    placed, repaired = publish(path, grid, loops=3)
    numbers = [read_number(item.frame) for item in placed if isinstance(item, Picture)]
    steps = [(after - before) % 75 for before, after in pairwise(numbers)]
    assert set(steps) == {0, 1}
    assert all(numbers[place] == 74 for place, step in enumerate(steps) if step == 0)
    assert steps.count(0) == 2
    assert repaired["jumps"] == 2
    stats = grid.stats()
    assert (stats["repeated"], stats["dropped"], stats["surplus"], stats["anchored"]) == (2, 0, 0, 1)
    assert stats["late"] == stats["cut"] == 0
