"""From one source picture to every rung's: each rung is scaled from the next larger one."""

from collections.abc import Collection, Sequence
from fractions import Fraction

import av
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from abr.errors import MediaError
from abr.transcode.picture import PIXELS, Box, colour_of, framed, pixel_aspect, place, reference, tag

Size = tuple[int, int]

_SQUARE = Fraction(1)

_EXACT = (
    Interpolation.LANCZOS
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)
"""Lanczos in exact arithmetic: the fast one tints greys by two steps where BT.601 becomes BT.709, and by up to
three where a picture shrinks to a fifth."""


class Scaler:
    """Any picture to one size: colour converted, pixels square, bars where the shapes differ."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._reformatter = VideoReformatter()

    def scale(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The picture in this size; `frame` itself if it is so already. Raises MediaError."""
        box = place(frame.width, frame.height, pixel_aspect(frame), self._size)
        picture = self._convert(frame, box)
        if box[2:] == self._size:
            return picture
        return framed(picture, box, self._size)

    def _convert(self, frame: av.VideoFrame, box: Box) -> av.VideoFrame:
        colour = colour_of(frame)
        try:
            picture = self._reformatter.reformat(
                frame,
                box.width,
                box.height,
                PIXELS,
                src_colorspace=colour.matrix,
                dst_colorspace=Colorspace.ITU709,
                interpolation=_EXACT,
                src_color_range=colour.range,
                dst_color_range=ColorRange.MPEG,
                threads=1,
            )
        except av.FFmpegError as error:
            raise MediaError(
                f"a picture of {frame.width}x{frame.height} in {frame.format.name} cannot be converted: "
                f"{error.strerror}"
            ) from error
        if picture is not frame:
            tag(picture)
        return picture


class Cascade:
    """The scalers of all rungs, from the largest to the smallest.

    `steps[i]` says how many slots lie between two pictures of rung i. A rung is scaled from the nearest
    larger one that has a picture whenever it has one itself, else from the source.
    """

    def __init__(self, sizes: Sequence[Size], steps: Sequence[int]) -> None:
        self._scalers = [Scaler(size) for size in sizes]
        self._bases = [_base(rung, sizes, steps) for rung in range(len(sizes))]
        self._source: av.VideoFrame | None = None
        self._made: dict[int, av.VideoFrame] = {}
        self._given: list[av.VideoFrame] = []
        """Frames that are not ours to give (again): the source, and what rungs got of it."""

    def scale(self, source: av.VideoFrame, rungs: Collection[int]) -> dict[int, av.VideoFrame]:
        """A frame for each of these rungs, its own to set times on; the pixels may be shared. Raises MediaError.

        The same source again costs no scaling. `source` is kept until the next one and never written to.
        """
        if source is not self._source:
            self._source, self._made, self._given = source, {}, [source]
        return {rung: self._own(self._picture(rung, source)) for rung in rungs}

    def _own(self, picture: av.VideoFrame) -> av.VideoFrame:
        """The picture itself the first time, then frames over the same pixels."""
        if any(picture is given for given in self._given):
            return reference(picture)
        self._given.append(picture)
        return picture

    def _picture(self, rung: int, source: av.VideoFrame) -> av.VideoFrame:
        if rung not in self._made:
            base = self._bases[rung]
            larger = source if base is None else self._picture(base, source)
            self._made[rung] = self._scalers[rung].scale(larger)
        return self._made[rung]


def _base(rung: int, sizes: Sequence[Size], steps: Sequence[int]) -> int | None:
    """The rung that this one is scaled from; None for the source."""
    width, height = sizes[rung]
    for other in reversed(range(rung)):
        larger = sizes[other][0] >= width and sizes[other][1] >= height
        if larger and steps[rung] % steps[other] == 0 and _same_shape(sizes[other], sizes[rung]):
            return other
    return None


def _same_shape(larger: Size, smaller: Size) -> bool:
    """Whether no bars come between these sizes; bars within bars would shrink the picture."""
    box = place(*larger, aspect=_SQUARE, room=smaller)
    return box[2:] == smaller
