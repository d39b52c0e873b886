"""From one source picture to every rung's: each rung is scaled from the next larger one."""

from collections.abc import Collection, Sequence
from fractions import Fraction

import av
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from abr.errors import MediaError
from abr.model.ladder import Fit
from abr.transcode.chain import Chain
from abr.transcode.picture import (
    PIXELS,
    Box,
    Colour,
    colour_of,
    framed,
    pixel_aspect,
    place,
    reference,
    tag,
    window,
)
from abr.transcode.tone import PIXELS as RGB
from abr.transcode.tone import Range, Toner, can_map, range_of

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


_OURS = Colour(Colorspace.ITU709, ColorRange.MPEG)
"""What encoders take."""


class Scaler:
    """Any picture to one size: colour converted, HDR brought to BT.709, pixels square.

    Where the shapes differ `fit` says what is done.
    """

    def __init__(self, size: Size, fit: Fit = Fit.LETTERBOX) -> None:
        self._size = size
        self._fit = fit
        self._reformatter = VideoReformatter()
        self._cutter: tuple[Box, Chain] | None = None
        self._toning: _Toning | None = None

    def scale(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The picture in this size; `frame` itself if it is so already. Raises MediaError."""
        shape = (frame.width, frame.height, pixel_aspect(frame), self._size)
        part = window(*shape) if self._fit is Fit.CROP else None
        box = place(*shape, self._fit)
        try:
            picture = self._convert(frame if part is None else self._cut(frame, part), box)
        except (av.FFmpegError, ValueError) as error:
            raise MediaError(
                f"a picture of {frame.width}x{frame.height} in {frame.format.name} cannot be converted: "
                f"{getattr(error, 'strerror', error)}"
            ) from error
        if box[2:] == self._size:
            return picture
        return framed(picture, box, self._size)

    def _cut(self, frame: av.VideoFrame, part: Box) -> av.VideoFrame:
        """A part of a picture; no pixel is copied."""
        if self._cutter is None or self._cutter[0] != part:
            self._cutter = part, Chain(("crop", f"{part.width}:{part.height}:{part.left}:{part.top}"))
        return self._cutter[1].push(frame)[-1]

    def _convert(self, frame: av.VideoFrame, box: Box) -> av.VideoFrame:
        colour, wide = colour_of(frame), range_of(frame)
        if wide is not None and can_map():
            return self._toned(frame, box, colour, wide)
        picture = _reformatted(self._reformatter, frame, box, colour)
        if picture is not frame:
            tag(picture)
        return picture

    def _toned(self, frame: av.VideoFrame, box: Box, colour: Colour, wide: Range) -> av.VideoFrame:
        """The picture scaled first: a table of colours costs time for each pixel."""
        if self._toning is None or self._toning.kind is not wide:
            self._toning = _Toning(wide)
        return self._toning.convert(frame, box, colour)


class _Toning:
    """The way of a picture of more than BT.709: scaled to RGB, through the table, to what encoders take."""

    def __init__(self, kind: Range) -> None:
        self.kind = kind
        self._toner = Toner(kind)
        self._before, self._after = VideoReformatter(), VideoReformatter()

    def convert(self, frame: av.VideoFrame, box: Box, colour: Colour) -> av.VideoFrame:
        full = Colour(colour.matrix, ColorRange.JPEG)
        rgb = _reformatted(self._before, frame, box, colour, RGB, full)
        toned = self._toner.push(rgb)
        picture = _reformatted(self._after, toned, box, Colour(Colorspace.ITU709, ColorRange.JPEG))
        # What the source said of its light (mastering display, light level) is true no more.
        return reference(picture)


def _reformatted(
    reformatter: VideoReformatter,
    frame: av.VideoFrame,
    box: Box,
    colour: Colour,
    form: str = PIXELS,
    wanted: Colour = _OURS,
) -> av.VideoFrame:
    return reformatter.reformat(
        frame,
        box.width,
        box.height,
        form,
        src_colorspace=colour.matrix,
        dst_colorspace=wanted.matrix,
        interpolation=_EXACT,
        src_color_range=colour.range,
        dst_color_range=wanted.range,
        threads=1,
    )


class Cascade:
    """The scalers of all rungs, from the largest to the smallest.

    `steps[i]` says how many slots lie between two pictures of rung i. A rung is scaled from the nearest
    larger one that has a picture whenever it has one itself, else from the source.
    """

    def __init__(self, sizes: Sequence[Size], steps: Sequence[int], fit: Fit = Fit.LETTERBOX) -> None:
        self._scalers = [Scaler(size, fit) for size in sizes]
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
