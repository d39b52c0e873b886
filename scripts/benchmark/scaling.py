"""`scaling`: what is left of a picture after the cascade of scalers, beside direct scaling, and what it costs.

Each rung's picture is scaled back to the size of the source and compared with it: what a viewer sees full screen.
"""

import math
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from abr.transcode.scale import Cascade, Scaler

from .bench import Bench
from .pairs import Spread
from .report import Figure, Report
from .source import ladder_of

Size = tuple[int, int]
Plane = NDArray[np.uint8]
Scale = Callable[[Any], Mapping[Size, Any]]
"""A source picture to all sizes."""

_PROFILE = "720p"
_LENGTH = 16
_PICTURES = 20
_EVERY = 17
"""Of so many pictures of the film one is taken, so that they differ."""
_XPSNR = re.compile(r"XPSNR\s+y:\s*([\d.]+|inf)")
_PEAK = 255 * 255


@dataclass(slots=True)
class _Way:
    """One way of scaling, and what it gave."""

    scale: Scale
    seconds: float = 0.0
    errors: dict[Size, list[float]] = field(default_factory=dict)
    """Mean squared error of luma, one a picture."""


def measure(bench: Bench) -> Report:
    """Measure. Raises RunFailed, AbrError."""
    film = bench.source(_LENGTH)
    pictures = list(_pictures(film))
    source = (pictures[0].width, pictures[0].height)
    ladder = ladder_of(film, _PROFILE)
    sizes = [size for rung in ladder.video if (size := (rung.width, rung.height)) != source]
    ways = {
        "cascade": _Way(_cascade(sizes)),
        "direct": _Way(_direct(sizes)),
        "bicubic": _Way(_bicubic(sizes)),
    }
    folder = bench.folder()
    for name, way in ways.items():
        bench.told(f"scaling, {name}")
        _apply(way, pictures, source, folder / name)
    figures = _quality(ways, sizes)
    if _has_xpsnr(bench.ffmpeg):
        figures += _perceived(bench.ffmpeg, folder, ways, sizes, source)
    cost = [
        Figure(f"CPU a picture, {name}", _one(way.seconds * 1000 / len(pictures)), "ms")
        for name, way in ways.items()
    ]
    facts = {"film": film.name, "pictures": len(pictures), "source": source, "sizes": sizes}
    return Report("scaling", (*figures, *cost), facts=facts)


def psnr(errors: Sequence[float]) -> float:
    """Peak signal-to-noise ratio (dB) of pictures with these mean squared errors."""
    mean = sum(errors) / len(errors)
    return 10 * math.log10(_PEAK / mean) if mean else math.inf


def squared_error(one: Plane, other: Plane) -> float:
    """Mean squared error."""
    return float(np.mean(np.square(one.astype(np.int32) - other)))


def _pictures(film: Path) -> Iterator[Any]:
    with av.open(str(film)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % _EVERY == 0:
                yield frame.reformat(format="yuv420p")
            if index >= _EVERY * (_PICTURES - 1):
                return


def _cascade(sizes: Sequence[Size]) -> Scale:
    cascade = Cascade(sizes, [1] * len(sizes))
    return lambda frame: {sizes[rung]: made for rung, made in cascade.scale(frame, range(len(sizes))).items()}


def _direct(sizes: Sequence[Size]) -> Scale:
    scalers = {size: Scaler(size) for size in sizes}
    return lambda frame: {size: scaler.scale(frame) for size, scaler in scalers.items()}


def _bicubic(sizes: Sequence[Size]) -> Scale:
    reformatters = {size: VideoReformatter() for size in sizes}
    return lambda frame: {
        size: reformatter.reformat(frame, *size, "yuv420p", interpolation=Interpolation.BICUBIC)
        for size, reformatter in reformatters.items()
    }


def _apply(way: _Way, pictures: Sequence[Any], source: Size, folder: Path) -> None:
    """Scale all pictures down and back; errors are kept, and the pictures as files of raw frames."""
    folder.mkdir()
    back = Scaler(source)
    way.scale(pictures[0])  # tables are made with the first picture
    for picture in pictures:
        started = time.thread_time()
        scaled = way.scale(picture)
        way.seconds += time.thread_time() - started
        original = picture.to_ndarray()
        _append(folder / "source", original)
        for size, made in scaled.items():
            shown: Any = back.scale(made).to_ndarray()
            error = squared_error(original[: source[1]], shown[: source[1]])
            way.errors.setdefault(size, []).append(error)
            _append(folder / str(size[1]), shown)


def _append(path: Path, image: Plane) -> None:
    with path.open("ab") as file:
        file.write(image.tobytes())


def _quality(ways: Mapping[str, _Way], sizes: Sequence[Size]) -> list[Figure]:
    return [
        Figure(f"PSNR {_text(size)}, {name}", _one(psnr(way.errors[size])), "dB")
        for size in sizes
        for name, way in ways.items()
    ]


def _has_xpsnr(ffmpeg: Path) -> bool:
    said = subprocess.run(
        [ffmpeg, "-hide_banner", "-filters"], capture_output=True, text=True, timeout=30, check=False
    )
    return " xpsnr " in said.stdout


def _perceived(
    ffmpeg: Path, folder: Path, ways: Mapping[str, _Way], sizes: Sequence[Size], source: Size
) -> list[Figure]:
    """XPSNR of luma, by FFmpeg."""
    return [
        Figure(f"XPSNR {_text(size)}, {name}", _one(value), "dB")
        for size in sizes
        for name in ways
        if (value := _xpsnr(ffmpeg, folder / name, size, source)) is not None
    ]


def _xpsnr(ffmpeg: Path, folder: Path, size: Size, source: Size) -> float | None:
    raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", _text(source), "-r", "25", "-i"]
    inputs = [*raw, str(folder / "source"), *raw, str(folder / str(size[1]))]
    said = subprocess.run(
        [ffmpeg, "-hide_banner", "-nostdin", *inputs, "-lavfi", "[1:v][0:v]xpsnr", "-f", "null", "-"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    found = _XPSNR.search(said.stderr)
    return float(found[1]) if found else None


def _one(value: float) -> Spread:
    return Spread(value, value, value)


def _text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
