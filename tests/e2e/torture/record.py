"""What is left of the evening: the journal's rows, the files, and the pictures of the recording."""

import sqlite3
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from tests.e2e.playback import Rendition, Shown, renditions
from tests.e2e.torture.programme import NUMBERS
from tests.fakes.clip import read_number

SLATE = -1
"""In place of a number."""


class Row(NamedTuple):
    """A segment in the journal."""

    rendition: int
    number: int
    gap: int
    slate: int
    confirmed: float
    """When the origin had it, wall clock."""


class Journal:
    """A worker's journal, read only."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def count(self, table: str) -> int:
        return int(self._ask(f"SELECT count(*) FROM {table}")[0][0])

    def rows(self) -> list[Row]:
        """Every segment, with its delivery."""
        found = self._ask(
            "SELECT s.rendition, s.number, s.gap, s.slate, d.wall FROM segments s JOIN deliveries d"
            " USING (session, number, rendition) ORDER BY s.rendition, s.number"
        )
        return [Row(*row[:4], row[4] / 1e9) for row in found]

    def _ask(self, query: str) -> list[tuple]:
        with sqlite3.connect(f"file:{self._path}?mode=ro", uri=True) as connection:
            return connection.execute(query).fetchall()


def look(frame: av.VideoFrame) -> tuple[int, float]:
    """The camera's number, or SLATE: the camera's pictures are grey, the slate is a little blue."""
    plane = frame.reformat(format="yuv420p").planes[1]
    blue = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
    colour = float(np.abs(blue.astype(int) - 128).mean())
    luma = frame.to_ndarray(format="gray8")
    return (SLATE if colour > 6 else read_number(frame)), float(luma[luma.shape[0] // 2 :].mean())


def recording(channel: Path) -> dict[str, Rendition]:
    """The renditions of the channel's only recording."""
    (entry,) = channel.glob("recordings/*/index.m3u8")
    return renditions(entry)


class Step(NamedTuple):
    """A picture of the camera that came on the screen."""

    at: float
    """The output's time."""
    number: int

    @property
    def camera(self) -> float:
        """When the camera made it, by its own clock."""
        return self.number / NUMBERS


def steps(shown: list[Shown], start: Fraction) -> list[Step]:
    """Each time another picture of the camera came; `start` is the wall clock of the first one shown."""
    found: list[Step] = []
    for item in shown:
        if item.number != SLATE and not (found and found[-1].number == item.number):
            found.append(Step(float(start + item.time - shown[0].time), item.number))
    return found
