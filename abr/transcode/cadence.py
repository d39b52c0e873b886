"""Which slots a rung takes whose frame rate is a fraction of the ladder's."""

from fractions import Fraction

from abr.errors import ConfigError
from abr.model.ladder import VideoTarget


def steps(targets: tuple[VideoTarget, ...]) -> list[int]:
    """Slots from one picture of a rung to its next, for each rung. Raises ConfigError for rates that do not divide."""
    full = max(target.rate for target in targets)
    for target in targets:
        if (full / target.rate).denominator != 1:
            raise ConfigError(
                f"video.{target.name}.fps",
                f"{target.rate} does not divide the ladder's {full}; take {full}, {full / 2} or {full / 3}",
            )
    return [int(full / target.rate) for target in targets]


class SteadyCadence:
    """Live: slots are equally long and numbered since the epoch, so every rung of every session agrees."""

    def __init__(self, step: int, slot: Fraction) -> None:
        self._step = step
        self._slot = slot
        """Ticks."""

    def slots(self, pts: int, *, key: bool) -> int:
        """How many slots the picture at `pts` stands for in this rung; 0 where it is left out."""
        place = int(pts / self._slot) % self._step
        return self._step - place if key or place == 0 else 0


class FilmCadence:
    """A film: pictures have lengths of their own and are counted from each key picture."""

    def __init__(self, step: int) -> None:
        self._step = step
        self._count = 0

    def takes(self, *, key: bool) -> bool:
        """Whether the rung takes the next picture."""
        if key:
            self._count = 0
        taken = self._count % self._step == 0
        self._count += 1
        return taken
