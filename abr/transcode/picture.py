"""A picture's colour and shape: what a decoded frame is, and where it lies in a rung's picture."""

from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray

from abr.model.ladder import Fit

PIXELS = "yuv420p"
"""The form of every picture that goes to an encoder: 8 bits, 4:2:0, BT.709, limited range, square pixels."""

_STANDARD_LINES = 576
"""Untagged pictures of at most so many lines are BT.601, larger ones BT.709 (ITU-R BT.601-7, BT.709-6)."""

_BLACK = (16, 128, 128)
"""Y, Cb, Cr of black in limited range (ITU-R BT.709-6, 4.6)."""

_MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
"""matrix_coefficients (ISO/IEC 23091-2, table 4) to the scaler's name of them."""


class Colour(NamedTuple):
    """How a frame's samples are to be read."""

    matrix: Colorspace
    range: ColorRange


class Box(NamedTuple):
    """A part of a picture, in pixels, all even."""

    left: int
    top: int
    width: int
    height: int


def colour_of(frame: av.VideoFrame) -> Colour:
    """How to read a frame; what its tags leave open is told by its size."""
    full = frame.color_range == ColorRange.JPEG or frame.format.is_rgb or frame.format.name.startswith("yuvj")
    return Colour(_matrix(frame), ColorRange.JPEG if full else ColorRange.MPEG)


def _matrix(frame: av.VideoFrame) -> Colorspace:
    untagged = Colorspace.ITU709
    if frame.height <= _STANDARD_LINES and not frame.format.is_rgb:
        untagged = Colorspace.ITU601
    return _MATRICES.get(frame.colorspace, untagged)


def pixel_aspect(frame: av.VideoFrame) -> Fraction:
    """Width of a pixel over its height.

    PyAV shows it on the decoder, not on the frame: whoever decodes puts the decoder's
    `sample_aspect_ratio` into `frame.opaque`. Without it pixels are square.
    """
    aspect = frame.opaque
    return aspect if isinstance(aspect, Fraction) and aspect > 0 else Fraction(1)


@lru_cache(maxsize=64)  # asked for each picture of each rung
def window(width: int, height: int, aspect: Fraction, room: tuple[int, int]) -> Box | None:
    """The middle part of a picture that fills `room` undistorted; None for all of it.

    What would cut off less than two pixels of `room` is left out, as in `place`.
    """
    shape = Fraction(*room)
    shown = Fraction(width, height) * aspect
    if place(width, height, aspect, room)[2:] == room:
        return None
    if shown > shape:
        part = min(width, _even(height * shape / aspect))
        return Box(_half_even(width - part), 0, part, height)
    part = min(height, _even(width * aspect / shape))
    return Box(0, _half_even(height - part), width, part)


@lru_cache(maxsize=64)
def place(width: int, height: int, aspect: Fraction, room: tuple[int, int], fit: Fit = Fit.LETTERBOX) -> Box:
    """Where a picture of this size and pixel aspect lies in `room`: whole, undistorted, in the middle.

    Only `Fit.LETTERBOX` leaves room beside it; what `Fit.CROP` leaves out is said by `window`.

    A bar that would be thinner than two pixels is left out: the rung's size is then the picture's,
    rounded to even numbers (854x480 is 16:9).
    """
    across, down = room
    if fit is not Fit.LETTERBOX:
        return Box(0, 0, across, down)
    shown = Fraction(width, height) * aspect
    box_width = min(across, _even(down * shown))
    box_height = min(down, _even(across / shown))
    if across - box_width <= 2:
        box_width = across
    if down - box_height <= 2:
        box_height = down
    return Box(_half_even(across - box_width), _half_even(down - box_height), box_width, box_height)


def reference(frame: av.VideoFrame) -> av.VideoFrame:
    """Another frame over the same pixels: its time and type can be set without touching `frame`.

    `frame` is a finished picture (PIXELS). No pixel is copied, except out of a frame stored upside down.
    """
    try:
        other = av.VideoFrame.from_dlpack(frame.planes, format=PIXELS, width=frame.width, height=frame.height)
    except NotImplementedError:
        other = av.VideoFrame.from_ndarray(frame.to_ndarray(format=PIXELS), format=PIXELS)
    tag(other)
    return other


def tag(frame: av.VideoFrame) -> None:
    """Write into a frame of ours what its samples mean; its pixels are square, whatever its source's were."""
    frame.opaque = None
    frame.colorspace = 1
    frame.color_range = ColorRange.MPEG
    frame.color_trc = ColorTrc.BT709
    frame.color_primaries = ColorPrimaries.BT709


def framed(picture: av.VideoFrame, box: Box, room: tuple[int, int]) -> av.VideoFrame:
    """The picture, already as large as its box, on black."""
    frame = black(*room)
    for index, (target, source) in enumerate(zip(frame.planes, picture.planes, strict=True)):
        shift = 1 if index else 0
        left, top, width, height = (side >> shift for side in box)
        _pixels(target)[top : top + height, left : left + width] = _pixels(source)[:height, :width]
    return frame


def black(width: int, height: int) -> av.VideoFrame:
    """A black picture."""
    frame = av.VideoFrame(width, height, PIXELS)
    for plane, value in zip(frame.planes, _BLACK, strict=True):
        _pixels(plane)[:] = value
    tag(frame)
    return frame


def _pixels(plane: av.video.plane.VideoPlane) -> NDArray[np.uint8]:
    """A plane's bytes as lines; a line is longer than the picture is wide."""
    # PyAV's stubs leave out that a plane is a buffer.
    lines: NDArray[np.uint8] = np.frombuffer(plane, np.uint8)  # type: ignore[call-overload]
    return lines.reshape(plane.height, plane.line_size)


def _even(length: Fraction) -> int:
    return max(2, 2 * round(length / 2))


def _half_even(length: int) -> int:
    return length // 4 * 2
