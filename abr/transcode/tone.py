"""High dynamic range and wide colour as BT.709: PQ, HLG and BT.2020 through a table of colours."""

from enum import Enum
from fractions import Fraction
from functools import cache

import av
import numpy as np
from av.filter import Graph, filters_available
from av.filter.context import FilterContext
from av.video.format import VideoFormat
from av.video.reformatter import ColorPrimaries, ColorTrc
from numpy.typing import NDArray

Light = NDArray[np.float64]
"""Red, green and blue along the last axis; cd/m² or shares of full scale."""

PIXELS = "gbrp16le"
"""The form of pictures that go through a table: full range. With 10 bits FFmpeg takes twice as long."""

_FULL = 65535
_LEVEL = 7
"""The table knows level² values of each of red, green and blue: greys are right to half a step of 8 bits."""

_GBR, _RGB = (1, 2, 0), (0, 1, 2)
_TRIAL = 16
_TICK = Fraction(1, 1_000_000)

_WHITE = 203.0
"""Reference white of HDR, cd/m² (ITU-R BT.2408-7, table 1); it is the brightest that BT.709 shows."""

_PEAK = 1000.0
"""The brightest that is told apart, cd/m²: what most is graded for, and the nominal peak of HLG (BT.2100-2)."""

_GAMMA = 2.4
"""Of a BT.709 display (ITU-R BT.1886)."""

_LUMA = np.array((0.2627, 0.6780, 0.0593))
"""Shares of luminance of BT.2020 colours (ITU-R BT.2020-2, table 4)."""

_TO_709 = np.array(((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)))
"""Linear BT.2020 to linear BT.709 (ITU-R BT.2087-0, annex 2, inverted)."""

_M1, _M2 = 2610 / 16384, 2523 / 32
_C1, _C2, _C3 = 3424 / 4096, 2413 / 128, 2392 / 128


class Range(Enum):
    """What a source needs beyond another matrix."""

    PQ = "HDR (PQ)"
    HLG = "HDR (HLG)"
    WIDE = "BT.2020 colour"


def range_of(frame: av.VideoFrame) -> Range | None:
    """What the tags of a frame ask for; None for ordinary pictures (ISO/IEC 23091-2, 8.1 and 8.2)."""
    if frame.color_trc == ColorTrc.SMPTE2084:
        return Range.PQ
    if frame.color_trc == ColorTrc.ARIB_STD_B67:
        return Range.HLG
    return Range.WIDE if frame.color_primaries == ColorPrimaries.BT2020 else None


def can_map() -> bool:
    """Whether this FFmpeg has the filter that looks colours up."""
    return "haldclut" in filters_available


