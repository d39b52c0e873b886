"""The film that is measured: the demo's test picture over a moving texture, with its beep, looped to any length."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from abr.demo import sound
from abr.demo.picture import TestPicture
from abr.model.time import AAC_FRAME, NANO

CLIP = 16
"""Seconds of the clip that is looped: 400 frames at 25 a second and exactly 750 frames of AAC at 48 kHz."""

_REVISION = 1
"""Part of the films' names: another picture must not meet an old file."""


@dataclass(frozen=True, slots=True)
class Film:
    """What the clip is like."""

    width: int = 1280
    height: int = 720
    rate: int = 25
    bitrate: int = 1_200_000
    key_seconds: int = 2


FILM = Film()

Plane = NDArray[np.uint8]


def loops(seconds: int) -> int:
    """How often the clip is repeated for a film of at least `seconds`."""
    return max(1, -(-seconds // CLIP))


def make_film(folder: Path, seconds: int, film: Film, told: Callable[[str], None]) -> Path:
    """A film of `seconds`, rounded up to whole clips; made once and kept in `folder`."""
    count = loops(seconds)
    path = folder / f"film-{_REVISION}-{film.height}p{film.rate}-{film.bitrate}-{count * CLIP}s.mp4"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    clip = folder / f"clip-{_REVISION}-{film.height}p{film.rate}-{film.bitrate}.mp4"
    if not clip.exists():
        told("making the clip")
        _made(clip, lambda part: _encode(part, film))
    told(f"making a film of {count * CLIP} s")
    _made(path, lambda part: _repeat(clip, part, count))
    return path


def frames(film: Film) -> Iterator[Plane]:
    """The pictures of the clip, I420."""
    picture = TestPicture(film.width, film.height, film.rate)
    texture = _texture(film)
    for index in range(CLIP * film.rate):
        image = picture.paint(index, index * NANO // film.rate)
        luma = image[: film.height].astype(np.int16)
        luma += np.roll(texture, (index, 3 * index), axis=(0, 1))
        image[: film.height] = np.clip(luma, 16, 235)
        yield image


def _texture(film: Film) -> NDArray[np.int16]:
    """Soft blobs, finer ones over coarser ones: something to search motion in and to spend bits on."""
    random = np.random.default_rng(720)
    total: NDArray[np.float64] = np.zeros((film.height, film.width))
    for cell, strength in ((80, 14), (20, 8), (10, 4)):
        shape = (-(-film.height // cell), -(-film.width // cell))
        coarse = random.uniform(-strength, strength, shape)
        total += np.kron(coarse, np.ones((cell, cell)))[: film.height, : film.width]
    for axis in (0, 1):
        total = np.mean([np.roll(total, shift, axis) for shift in range(-3, 4)], axis=0)
    return np.round(total).astype(np.int16)


def _made(path: Path, make: Callable[[Path], None]) -> None:
    """Make a file under another name first: one that is there is whole."""
    part = path.with_name(f"part-{path.name}")
    make(part)
    part.replace(path)


def _encode(path: Path, film: Film) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        video, audio = _video(container, film), container.add_stream("aac", rate=sound.RATE, layout="stereo")
        audio.bit_rate = 128_000
        for index, image in enumerate(frames(film)):
            frame = av.VideoFrame.from_ndarray(image, format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, film.rate)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for first in range(0, CLIP * sound.RATE, AAC_FRAME):
            block = av.AudioFrame.from_ndarray(sound.samples(first, AAC_FRAME), "fltp", "stereo")
            block.sample_rate, block.pts, block.time_base = sound.RATE, first, Fraction(1, sound.RATE)
            container.mux(audio.encode(block))
        container.mux(audio.encode(None))


def _video(container: Any, film: Film) -> Any:
    """A stream of closed groups of pictures, tagged as BT.709."""
    group = str(film.key_seconds * film.rate)
    rate = {"maxrate": str(film.bitrate * 3 // 2), "bufsize": str(film.bitrate * 2)}
    options = {"preset": "fast", "sc_threshold": "0", "g": group, "keyint_min": group, **rate}
    stream = container.add_stream("libx264", rate=film.rate, options=options)
    stream.width, stream.height, stream.pix_fmt = film.width, film.height, "yuv420p"
    stream.bit_rate = film.bitrate
    for name in ("color_range", "color_primaries", "color_trc", "colorspace"):
        setattr(stream.codec_context, name, 1)
    return stream


def _repeat(clip: Path, path: Path, count: int) -> None:
    """The clip's packets `count` times, each time a clip's length later."""
    with av.open(str(clip)) as source, av.open(str(path), "w", format="mp4") as target:
        streams: dict[int, Any] = {
            stream.index: target.add_stream_from_template(stream) for stream in source.streams
        }
        for turn in range(count):
            source.seek(0)
            packets: Iterator[Any] = itertools.takewhile(_timed, source.demux())
            for packet in packets:
                shift = int(turn * CLIP / packet.time_base)
                if packet.stream.type == "audio" and not 0 <= packet.pts * packet.time_base < CLIP:
                    continue  # priming
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                packet.stream = streams[packet.stream.index]
                target.mux(packet)


def _timed(packet: Any) -> bool:
    """Whether this is a packet; the last one of each track is empty."""
    return packet.dts is not None
