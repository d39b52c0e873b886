"""Decoded sound of any rate, format and layout as planar samples of one rate and channel count."""

from typing import Any

import av
import numpy as np

from abr.model.time import NANO
from abr.transcode.downmix import channel_names, mixing
from abr.transcode.frame import Samples

_Form = tuple[int, str, str]
"""Sample rate, format and layout."""


class Resampler:
    """Converts the sound of one track for one rendition. Its form may change from frame to frame.

    One channel becomes two equal ones at full level; more than two are mixed down so that nothing clips.
    Frames that FFmpeg refuses are left out and counted in `refused`.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._rate = rate
        self._channels = channels
        self._form: _Form | None = None
        self._engine: av.AudioResampler | None = None
        self._mixing: Samples | None = None
        self._shift = 0
        """From the times of frames to the ones that were given with them, ns."""
        self.refused = 0

    def push(self, time: int, frame: av.AudioFrame) -> list[tuple[int, Samples]]:
        """Convert a frame whose first sample is at `time` (ns); pieces with the time of their first sample."""
        form = (frame.sample_rate, frame.format.name, frame.layout.name)
        made: list[tuple[int, Samples]] = []
        if form != self._form:
            made = self.flush()
            self._form, self._engine = form, self._new_engine(form)
            self._mixing = mixing(channel_names(frame.layout), self._channels)
        if self._engine is None:
            return [*made, (time, self._shaped(frame))]
        self._shift = time - _instant(frame)
        return made + self._resampled(frame)

    def flush(self) -> list[tuple[int, Samples]]:
        """What the engine still holds (less than a millisecond)."""
        made = self._resampled(None) if self._engine is not None else []
        self._engine = self._form = None
        return made

    def _new_engine(self, form: _Form) -> av.AudioResampler | None:
        if form[:2] == (self._rate, "fltp"):
            return None
        return av.AudioResampler(format="fltp", rate=self._rate)

    def _resampled(self, frame: av.AudioFrame | None) -> list[tuple[int, Samples]]:
        assert self._engine is not None
        try:
            made = self._engine.resample(frame)
        except (av.FFmpegError, ValueError):
            self.refused += 1
            self._engine = self._form = None
            return []
        return [(_instant(piece) + self._shift, self._shaped(piece)) for piece in made]

    def _shaped(self, frame: av.AudioFrame) -> Samples:
        samples: Samples = frame.to_ndarray().astype(np.float32, copy=False)
        if not np.isfinite(samples.sum()):  # damaged float sound; an encoder would refuse it
            samples = np.nan_to_num(samples, posinf=0.0, neginf=0.0)
        return samples if self._mixing is None else self._mixing @ samples


def _instant(frame: Any) -> int:
    """A frame's own time in nanoseconds."""
    base = frame.time_base
    return int(frame.pts) * int(base.numerator) * NANO // int(base.denominator)
