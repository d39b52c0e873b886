"""The encoder of one audio rendition: sound without holes in, packets on its grid out."""

import av
import numpy as np

from abr.errors import MediaError
from abr.model.ladder import AudioTarget
from abr.model.media import EncodedPacket, Encoding, Kind
from abr.transcode.encode import open_audio
from abr.transcode.frame import Samples, Sound
from abr.transcode.level import Level

_LOUDEST = 4.0
"""Twelve decibels above full scale: beyond it stands what a broken stream decodes to, and it fails the encoder."""


class AudioEncoder:
    """Encodes one rendition, as a stage. The priming packet, before the first sample, is not given out.

    Sound is brought to the target's loudness on the way, and measured if `measured`.
    So the packet at `pts` decodes to the samples from `pts` on. The first one lacks the overlap with what
    went before (9 ms fade in): feed one block earlier where there is one, and drop its packets.
    Raises EncoderMissing and MediaError.
    """

    def __init__(self, target: AudioTarget, *, measured: bool = False) -> None:
        self._target = target
        self.level = Level(target, measured=measured)
        self._context, header, _ = open_audio(target)
        if self._context.frame_size != target.frame:
            raise self._error(f"has frames of {self._context.frame_size} samples instead of {target.frame}")
        self._layout = self._context.layout.name
        self._start: int | None = None
        self._fed = 0
        """Samples since `_start` that the encoder has."""
        self._rest: Samples = np.zeros((target.channels, 0), np.float32)
        self.encoding = Encoding(
            target.name,
            Kind.AUDIO,
            target.sample_rate,
            header,
            delay=0,
            held=2 * target.frame + self.level.delay,
        )

    def push(self, item: Sound, now: int) -> list[EncodedPacket]:  # noqa: ARG002 - a stage's shape
        """Encode sound that follows the last without a hole. Raises MediaError."""
        if item.samples.shape[0] != self._target.channels:
            raise self._error(f"got {item.samples.shape[0]} channels instead of {self._target.channels}")
        ready = self.level.push(item._replace(samples=_bounded(item.samples)))
        return [packet for sound in ready for packet in self._take(sound)]

    def tick(self, now: int) -> list[EncodedPacket]:  # noqa: ARG002 - a stage's shape
        """Nothing is due without sound."""
        return []

    def due(self) -> int | None:
        """Only sound brings anything."""
        return None

    def flush(self) -> list[EncodedPacket]:
        """The last packets; a started frame is filled with silence. Nothing can be encoded after it."""
        packets = [packet for sound in self.level.flush() for packet in self._take(sound)]
        if self._start is None:
            return []
        if self._rest.shape[1]:
            missing = self._target.frame - self._rest.shape[1]
            packets += self._encode(np.pad(self._rest, ((0, 0), (0, missing))))
        self._rest = self._rest[:, :0]
        return packets + self._packets(None)

    def _take(self, sound: Sound) -> list[EncodedPacket]:
        samples = self._joined(sound)
        whole = samples.shape[1] - samples.shape[1] % self._target.frame
        self._rest = samples[:, whole:]
        return [packet for block in self._blocks(samples[:, :whole]) for packet in self._encode(block)]

    def _joined(self, sound: Sound) -> Samples:
        """What is left of the last block, and this one."""
        if self._start is None:
            self._start = sound.pts
        expected = self._start + self._fed + self._rest.shape[1]
        if sound.pts != expected:
            raise self._error(f"got sound at sample {sound.pts} where {expected} comes next")
        if not self._rest.shape[1]:
            return sound.samples
        return np.concatenate((self._rest, sound.samples), axis=1)

    def _blocks(self, samples: Samples) -> list[Samples]:
        size = self._target.frame
        return [samples[:, start : start + size] for start in range(0, samples.shape[1], size)]

    def _encode(self, block: Samples) -> list[EncodedPacket]:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout=self._layout)
        frame.sample_rate = self._target.sample_rate
        frame.pts, frame.time_base = self._fed, self._context.time_base
        self._fed += self._target.frame
        return self._packets(frame)

    def _packets(self, frame: av.AudioFrame | None) -> list[EncodedPacket]:
        try:
            packets = self._context.encode(frame)
        except av.FFmpegError as error:
            raise self._error(f"cannot encode: {error.strerror}") from error
        start = self._start or 0
        return [
            EncodedPacket(start + packet.pts, self._target.frame, key=True, data=bytes(packet))
            for packet in packets
            if 0 <= packet.pts < self._fed
        ]

    def _error(self, what: str) -> MediaError:
        return MediaError(f"audio {self._target.name}: {self._target.codec} {what}")


def _bounded(samples: Samples) -> Samples:
    """Sound that no encoder fails on."""
    finite = np.nan_to_num(samples, nan=0.0, posinf=_LOUDEST, neginf=-_LOUDEST)
    bounded: Samples = np.clip(finite, -_LOUDEST, _LOUDEST, dtype=np.float32)
    return bounded
