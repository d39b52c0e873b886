"""Tiny encodes: a header and packets as the encoders of a ladder hand them to packaging."""

import io
from fractions import Fraction
from functools import cache

import av
import numpy as np

from abr.formats.nal import is_annexb, join_prefixed, split_annexb
from abr.formats.obu import strip_delimiter
from abr.model.media import EncodedPacket, Encoding, Kind

X264 = {"preset": "veryfast", "forced-idr": "1", "sc_threshold": "0", "rc-lookahead": "4", "threads": "1"}
X265 = {"preset": "ultrafast", "forced-idr": "1"}
X265_PARAMS = "open-gop=0:scenecut=0:repeat-headers=0:info=0:log-level=none:bframes=2:b-pyramid=0:pools=none"
MUXER = {"movflags": "cmaf+negative_cts_offsets", "write_btrt": "0"}


def encode_video(
    codec: str,
    options: dict[str, str],
    times: list[int],
    keys: frozenset[int],
    *,
    delay: int = 0,
    size=(64, 48),
) -> tuple[Encoding, list[EncodedPacket]]:
    """Encode frames shown at `times` (ticks of 1/90000 s), those of `keys` (indices) as key frames."""
    buffer = io.BytesIO()
    container = av.open(buffer, "w", format="mp4", options=MUXER)
    stream = container.add_stream(codec, rate=25, options=options)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = stream.time_base = Fraction(1, 90_000)
    stream.codec_context.gop_size = 1000
    container.start_encoding()
    header = buffer.getvalue()
    packets = []
    for index, time in enumerate(times):
        frame = av.VideoFrame.from_ndarray(_picture(index, *size), "gray").reformat(format="yuv420p")
        frame.pts, frame.time_base = time, Fraction(1, 90_000)
        frame.pict_type = av.video.frame.PictureType.I if index in keys else av.video.frame.PictureType.NONE
        packets += stream.encode(frame)
    packets += stream.encode(None)
    encoding = Encoding("video", Kind.VIDEO, 90_000, header, delay)
    return encoding, [EncodedPacket(p.pts, 3600, p.is_keyframe, _payload(codec, bytes(p))) for p in packets]


@cache
def h264(frames: int = 12, interval: int = 6, first: int = 180_000) -> tuple[Encoding, list[EncodedPacket]]:
    """H.264 with two B-frames in a row at 25 frames a second, a key frame every `interval`."""
    times = [first + 3600 * index for index in range(frames)]
    keys = frozenset(range(0, frames, interval))
    return encode_video("libx264", {**X264, "bf": "2", "b-pyramid": "none"}, times, keys, delay=3600)


@cache
def hevc(frames: int = 6) -> tuple[Encoding, list[EncodedPacket]]:
    """HEVC with closed groups of pictures."""
    times = [180_000 + 3600 * index for index in range(frames)]
    return encode_video("libx265", {**X265, "x265-params": X265_PARAMS}, times, frozenset((0,)), delay=3600)


@cache
def aac(packets: int = 8) -> tuple[Encoding, list[EncodedPacket]]:
    """AAC at 48 kHz in stereo; the first packet is the encoder's priming, at −1024."""
    buffer = io.BytesIO()
    container = av.open(buffer, "w", format="mp4", options=MUXER)
    stream = container.add_stream("aac", rate=48_000, layout="stereo")
    stream.bit_rate = 64_000
    container.start_encoding()
    header = buffer.getvalue()
    made = []
    wave = np.sin(np.arange(1024) * 0.05).astype(np.float32) * 0.3
    for index in range(packets):
        frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]), "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 1024 * index, Fraction(1, 48_000)
        made += stream.encode(frame)
    made += stream.encode(None)
    sound = [EncodedPacket(p.pts, 1024, True, bytes(p)) for p in made]
    return Encoding("audio", Kind.AUDIO, 48_000, header), sound


def presentation_times(file: bytes) -> list[int]:
    """The pts of all packets as libavformat reads them, in the order of the file."""
    with av.open(io.BytesIO(file)) as container:
        return [packet.pts for packet in container.demux() if packet.size]


def decoded_times(file: bytes) -> list[int]:
    """The pts of all frames that libavcodec makes of a file."""
    with av.open(io.BytesIO(file)) as container:
        return [frame.pts for frame in container.decode()]


def _payload(codec: str, data: bytes) -> bytes:
    if is_annexb(data):
        return join_prefixed(split_annexb(data))
    return strip_delimiter(data) if "av1" in codec else data


def _picture(index: int, width: int, height: int) -> np.ndarray:
    """A soft wave that moves two pixels a frame."""
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    return (128 + 100 * np.sin((across + 2 * index) / 9) * np.cos(down / 7)).astype(np.uint8)
