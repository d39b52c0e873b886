"""The level of a rendition's sound: measured always, and brought to a loudness where one is asked for."""

import math
from collections import deque
from typing import NamedTuple

import numpy as np

from abr.model.ladder import AudioTarget
from abr.transcode.frame import Samples, Sound
from abr.transcode.kweight import STEP
from abr.transcode.limiter import DELAY, Limiter
from abr.transcode.loudness import ABSOLUTE, RELATIVE, Meter, Reading, lufs

_CEILING = 10 ** (-1 / 20)
"""-1 dBTP: what EBU R128 allows."""
_MEMORY = 300
"""Blocks (100 ms apart) of sound that the gain is chosen by: half a minute of it."""
_SURE = 30
"""Blocks before the gain first moves."""
_FAR = 10 ** (-RELATIVE / 10)
"""Of the mean energy: what lies below is no measure of the whole."""
_APPROACH = 0.02
"""Part of the error that is taken away in each step of 100 ms: most of it in ten seconds."""
_FASTEST = 0.1
"""Decibels a step at most: 1 dB a second."""
_HIGHEST, _LOWEST = 20.0, -30.0
"""Decibels. What is 20 dB too low is rather a wrong source, and noise would come up with it."""


class Shown(NamedTuple):
    """What a rendition sounds like now."""

    reading: Reading
    """Of what viewers hear."""
    gain: float | None = None
    """Decibels by which the source is changed; None where it is left as it is."""
    limited: float = 0.0
    """Decibels that the limiter takes off now, beyond that."""


class Gain:
    """Chooses the gain that brings a source to a loudness, slowly. One call each 100 ms.

    It follows the gated mean of the last half minute of sound; silence and soft passages leave it as it is.
    """

    def __init__(self, target: float) -> None:
        """`target` in LUFS."""
        self._target = target
        self._blocks: deque[float] = deque(maxlen=_MEMORY)
        self.decibels = 0.0

    def step(self, energy: float) -> float:
        """Take the energy of the source's last 400 ms; answer the gain at the end of the next step, dB."""
        if (lufs(energy) or ABSOLUTE) <= ABSOLUTE:
            return self.decibels
        self._blocks.append(energy)
        least = sum(self._blocks) / len(self._blocks) * _FAR
        if len(self._blocks) >= _SURE and energy >= least:
            heard = [block for block in self._blocks if block >= least]
            loudness = lufs(sum(heard) / len(heard)) or ABSOLUTE
            change = (self._target - loudness - self.decibels) * _APPROACH
            moved = self.decibels + max(-_FASTEST, min(_FASTEST, change))
            self.decibels = max(_LOWEST, min(_HIGHEST, moved))
        return self.decibels


class _Correction:
    """Gain and limiter of one rendition. Sound comes out `DELAY` samples later, with its own places."""

    def __init__(self, target: float, channels: int) -> None:
        self._source = Meter(channels, peaks=False)
        self._gain = Gain(target)
        self._limiter = Limiter(channels, _CEILING)
        self._level = self._aim = 1.0
        """The gain reached, and where this step of 100 ms goes."""
        self._left = STEP
        self._skip = DELAY

    @property
    def state(self) -> tuple[float, float]:
        """Decibels of gain, and of what the limiter takes off."""
        return self._gain.decibels, -20 * math.log10(self._limiter.reduction)

    def push(self, samples: Samples) -> Samples:
        """The sound that is ready: what came before, less the last few milliseconds."""
        return self._cut(self._limiter.push(self._scaled(samples)))

    def flush(self) -> Samples:
        """The rest."""
        return self._cut(self._limiter.flush())

    def _scaled(self, samples: Samples) -> Samples:
        """Louder by a gain that moves straight from step to step."""
        made = [samples[:, :0]]
        while samples.shape[1]:
            part, samples = samples[:, : self._left], samples[:, self._left :]
            self._source.push(part)
            count = part.shape[1]
            reached = self._level + (self._aim - self._level) * count / self._left
            made.append(part * np.linspace(self._level, reached, count, endpoint=False, dtype=np.float32))
            self._level, self._left = reached, self._left - count
            if not self._left:
                self._left = STEP
                self._level, self._aim = self._aim, 10 ** (self._gain.step(self._source.block) / 20)
        return np.concatenate(made, axis=1)

    def _cut(self, samples: Samples) -> Samples:
        """Without what the limiter gives before its first sample."""
        skip = min(self._skip, samples.shape[1])
        self._skip -= skip
        return samples[:, skip:]


class Level:
    """Between the sound's line and its encoder. Number and places of samples stay as they are.

    Without `loudness` of the target the sound is only measured, and that only if `measured`.
    """

    def __init__(self, target: AudioTarget, *, measured: bool) -> None:
        wanted = target.loudness
        self.rendition = target.name
        self.delay = 0 if wanted is None else DELAY
        """Samples that are held back for the limiter's look ahead."""
        self._meter = Meter(target.channels) if measured or wanted is not None else None
        self._correction = None if wanted is None else _Correction(wanted, target.channels)
        self._inside = self._next = 0

    def push(self, sound: Sound) -> list[Sound]:
        """Sound that follows the last."""
        correction = self._correction
        if correction is None:
            return self._measured(sound)
        samples = correction.push(sound.samples)
        self._inside += sound.samples.shape[1] - samples.shape[1]
        place = sound.pts + sound.samples.shape[1] - self._inside - samples.shape[1]
        self._next = place + samples.shape[1]
        return self._measured(sound._replace(pts=place, samples=samples))

    def flush(self) -> list[Sound]:
        """The sound that was held back."""
        if self._correction is None or not self._inside:
            return []
        samples = self._correction.flush()[:, -self._inside :]
        self._inside = 0
        return self._measured(Sound(self.rendition, self._next, samples))

    def shown(self) -> Shown | None:
        """What it sounds like now; None where nothing is measured. May be called from any thread."""
        if self._meter is None:
            return None
        reading = self._meter.read()
        return Shown(reading, *self._correction.state) if self._correction else Shown(reading)

    def _measured(self, sound: Sound) -> list[Sound]:
        if not sound.samples.shape[1]:
            return []
        if self._meter is not None:
            self._meter.push(sound.samples)
        return [sound]
