"""Footage as it comes from the real world: fields, pictures stored sideways, high dynamic range."""

import io
import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

SIZE = (64, 48)
TICK = Fraction(1, 25)


def bar(place: int, height: int = SIZE[1], width: int = SIZE[0]) -> NDArray[np.uint8]:
    """Luma of a white bar, eight pixels wide, on black."""
    luma = np.full((height, width), 16, np.uint8)
    luma[:, place : place + 8] = 235
    return luma


def woven(first: NDArray[np.uint8], second: NDArray[np.uint8], *, top_first: bool) -> NDArray[np.uint8]:
    """Two fields, in the order of time, in one frame."""
    frame = first.copy()
    frame[1 if top_first else 0 :: 2] = second[1 if top_first else 0 :: 2]
    return frame


def grey(luma: NDArray[np.uint8]) -> av.VideoFrame:
    """A frame without colour."""
    chroma = np.full((luma.shape[0] // 2, luma.shape[1]), 128, np.uint8)
    return av.VideoFrame.from_ndarray(np.vstack((luma, chroma)), format="yuv420p")


def luma_of(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """The brightness of an 8-bit planar frame, as large as it is shown."""
    plane = frame.planes[0]
    return np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


def flagged(frame: av.VideoFrame, mode: str) -> av.VideoFrame:
    """The frame with its flags set: "tff", "bff" (interlaced) or "prog"."""
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
    )
    graph.link_nodes(source, graph.add("setfield", mode), graph.add("buffersink"))
    graph.configure()
    graph.vpush(frame)
    return graph.vpull()


def fields(count: int, *, top_first: bool) -> list[av.VideoFrame]:
    """Interlaced frames: the bar of field t stands at 2·t, and frame i is made of fields 2·i and 2·i + 1."""
    mode = "tff" if top_first else "bff"
    pairs = ((bar(4 * place), bar(4 * place + 2)) for place in range(count))
    return [flagged(grey(woven(*pair, top_first=top_first)), mode) for pair in pairs]


def film(
    frames: Iterable[av.VideoFrame],
    *,
    container: str = "mp4",
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    **context: Any,
) -> bytes:
    """The frames as a file, at 25 a second; `context` are attributes of the encoder."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        chosen = {"preset": "ultrafast", "qp": "4", "x264-params": "log-level=none"}
        stream: Any = output.add_stream(
            codec, rate=25, options=(chosen if codec == "libx264" else {}) | (options or {})
        )
        for place, frame in enumerate(frames):
            if not place:
                stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, frame.format.name
                for name, value in context.items():
                    setattr(stream.codec_context, name, value)
            frame.pts, frame.time_base = place, TICK
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return buffer.getvalue()


def interlaced_film(count: int, *, top_first: bool = True) -> bytes:
    """`fields`, coded as interlaced H.264 in a transport stream."""
    order = "tff=1" if top_first else "bff=1"
    options = {"flags": "+ildct+ilme", "x264-params": f"{order}:log-level=none"}
    return film(fields(count, top_first=top_first), container="mpegts", options=options)


def turned(file: bytes, matrix: Sequence[int]) -> bytes:
    """An MP4 whose first track says that it is to be turned: a, b, c, d of its matrix (16.16)."""
    at = file.index(b"tkhd") + 4 + 40
    a, b, c, d = (number << 16 for number in matrix)
    return file[:at] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + file[at + 36 :]


def ten_bits(values: tuple[float, float, float], size: tuple[int, int] = SIZE, **tags: int) -> av.VideoFrame:
    """A frame of one colour (Y, Cb, Cr in ten bits), with attributes such as color_trc."""
    frame = av.VideoFrame(*size, "yuv420p10le")
    for plane, value in zip(frame.planes, values, strict=True):
        np.frombuffer(plane, np.uint16)[:] = round(value)
    for name, value in tags.items():
        setattr(frame, name, value)
    return frame
