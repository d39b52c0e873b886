"""A row of samples without a hole: appended at its end, read and dropped at its beginning."""

from collections import deque
from typing import NamedTuple

import numpy as np

from abr.transcode.frame import Samples


class _Piece(NamedTuple):
    """Sound, or silence (None), of this many samples."""

    length: int
    samples: Samples | None


class SampleRow:
    """Sound for [base, tail), in samples of the output clock. Silence takes no memory."""

    def __init__(self, channels: int, base: int) -> None:
        self._channels = channels
        self._pieces: deque[_Piece] = deque()
        self.base = base
        self.tail = base

    def append(self, samples: Samples) -> None:
        """Add sound at the end."""
        if samples.shape[1]:
            self._pieces.append(_Piece(samples.shape[1], samples))
            self.tail += samples.shape[1]

    def append_silence(self, length: int) -> None:
        """Add silence at the end."""
        self._pieces.append(_Piece(length, None))
        self.tail += length

    def prepend_silence(self, length: int) -> None:
        """Add silence before the beginning."""
        self._pieces.appendleft(_Piece(length, None))
        self.base -= length

    def drop_before(self, place: int) -> None:
        """Forget what lies before `place`; at least the last sample's end stays."""
        while self._pieces and self.base < place:
            length, samples = self._pieces.popleft()
            drop = min(length, place - self.base)
            if drop < length:
                rest = None if samples is None else samples[:, drop:]
                self._pieces.appendleft(_Piece(length - drop, rest))
            self.base += drop

    def cut_after(self, place: int) -> None:
        """Forget what lies at or after `place`."""
        while self._pieces and self.tail > place:
            length, samples = self._pieces.pop()
            keep = max(0, length - (self.tail - place))
            self.tail -= length - keep
            if keep:
                self._pieces.append(_Piece(keep, None if samples is None else samples[:, :keep]))

    def fade_in(self, length: int) -> None:
        """Let the first piece of sound come up from silence, within `length` samples."""
        if self._pieces and self._pieces[0].samples is not None:
            self._pieces[0] = self._pieces[0]._replace(samples=faded_in(self._pieces[0].samples, length))

    def fade_out(self, length: int) -> None:
        """Let the last piece of sound go down to silence, within `length` samples."""
        if self._pieces and self._pieces[-1].samples is not None:
            backward = faded_in(self._pieces[-1].samples[:, ::-1], length)
            self._pieces[-1] = self._pieces[-1]._replace(samples=backward[:, ::-1])

    def read(self, length: int) -> Samples:
        """Take the first `length` samples, which are here."""
        made: Samples = np.zeros((self._channels, length), np.float32)
        end = self.base + length
        while self.base < end:
            size, samples = self._pieces.popleft()
            part = min(size, end - self.base)
            if samples is not None:
                place = length - (end - self.base)
                made[:, place : place + part] = samples[:, :part]
            if part < size:
                rest = None if samples is None else samples[:, part:]
                self._pieces.appendleft(_Piece(size - part, rest))
            self.base += part
        return made


def faded_in(samples: Samples, length: int) -> Samples:
    """A copy that comes up from silence within `length` samples."""
    made = samples.copy()
    length = min(length, made.shape[1])
    made[:, :length] *= np.arange(length, dtype=np.float32) / max(1, length)
    return made
