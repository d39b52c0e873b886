"""The test picture on air: its publisher, and what each of its frames says of itself."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from abr.demo.publisher import Broadcast, Publisher
from abr.transcode.font import text_mask
from tests.e2e.playback import Shown
from tests.e2e.processes import Program

DIGITS = 7
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
