"""Frames on their way from the decoder to the encoders."""

from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""Planar sound, shape [channels, samples], full scale ±1.0."""


class DecodedPicture(NamedTuple):
    """A picture as it came out of a decoder; `pts` in ticks of its track's time base."""

    track: int
    pts: int
    frame: av.VideoFrame


class DecodedSound(NamedTuple):
    """Sound as it came out of a decoder; `pts` in ticks of its track's time base."""

    track: int
    pts: int
    frame: av.AudioFrame


class Picture(NamedTuple):
    """A picture in its place on the output clock. Nobody writes to `frame`: rungs share it."""

    pts: int
    """Ticks of the ladder's video timescale, media time."""
    duration: int
    key: bool
    """A segment or a key interval starts here, in every rung."""
    frame: av.VideoFrame
    slate: bool = False


class Sound(NamedTuple):
    """Sound in its place on the output clock: 48 kHz, without a hole after the one before."""

    rendition: str
    pts: int
    """Media time of the first sample, in samples."""
    samples: Samples


Decoded = DecodedPicture | DecodedSound
Placed = Picture | Sound
Container = Any
"""An open PyAV container; its type differs between reading and writing."""
