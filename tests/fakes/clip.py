"""Small clips that can be read back: each picture shows its number, each second begins with a flash and a beep."""

import io
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

BITS = 16
"""Blocks in a row: the picture's number, highest bit first."""
FLASH = 0.04
BEEP_HZ = 1000
SOUND_RATE = 48_000


class Clip(NamedTuple):
    """What to make. Sizes are even and at least 64 × 32."""

    fps: Fraction = Fraction(25)
    seconds: Fraction = Fraction(2)
    size: tuple[int, int] = (128, 64)
    codec: str = "libx264"
    container: str = "mp4"
    sound: bool = True
    video: bool = True
    b_frames: int = 0
    key_frames: int = 25
    start: Fraction = Fraction(0)
    """Time of the first picture and sample."""
    times: tuple[int, ...] | None = None
    """Milliseconds of each picture, for clips of varying frame rate."""
    sound_rate: int = SOUND_RATE
    layout: str = "stereo"
    audio_codec: str = "aac"


def picture(number: int, size: tuple[int, int], *, flash: bool = False) -> av.VideoFrame:
    """A grey picture with `number` as bright and dark blocks in its upper half; white below on a flash."""
    width, height = size
    luma = np.full((height, width), 235 if flash else 60, np.uint8)
    block = width // BITS
    for bit in range(BITS):
        value = 220 if number >> (BITS - 1 - bit) & 1 else 30
        luma[: height // 2, bit * block : (bit + 1) * block] = value
    chroma = np.full((height // 2, width), 128, np.uint8)
    return av.VideoFrame.from_ndarray(np.vstack((luma, chroma)), format="yuv420p")


def read_number(frame: av.VideoFrame) -> int:
    """The number that a picture shows, whatever its size."""
    luma = _luma(frame)
    height, width = luma.shape
    rows = luma[height // 8 : height * 3 // 8].mean(axis=0)
    number = 0
    for bit in range(BITS):
        column = rows[width * bit // BITS : width * (bit + 1) // BITS]
        number = number << 1 | int(column[column.size // 4 : -column.size // 4 or None].mean() > 128)
    return number


def is_flash(frame: av.VideoFrame) -> bool:
    """Whether the lower half is white."""
    luma = _luma(frame)
    return bool(luma[luma.shape[0] * 3 // 4 :].mean() > 180)


def _luma(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """The brightness of each pixel: of planar pictures the first plane as it lies there."""
    if not frame.format.name.startswith("yuv"):
        return frame.to_ndarray(format="gray8")
    plane = frame.planes[0]
    return np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


def beeps(start: int, count: int, rate: int = SOUND_RATE) -> NDArray[np.float32]:
    """Samples [start, start + count): silence, and 40 ms of a tone that begins at full scale each second."""
    place = np.arange(start, start + count)
    inside = place % rate
    wave = 0.8 * np.cos(2 * np.pi * BEEP_HZ * inside / rate)
    return np.where(inside < rate * FLASH, wave, 0.0).astype(np.float32)


@cache
def make_clip(clip: Clip = Clip()) -> bytes:  # noqa: B008 - frozen
    """The clip as the bytes of a file."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=clip.container) as container:
        sources = []
        if clip.video:
            sources.append(_pictures(container, clip))
        if clip.sound:
            sources.append(_sounds(container, clip))
        packets = [packet for source in sources for packet in source]
        packets.sort(key=lambda packet: packet.dts * packet.time_base)
        for packet in packets:
            container.mux(packet)
    return buffer.getvalue()


def _pictures(container: Any, clip: Clip) -> list[Any]:
    options = {"bf": str(clip.b_frames)}
    if clip.codec == "libx264":
        options |= {"preset": "ultrafast", "sc_threshold": "0", "x264-params": "log-level=none:threads=1"}
    stream = container.add_stream(clip.codec, rate=clip.fps, options=options)
    stream.width, stream.height = clip.size
    stream.pix_fmt = "yuv420p"
    stream.codec_context.gop_size = clip.key_frames
    stream.codec_context.bit_rate = 400_000
    step = 1 / clip.fps
    if clip.times is not None:
        step = Fraction(1, 1000)
        stream.codec_context.time_base = step
    times = clip.times if clip.times is not None else range(int(clip.seconds * clip.fps))
    first = round(clip.start / step)
    packets = []
    for number, time in enumerate(times):
        frame = picture(number, clip.size, flash=time * step % 1 < Fraction(1, 25))
        frame.pts, frame.time_base = time + first, step
        packets += stream.encode(frame)
    return packets + stream.encode()


def _sounds(container: Any, clip: Clip) -> list[Any]:
    rate = clip.sound_rate
    stream = container.add_stream(clip.audio_codec, rate=rate, layout=clip.layout)
    first, packets = round(clip.start * rate), []
    for data, pts, duration in _coded(clip.audio_codec, rate, clip.layout, int(clip.seconds * rate)):
        packet = av.Packet(data)
        packet.pts = packet.dts = pts + first
        packet.duration, packet.time_base, packet.stream = duration, Fraction(1, rate), stream
        packet.is_keyframe = True
        packets.append(packet)
    return packets


@cache
def _coded(codec: str, rate: int, layout: str, count: int) -> list[tuple[bytes, int, int]]:
    """The sound's packets (data, pts, duration): many clips have the same."""
    context = av.CodecContext.create(codec, "w")
    context.sample_rate, context.layout, context.time_base = rate, layout, Fraction(1, rate)
    context.format = form = context.codec.audio_formats[0].name
    context.options = {"aac_coder": "fast"} if codec == "aac" else {}
    channels = len(av.AudioLayout(layout).channels)
    packets = []
    for start in range(0, count, 1024):
        wave = beeps(start, 1024, rate)
        if form == "fltp":
            data: NDArray[Any] = np.tile(wave, (channels, 1))
        else:
            data = np.repeat((wave * 32767).astype(np.int16), channels)[np.newaxis]
        frame = av.AudioFrame.from_ndarray(data, format=form, layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        packets += context.encode(frame)
    packets += context.encode()
    return [(bytes(packet), packet.pts, packet.duration) for packet in packets]