class Toner:
    """Maps full-range RGB pictures of one range to BT.709. Raises av.FFmpegError where a filter refuses them."""

    def __init__(self, kind: Range) -> None:
        self._kind = kind
        self._size = (0, 0)
        self._table: _Table | None = None

    def push(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The same picture in BT.709, full-range RGB. The frame's times are overwritten."""
        size = (frame.width, frame.height)
        if self._table is None or size != self._size:
            self._table, self._size = _Table(_colours(self._kind), _planes(), size), size
        return self._table.push(frame)


class _Table:
    """FFmpeg's filter that looks colours up, for pictures of one size."""

    def __init__(self, colours: Light, planes: tuple[int, int, int], size: tuple[int, int]) -> None:
        graph = self._graph = Graph()
        table = _hald(colours, planes)
        self._pictures = self._buffer(*size)
        given = self._buffer(table.width, table.height)
        lookup, self._sink = graph.add("haldclut", "clut=first:interp=tetrahedral"), graph.add("buffersink")
        self._pictures.link_to(lookup, 0, 0)
        given.link_to(lookup, 0, 1)
        lookup.link_to(self._sink)
        graph.configure()
        given.push(table)
        given.push(None)
        self._count = 0

    def push(self, frame: av.VideoFrame) -> av.VideoFrame:
        self._count += 1
        frame.pts, frame.time_base = self._count, _TICK
        self._pictures.push(frame)
        made = self._sink.pull()
        assert isinstance(made, av.VideoFrame)
        return made

    def _buffer(self, width: int, height: int) -> FilterContext:
        return self._graph.add_buffer(width=width, height=height, format=VideoFormat(PIXELS), time_base=_TICK)


@cache
def _colours(kind: Range) -> Light:
    """BT.709 for a cube of colours of this range: blue, green, red."""
    steps = np.linspace(0, 1, _LEVEL**2)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    return mapped(kind, np.stack((red, green, blue), axis=-1))


def _hald(colours: Light, planes: tuple[int, int, int]) -> av.VideoFrame:
    """A cube of colours as the picture that the filter reads it from: red runs fastest, then green."""
    side = round(colours[..., 0].size ** 0.5)
    frame = av.VideoFrame(side, side, PIXELS)
    for plane, channel in zip(frame.planes, planes, strict=True):
        values = np.round(colours[..., channel] * _FULL)
        _lines(plane)[:, :side] = values.reshape(side, side)
    frame.pts = 0
    return frame


@cache
def _planes() -> tuple[int, int, int]:
    """Which of red, green and blue belong into the three planes of a table.

    Planes are green, blue, red. FFmpeg 8 reads them from a table, not from pictures, as red, green, blue;
    so it is tried out with a table that changes nothing.
    """
    steps = np.linspace(0, 1, 4)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    colours = np.stack((red, green, blue), axis=-1)
    frame = av.VideoFrame(_TRIAL, _TRIAL, PIXELS)
    for plane, value in zip(frame.planes, (0, 0, _FULL), strict=True):
        _lines(plane)[:] = value
    made = _Table(colours, _GBR, (_TRIAL, _TRIAL)).push(frame)
    return _GBR if _lines(made.planes[2])[0, 0] > _FULL // 2 else _RGB


def _lines(plane: av.video.plane.VideoPlane) -> NDArray[np.uint16]:
    # PyAV's stubs leave out that a plane is a buffer.
    values: NDArray[np.uint16] = np.frombuffer(plane, np.uint16)  # type: ignore[call-overload]
    return values.reshape(plane.height, -1)


def mapped(kind: Range, coded: Light) -> Light:
    """BT.709 values (0 to 1) for the values of a source in BT.2020."""
    if kind is Range.WIDE:
        light = coded**_GAMMA
    else:
        light = _compressed(_pq_light(coded) if kind is Range.PQ else _hlg_light(coded)) / _WHITE
    result: Light = _inside(light @ _TO_709.T) ** (1 / _GAMMA)
    return result


def _pq_light(coded: Light) -> Light:
    """PQ values as cd/m² (SMPTE ST 2084, 5.1)."""
    power = coded ** (1 / _M2)
    light: Light = 10_000 * (np.maximum(power - _C1, 0) / (_C2 - _C3 * power)) ** (1 / _M1)
    return light


def _pq_coded(light: Light) -> Light:
    """Cd/m² as PQ values (SMPTE ST 2084, 5.2)."""
    power = (light / 10_000) ** _M1
    coded: Light = ((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2
    return coded


def _hlg_light(coded: Light) -> Light:
    """HLG values as cd/m² of a display of 1000 cd/m² (ITU-R BT.2100-2, table 5)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)
    light: Light = _PEAK * scene * (scene @ _LUMA)[..., np.newaxis] ** 0.2
    return light


def _compressed(light: Light) -> Light:
    """Light of up to the peak brought below reference white, hue kept (ITU-R BT.2390-11, 5.4.1)."""
    brightest = light.max(axis=-1, keepdims=True)
    whole, white = _pq_coded(np.array((_PEAK, _WHITE)))
    most = white / whole
    knee = 1.5 * most - 0.5
    coded = np.minimum(_pq_coded(brightest) / whole, 1)
    t = np.maximum(coded - knee, 0) / (1 - knee)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * most
    )
    wanted = _pq_light(np.where(coded < knee, coded, spline) * whole)
    result: Light = light * wanted / np.maximum(brightest, 1e-9)
    return result


def _inside(light: Light) -> Light:
    """Colours that BT.709 does not have, as the nearest that it has; too bright ones keep their hue."""
    able = np.maximum(light, 0)
    result: Light = able / np.maximum(able.max(axis=-1, keepdims=True), 1)
    return result
