"""The whole ladder: one source picture to a frame for each rung, and the stage that encodes a rung."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import av

from abr.model.ladder import Ladder, VideoTarget
from abr.model.media import EncodedPacket
from abr.transcode.cadence import FilmCadence, SteadyCadence, steps
from abr.transcode.frame import Picture
from abr.transcode.scale import Cascade
from abr.transcode.video import VideoEncoder


class RungFrame(NamedTuple):
    """A picture in a rung's size. Its frame object belongs to the rung's encoder alone; pixels may be shared."""

    rung: int
    """Its place in `Ladder.video`."""
    frame: av.VideoFrame
    pts: int
    duration: int
    key: bool


class ScaledLadder:
    """Scales for all rungs, in one thread; as a stage it gives out RungFrames.

    A rung with 1/k of the ladder's frame rate gets each k-th picture, for as long as all k. `steady` says
    that pictures come one per slot, counted since the epoch; a film's are counted from each key picture.
    Raises ConfigError where a rung's rate does not divide the largest one.
    """

    def __init__(self, ladder: Ladder, *, steady: bool = True) -> None:
        counts = steps(ladder.video)
        sizes = [(target.width, target.height) for target in ladder.video]
        self._cascade = Cascade(sizes, counts)
        self._thinned = _steady(ladder.video, counts) if steady else _Film(counts)

    def scale(self, picture: Picture) -> list[RungFrame]:
        """The frames that are ready now, the largest rung's first. Raises MediaError."""
        return self._thinned.push(picture, self._cascade)

    def push(self, item: Picture, now: int) -> list[RungFrame]:  # noqa: ARG002 - a stage's shape
        """`scale`, as a stage."""
        return self.scale(item)

    def tick(self, now: int) -> list[RungFrame]:  # noqa: ARG002 - a stage's shape
        """Nothing is due without a picture."""
        return []

    def due(self) -> int | None:
        """Only a picture brings anything."""
        return None

    def flush(self) -> list[RungFrame]:
        """The frames whose lengths only the end tells (films)."""
        return self._thinned.flush()


class RungEncoder:
    """Encodes one rung, as a stage; errors as VideoEncoder."""

    def __init__(self, target: VideoTarget, *, steady: bool = True) -> None:
        self._encoder = VideoEncoder(target, steady=steady)
        self.encoding = self._encoder.encoding

    def push(self, item: RungFrame, now: int) -> list[EncodedPacket]:  # noqa: ARG002 - a stage's shape
        """Encode a frame. Raises MediaError."""
        return self._encoder.encode(item.frame, item.pts, item.duration, key=item.key)

    def tick(self, now: int) -> list[EncodedPacket]:  # noqa: ARG002 - a stage's shape
        """Nothing is due without a frame."""
        return []

    def due(self) -> int | None:
        """Only a frame brings anything."""
        return None

    def flush(self) -> list[EncodedPacket]:
        """What is still inside. Raises MediaError."""
        return self._encoder.flush()


class _Steady:
    """Live: a slot's length is known, so each frame goes out at once."""

    def __init__(self, cadences: Sequence[SteadyCadence]) -> None:
        self._cadences = cadences

    def push(self, picture: Picture, cascade: Cascade) -> list[RungFrame]:
        slots = {
            rung: count
            for rung, cadence in enumerate(self._cadences)
            if (count := cadence.slots(picture.pts, key=picture.key))
        }
        frames = cascade.scale(picture.frame, slots)
        return [
            RungFrame(rung, frames[rung], picture.pts, picture.duration * count, picture.key)
            for rung, count in slots.items()
        ]

    def flush(self) -> list[RungFrame]:
        return []


class _Film:
    """A film: a frame of a thinned rung waits until its last slot's length is known."""

    def __init__(self, counts: Sequence[int]) -> None:
        self._cadences = [FilmCadence(step) for step in counts]
        self._waits = [step > 1 for step in counts]
        self._waiting: dict[int, RungFrame] = {}

    def push(self, picture: Picture, cascade: Cascade) -> list[RungFrame]:
        taken = [rung for rung, cadence in enumerate(self._cadences) if cadence.takes(key=picture.key)]
        frames = cascade.scale(picture.frame, taken)
        ready: list[RungFrame] = []
        for rung in range(len(self._cadences)):
            if rung in frames:
                ready += self._take(RungFrame(rung, frames[rung], picture.pts, picture.duration, picture.key))
            else:
                held = self._waiting[rung]
                self._waiting[rung] = held._replace(duration=held.duration + picture.duration)
        return ready

    def flush(self) -> list[RungFrame]:
        ready = [self._waiting[rung] for rung in sorted(self._waiting)]
        self._waiting.clear()
        return ready

    def _take(self, frame: RungFrame) -> list[RungFrame]:
        if not self._waits[frame.rung]:
            return [frame]
        before = self._waiting.get(frame.rung)
        self._waiting[frame.rung] = frame
        return [before] if before else []


def _steady(targets: Sequence[VideoTarget], counts: Sequence[int]) -> _Steady:
    slot = Fraction(targets[0].timescale) / max(target.rate for target in targets)
    return _Steady([SteadyCadence(step, slot) for step in counts])
