"""`python -m soaking`: hours of output time through normaliser, clock grid and cutter. Exit code 1 when it fails."""

import resource
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import click

from abr.ingest.normalise import Normaliser
from abr.ingest.past import Past
from abr.model.ladder import AudioTarget, Ladder, VideoTarget
from abr.model.media import Packet
from abr.model.time import NANO, segment_duration
from abr.transcode.grid import LiveGrid

from .feed import FPS, RATE, TRACKS, decoded, packets
from .judge import Broken, Judge

_HOLD = NANO
_NOON = 1_788_027_300 * NANO + 123_456_789
_GROWTH = 1.05
_HALF = NANO // FPS // 2


class Reading(NamedTuple):
    """One hour."""

    memory: int
    """Bytes that are resident."""
    late: float
    """How long after they came pictures have their place, on average, ns."""


class Soak:
    """One feed through one grid."""

    def __init__(self, hours: float, ppm: int) -> None:
        self._hours, self._ppm = hours, ppm
        self._now = _NOON
        self._normaliser = Normaliser(TRACKS, now=lambda: self._now, past=Past())
        self._ladder = _ladder()
        self._grid = LiveGrid(self._ladder, hold=_HOLD)
        self._grid.begin_feed(TRACKS)
        self._judge: Judge | None = None
        self.hours: list[Reading] = []

    def run(self, seconds: float) -> None:
        """Until the hours are over, or so many seconds of ours. Raises Broken."""
        began, hour = time.monotonic(), 1
        for sent in packets(self._hours):
            self._now = self._come(sent.time)
            for item in self._normaliser.push(sent.packet):
                if isinstance(item, Packet):
                    self._push(item)
            if sent.time >= hour * 3600 * NANO:
                self._tell(hour, time.monotonic() - began)
                hour += 1
                if seconds and time.monotonic() - began > seconds:
                    break

    def _come(self, time: int) -> int:
        """When what was made at this feed time comes."""
        return _NOON + time + time * self._ppm // 1_000_000

    def _push(self, packet: Packet) -> None:
        placed = self._grid.push(decoded(packet), self._now)
        if placed and self._judge is None:
            assert self._grid.start is not None
            self._judge = Judge(self._ladder, self._grid.start, lambda place: self._come(place * NANO // FPS))
        if self._judge is not None:
            self._judge.see(placed)

    def _tell(self, hour: int, seconds: float) -> None:
        judge, counts = self._judge, self._grid.stats()
        if judge is None:
            raise Broken("nothing came out")
        self.hours.append(Reading(_resident(), judge.late()))
        print(
            f"hour {hour:3}: {_resident() / 1e6:6.1f} MB, {judge.segments} segments, picture and sound apart at"
            f" most {judge.apart / 1e6:.1f} ms, on average {judge.behind() / 1e6:+.2f} ms, in place after"
            f" {judge.late() / 1e6:+.2f} ms, moved {counts['moved']},"
            f" repeated {counts['repeated']}, surplus {counts['surplus']}, dropped {counts['dropped']},"
            f" drift {self._grid.drift / 1000:+.0f} ppm, {seconds:.0f} s",
            flush=True,
        )
        if judge.apart > _HALF + 5_000_000:
            raise Broken(f"picture and sound are {judge.apart / 1e6:.1f} ms apart")
        judge.apart = 0
        wrong = {name: counts[name] for name in ("dropped", "silence", "cut", "late") if counts[name]}
        if wrong or counts["anchored"] != 1:
            raise Broken(f"media was lost: {wrong}, anchored {counts['anchored']} times")

    def failures(self) -> list[str]:
        """What is wrong with the whole."""
        found = []
        memory = [reading.memory for reading in self.hours]
        if memory and max(memory) > memory[0] * _GROWTH:
            found.append(f"memory grew from {memory[0] / 1e6:.1f} to {max(memory) / 1e6:.1f} MB")
        if self.hours and abs(self.hours[-1].late - self.hours[0].late) > _HALF:
            found.append(
                f"the end is {(self.hours[-1].late - self.hours[0].late) / 1e6:.1f} ms off the first hour"
            )
        if self._judge is not None and abs(self._judge.behind()) > _HALF:
            found.append(f"the picture ends {self._judge.behind() / 1e6:.1f} ms behind the sound")
        if not self.hours:
            found.append("less than an hour was run")
        return found


def _ladder() -> Ladder:
    duration = segment_duration(Fraction(2), [Fraction(FPS)], [RATE])
    rung = VideoTarget(
        "video",
        64,
        32,
        Fraction(FPS),
        90_000,
        "libx264",
        300_000,
        400_000,
        400_000,
        key_frames=int(duration * FPS),
    )
    return Ladder((rung,), (AudioTarget("sound", "aac", 128_000, channels=2),), duration, Fraction(300))


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


@click.command(
    epilog="Also: scripts/soak --laws, the laws that need hours of media; scripts/soak --torture, ten minutes of everything "
    "that a publisher can do wrong (ABR_TORTURE=0.2 is a fifth of it)."
)
@click.option("--hours", default=24.0, show_default=True, help="Output time.")
@click.option("--ppm", default=200, show_default=True, help="By how much the feed's clock is too slow.")
@click.option("--seconds", default=0.0, help="Stop at the first full hour after so long; 0: never.")
def main(hours: float, ppm: int, seconds: float) -> None:
    """A feed of so many hours through normaliser, clock grid and cutter, as fast as they go."""
    soak = Soak(hours, ppm)
    try:
        soak.run(seconds)
        failures = soak.failures()
    except Broken as error:
        failures = [str(error)]
    for failure in failures:
        print(f"failed: {failure}")
    sys.exit(bool(failures))


main()
