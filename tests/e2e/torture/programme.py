"""What the camera sees: pictures that show their number, a beep each second; encoded once, cut by every publisher."""

import io
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from tests.e2e.torture.script import TURN_TS, Script, Span
from tests.fakes.clip import SOUND_RATE, beeps, picture

NUMBERS = 50
"""Pictures are numbered in so many steps a second, at whatever rate they come."""
FRAME = 1024
_TAIL = 5
"""Seconds after the script's end: publishers are still there when the worker is told to end."""


class Form(NamedTuple):
    """How pictures are made."""

    size: tuple[int, int]
    rate: int


USUAL, OTHER = Form((480, 270), 25), Form((640, 360), 50)


class Files(NamedTuple):
    """Where the programme lies."""

    usual: Path
    """All of it, with its sound, as FLV."""
    other: Path
    """The pictures of the script's other form, as FLV."""
    stream: Path
    """The spare input's part as MPEG-TS; its index beside it."""

    @property
    def index(self) -> Path:
        return self.stream.with_suffix(".json")


def make(script: Script, folder: Path) -> Files:
    """Encode it all."""
    files = Files(folder / "usual.flv", folder / "other.flv", folder / "spare.ts")
    _write(files.usual, USUAL, Span(0, script.length + _TAIL), sound=True)
    _write(files.other, OTHER, script.other_form, sound=False)
    _remux(files, Span(script.spare.begin, script.spare.killed or script.length), script.spare_turns)
    return files


def _write(path: Path, form: Form, span: Span, *, sound: bool) -> None:
    with av.open(str(path), "w", format="flv", options={"flvflags": "no_duration_filesize"}) as container:
        parts = [_pictures(container, form, span)]
        if sound:
            parts.append(_sound(container, span))
        for packet in _merged(parts):
            container.mux(packet)


def _merged(parts: list[Iterator[Any]]) -> Iterator[Any]:
    """Packets of all parts in the order of their times."""
    heads = [(part, next(part, None)) for part in parts]
    while any(head for _, head in heads):
        place = min(
            (place for place, (_, head) in enumerate(heads) if head),
            key=lambda place: heads[place][1].dts * heads[place][1].time_base,
        )
        part, head = heads[place]
        yield head
        heads[place] = part, next(part, None)


def _pictures(container: Any, form: Form, span: Span) -> Iterator[Any]:
    options = {
        "preset": "ultrafast",
        "bf": "0",
        "sc_threshold": "0",
        "x264-params": "log-level=none:threads=1",
    }
    stream = container.add_stream("libx264", rate=form.rate, options=options)
    stream.width, stream.height = form.size
    stream.pix_fmt, stream.codec_context.gop_size = "yuv420p", form.rate
    stream.codec_context.bit_rate = 500_000
    texture = _texture(form.size)
    for place in range(int(span.begin * form.rate), int(span.end * form.rate)):
        frame = _painted(place * NUMBERS // form.rate, form.size, texture)
        frame.pts, frame.time_base = place, Fraction(1, form.rate)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _painted(number: int, size: tuple[int, int], texture: NDArray[np.uint8]) -> av.VideoFrame:
    """The number above, something that moves below; white there while it beeps."""
    flash = number % NUMBERS * 25 < NUMBERS
    plain = picture(number, size, flash=flash)
    if flash:
        return plain
    planes = plain.to_ndarray()
    planes[size[1] // 2 : size[1]] = np.roll(texture, number, axis=1)
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


def _texture(size: tuple[int, int]) -> NDArray[np.uint8]:
    """Soft spots for the lower half, always the same."""
    across, down = np.meshgrid(np.arange(size[0]), np.arange(size[1] - size[1] // 2))
    wave = np.sin(across * 2 * np.pi * 9 / size[0]) * np.cos(down / 11) + np.sin(across / 3.7 + down / 5)
    return (90 + 30 * wave).astype(np.uint8)


def _sound(container: Any, span: Span) -> Iterator[Any]:
    stream = container.add_stream("aac", rate=SOUND_RATE, layout="stereo", options={"aac_coder": "fast"})
    noise = np.random.default_rng(1)
    for start in range(int(span.begin * SOUND_RATE), int(span.end * SOUND_RATE), FRAME):
        wave = beeps(start, FRAME) + noise.uniform(-0.01, 0.01, FRAME).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
        # What the encoder puts before the first sample would move all times of the file.
        yield from (packet for packet in stream.encode(frame) if packet.pts >= 0)
    yield from stream.encode(None)


def _remux(files: Files, span: Span, turns: float) -> None:
    """The spare's part as MPEG-TS whose stamps pass 2^33 at `turns`, and when each piece of it is due."""
    out, index = io.BytesIO(), []
    options = {"flush_packets": "1", "mpegts_copyts": "1"}
    offset = TURN_TS - int(turns * 90_000)
    with av.open(str(files.usual)) as source, av.open(out, "w", format="mpegts", options=options) as sink:
        streams = {stream.index: sink.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            at = None if packet.dts is None else float(packet.dts * packet.time_base)
            if at is None or at not in span:
                continue
            shift = int(offset / 90_000 / packet.time_base)
            packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
            packet.stream = streams[packet.stream.index]
            sink.mux(packet)
            index.append((at, out.tell()))
    files.stream.write_bytes(out.getvalue())
    files.index.write_text(json.dumps(index))
