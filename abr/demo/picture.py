"""The test picture: colour bars, a sweeping hand, a running clock, a frame counter and a flash each second."""

import math
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from abr.model.time import NANO
from abr.transcode.font import text_mask

Plane = NDArray[np.uint8]

# BT.709, limited range, 75 % bars: white, yellow, cyan, green, magenta, red, blue.
_BARS = (
    (180, 128, 128),
    (168, 44, 136),
    (145, 147, 44),
    (133, 63, 52),
    (63, 193, 204),
    (51, 109, 212),
    (28, 212, 120),
)
_FLASH_FRAMES = 2
_WHITE, _BLACK, _GREY = 235, 16, 44


class TestPicture:
    """Paints frames of one size and rate as I420 planes stacked in one array, shape [height·3/2, width].

    The disc in the middle is white for the first two frames of each second: with the beep of `demo.sound` that
    begins at the same instant, lip sync can be measured.
    """

    __test__ = False  # not a test, whatever pytest thinks of the name

    def __init__(self, width: int, height: int, rate: int) -> None:
        self._width, self._height, self._rate = width, height, rate
        self._ground = _background(width, height)
        self._scale = max(1, height // 72)
        rows, columns = np.ogrid[:height, :width]
        self._dx, self._dy = columns - width / 2, rows - height / 2
        self._radius = height * 0.22
        self._disc = np.hypot(self._dx, self._dy) <= self._radius
        self._angle = np.arctan2(self._dx, -self._dy)[self._disc] % (2 * math.pi)
        self._ground[height:].reshape(2, height // 2, width // 2)[:, self._disc[::2, ::2]] = 128

    def paint(self, index: int, wall: int) -> Plane:
        """Frame number `index`; `wall` is the instant it shows, ns since the epoch."""
        image = self._ground.copy()
        image[: self._height][self._disc] = self._hand(index)
        now = datetime.fromtimestamp(wall // NANO, UTC)
        self._write(image, f"{now:%H:%M:%S}.{wall % NANO // 1_000_000:03d} UTC", self._height // 12)
        self._write(image, f"#{index:07d}", self._height - self._height // 12 - 7 * self._scale)
        return image

    def _hand(self, index: int) -> Plane:
        """The disc's luma: white at the flash, else a hand that goes round once a second."""
        place = index % self._rate
        if place < _FLASH_FRAMES:
            return np.full(self._angle.shape, _WHITE, np.uint8)
        swept = self._angle <= 2 * math.pi * place / self._rate
        return np.where(swept, np.uint8(120), np.uint8(_GREY))

    def _write(self, image: Plane, text: str, top: int) -> None:
        mask = text_mask(text, self._scale)
        height, width = mask.shape
        left = max(0, (self._width - width) // 2)
        chroma = image[self._height :].reshape(2, self._height // 2, self._width // 2)
        chroma[:, top // 2 : (top + height + 1) // 2, left // 2 : (left + width + 1) // 2] = 128
        area = image[top : top + height, left : left + width]
        area[:] = _BLACK
        area[mask[:, : area.shape[1]]] = _WHITE


def _background(width: int, height: int) -> Plane:
    """Colour bars above, a grey ramp below."""
    image = np.full((height * 3 // 2, width), 128, np.uint8)
    bars = height * 3 // 4
    image[bars:height] = np.linspace(_BLACK, _WHITE, width).astype(np.uint8)
    chroma = image[height:].reshape(2, height // 2, width // 2)
    for index, (luma, blue, red) in enumerate(_BARS):
        left, right = width * index // 14 * 2, width * (index + 1) // 14 * 2
        image[:bars, left:right] = luma
        chroma[0, : bars // 2, left // 2 : right // 2] = blue
        chroma[1, : bars // 2, left // 2 : right // 2] = red
    return image
