"""The whole ladder: one source picture to a frame for each rung, and the stage that encodes a rung."""

from collections.abc import Collection, Sequence
from fractions import Fraction
from typing import NamedTuple

import av

from abr.errors import MediaError
from abr.model.ladder import Ladder, VideoTarget
from abr.model.media import Absent, EncodedPacket
from abr.transcode.cadence import FilmCadence, SteadyCadence, steps
from abr.transcode.frame import Picture
from abr.transcode.picture import black
from abr.transcode.scale import Cascade
from abr.transcode.video import VideoEncoder

_SMALL = 16, 16
"""Black where there was no picture yet: as good in any size."""


class RungFrame(NamedTuple):
    """A picture in a rung's size. Its frame object belongs to the rung's encoder alone; pixels may be shared."""

    rung: int
    """Its place in `Ladder.video`."""
    frame: av.VideoFrame
    pts: int
    duration: int
    key: bool
    plain: bool = False
    """Shown in the order of decoding, whatever the encoder would choose: frames are missing around it."""


class ScaledLadder:
    """Scales for all rungs, in one thread; as a stage it gives out RungFrames.

    A rung with 1/k of the ladder's frame rate gets each k-th picture, for as long as all k. `steady` says
    that pictures come one per slot, counted since the epoch; a film's are counted from each key picture.
    A picture that cannot be scaled is an error in a film; live, the one before it is shown once more.
    Raises ConfigError where a rung's rate does not divide the largest one.
    """

    def __init__(self, ladder: Ladder, *, steady: bool = True) -> None:
        counts = steps(ladder.video)
        sizes = [(target.width, target.height) for target in ladder.video]
        cascade = Cascade(sizes, counts, ladder.fit)
        self._lasting = _Lasting(cascade) if steady else None
        self._cascade = self._lasting or cascade
        self._thinned = _steady(ladder.video, counts) if steady else _Film(counts)

    def scale(self, picture: Picture) -> list[RungFrame]:
        """The frames that are ready now, the largest rung's first. Raises MediaError."""
        return self._thinned.push(picture, self._cascade)

    @property
    def refused(self) -> int:
        """Pictures that could not be scaled and were passed over."""
        return self._lasting.refused if self._lasting else 0

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
        self._target, self._steady = target, steady
        self._encoder: VideoEncoder | None = VideoEncoder(target, steady=steady)
        self.encoding = self._encoder.encoding

    def push(self, item: RungFrame | Absent, now: int) -> list[EncodedPacket | Absent]:  # noqa: ARG002 - a stage's shape
        """Encode a frame. Raises MediaError.

        Absent ends the encoder, so that nothing of what came before stays inside; the next frame gets a new one.
        """
        if isinstance(item, Absent):
            return [*self.flush(), item]
        encoder = self._encoder or self._opened()
        return [*encoder.encode(item.frame, item.pts, item.duration, key=item.key, plain=item.plain)]

    def tick(self, now: int) -> list[EncodedPacket | Absent]:  # noqa: ARG002 - a stage's shape
        """Nothing is due without a frame."""
        return []

    def due(self) -> int | None:
        """Only a frame brings anything."""
        return None

    def flush(self) -> list[EncodedPacket | Absent]:
        """What is still inside. Raises MediaError."""
        encoder, self._encoder = self._encoder, None
        return [*encoder.flush()] if encoder else []

    def _opened(self) -> VideoEncoder:
        encoder = self._encoder = VideoEncoder(self._target, steady=self._steady)
        if encoder.encoding != self.encoding:
            raise MediaError(
                f"rung {self._target.name}: {self._target.codec} opened again gives another header",
                hint="choose an encoder that does not change",
            )
        return encoder


class _Lasting:
    """A cascade that passes over pictures that it cannot scale: the last one that it could stays."""

    def __init__(self, cascade: Cascade) -> None:
        self._cascade = cascade
        self._taken = black(*_SMALL)
        self._refused: av.VideoFrame | None = None
        self.refused = 0

    def scale(self, source: av.VideoFrame, rungs: Collection[int]) -> dict[int, av.VideoFrame]:
        """As `Cascade.scale`, but for what is raised."""
        if source is not self._refused:
            try:
                frames = self._cascade.scale(source, rungs)
            except MediaError:
                self._refused, self.refused = source, self.refused + 1
            else:
                self._taken = source
                return frames
        try:
            return self._cascade.scale(self._taken, rungs)
        except MediaError:  # only larger rungs had been made of it
            self._taken = black(*_SMALL)
            return self._cascade.scale(self._taken, rungs)


class _Steady:
    """Live: a slot's length is known, so each frame goes out at once."""

    def __init__(self, cadences: Sequence[SteadyCadence]) -> None:
        self._cadences = cadences

    def push(self, picture: Picture, cascade: Cascade | _Lasting) -> list[RungFrame]:
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

    def push(self, picture: Picture, cascade: Cascade | _Lasting) -> list[RungFrame]:
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
