"""The least that encoding a film to a ladder costs: decode, scale, encode, one after another, and nothing is kept.

`python -m benchmark.bare FILM PROFILE`: the other side of `overhead`. Same decoders, scalers and encoders as
`abr vod`; no threads of its own, no queues, no packaging, no journal, no delivery.
"""

import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.video.frame import PictureType

from abr.model.ladder import AudioTarget, Ladder
from abr.transcode.cadence import steps
from abr.transcode.encode import open_audio, open_video
from abr.transcode.scale import Cascade

from .source import ladder_of


class _Pictures:
    """Scales and encodes to all rungs."""

    def __init__(self, ladder: Ladder) -> None:
        self._targets = ladder.video
        self._contexts = [open_video(target, 1 / target.rate).context for target in ladder.video]
        self._counts = steps(ladder.video)
        self._cascade = Cascade([(target.width, target.height) for target in ladder.video], self._counts)
        self._index = 0

    def push(self, frame: Any) -> int:
        """Encode a picture; bytes that came out."""
        index, self._index = self._index, self._index + 1
        frame.pict_type = PictureType.NONE
        frame.opaque = Fraction(1)
        rungs = [rung for rung, count in enumerate(self._counts) if index % count == 0]
        size = 0
        for rung, picture in self._cascade.scale(frame, rungs).items():
            target, place = self._targets[rung], index // self._counts[rung]
            picture.pts, picture.time_base = place, 1 / target.rate
            picture.pict_type = PictureType.NONE if place % target.key_frames else PictureType.I
            size += _total(self._contexts[rung].encode(picture))
        return size

    def flush(self) -> int:
        """What was still inside."""
        return sum(_total(context.encode(None)) for context in self._contexts)


class _Sounds:
    """Encodes to all audio renditions."""

    def __init__(self, targets: Sequence[AudioTarget]) -> None:
        self._contexts = [open_audio(target).context for target in targets]
        self._resamplers = [
            av.AudioResampler("fltp", context.layout.name, target.sample_rate, target.frame)
            for context, target in zip(self._contexts, targets, strict=True)
        ]

    def push(self, frame: Any) -> int:
        """Encode sound; bytes that came out."""
        return sum(
            _total(context.encode(piece))
            for context, resampler in zip(self._contexts, self._resamplers, strict=True)
            for piece in resampler.resample(frame)
        )


def encode(film: Path, ladder: Ladder) -> int:
    """Encode the whole film; bytes that came out."""
    pictures, sounds = _Pictures(ladder), _Sounds(ladder.audio)
    size = 0
    with av.open(str(film)) as container:
        streams = [*container.streams.video[:1], *container.streams.audio[:1]]
        container.streams.video[0].thread_type = "FRAME"
        for packet in container.demux(streams):
            for frame in packet.decode():
                line = pictures if isinstance(frame, av.VideoFrame) else sounds
                size += line.push(frame)
    return size + pictures.flush()


def _total(packets: Sequence[Any]) -> int:
    return sum(packet.size for packet in packets)


if __name__ == "__main__":
    print(encode(Path(sys.argv[1]), ladder_of(Path(sys.argv[1]), sys.argv[2])))
