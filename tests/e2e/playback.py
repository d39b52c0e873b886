"""What a viewer gets: the pictures and the sound of a playlist's renditions, decoded by FFmpeg's library."""

import io
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import av
import m3u8
import numpy as np
from numpy.typing import NDArray

from tests.fakes import lipsync


class Shown(NamedTuple):
    """One decoded picture."""

    time: Fraction
    """Presentation time, seconds."""
    number: int
    """What the picture itself says; see `Rendition.pictures`."""
    luma: float
    """Mean of the part that flashes."""


class Heard(NamedTuple):
    """The decoded sound of a rendition, mixed to one channel."""

    start: Fraction
    rate: int
    samples: NDArray[np.float32]

    @property
    def length(self) -> Fraction:
        """Seconds."""
        return Fraction(len(self.samples), self.rate)


Look = Callable[[av.VideoFrame], tuple[int, float]]
"""Reads the number and the brightness of a picture."""


class Rendition:
    """A media playlist on disk, with one init."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.playlist = m3u8.load(str(path))
        self.segments = [(path.parent / segment.uri).resolve() for segment in self.playlist.segments]
        inits = {segment.init_section.uri for segment in self.playlist.segments}
        assert len(inits) == 1, f"{path} has {len(inits)} inits"
        self.init = (path.parent / inits.pop()).resolve()

    @cached_property
    def media(self) -> bytes:
        """Init and segments, one after the other."""
        return b"".join(file.read_bytes() for file in (self.init, *self.segments))

    @property
    def seconds(self) -> Fraction:
        """What the playlist says."""
        return sum((Fraction(str(segment.duration)) for segment in self.playlist.segments), Fraction(0))

    def pictures(self, look: Look) -> list[Shown]:
        """Every picture in the order of presentation."""
        with av.open(io.BytesIO(self.media), format="mp4") as container:
            return [
                Shown(frame.pts * frame.time_base, *look(frame))
                for frame in container.decode(video=0)
                if frame.pts is not None and frame.time_base is not None
            ]

    def sound(self) -> Heard:
        """Every sample."""
        blocks, start = [], None
        with av.open(io.BytesIO(self.media), format="mp4") as container:
            mixer = av.AudioResampler(format="flt", layout="mono")
            for frame in container.decode(audio=0):
                if start is None and frame.pts is not None and frame.time_base is not None:
                    start = frame.pts * frame.time_base
                blocks += [block.to_ndarray()[0] for block in mixer.resample(frame)]
        assert start is not None
        return Heard(start, 48_000, np.concatenate(blocks))


def renditions(entry: Path) -> dict[str, Rendition]:
    """All renditions of a multivariant playlist by the name of their folder: rungs and sound."""
    playlist = m3u8.load(str(entry))
    uris = [item.uri for item in playlist.playlists] + [item.uri for item in playlist.media if item.uri]
    paths = dict.fromkeys((entry.parent / uri).resolve() for uri in uris)
    return {path.parent.name: Rendition(path) for path in paths}


def lip_sync(pictures: Sequence[Shown], sound: Heard) -> Fraction | None:
    """Seconds by which sound follows the picture, the median of all flashes; None without any."""
    flashes = lipsync.flashes([lipsync.Frame(shown.time, shown.luma) for shown in pictures])
    return lipsync.offset(flashes, lipsync.beeps(sound.samples, sound.rate, sound.start))
