"""A publisher: a clip, of H.264 and AAC unless asked otherwise, written to a file or pushed to an RTMP address.

As a program (`python -m tests.fakes.publisher URL [frames [video encoder, audio encoder]]`) it is the other side of server tests. Within
the server's process it would hold the interpreter while it connects, and both would wait for ever.
"""

import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import BinaryIO

import av
import numpy as np

RATE, SOUND, FRAME = 25, 48000, 1024


OPTIONS = {
    "libx264": {"preset": "ultrafast", "bf": "0"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
    "libsvtav1": {"preset": "12"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
}


def write_clip(target: str | BinaryIO, frames: int, codecs: tuple[str, str] = ("libx264", "aac")) -> None:
    """`frames` pictures at 25/s and their sound, as FLV."""
    trusting = {"tls_verify": "0"} if str(target).startswith("rtmps:") else {}
    with av.open(target, "w", format="flv", options=trusting) as container:
        video = container.add_stream(codecs[0], rate=RATE, options=OPTIONS[codecs[0]])
        video.width, video.height, video.pix_fmt, video.gop_size = 96, 64, "yuv420p", RATE
        audio = container.add_stream(codecs[1], rate=SOUND, layout="mono")
        for frame in interleaved(frames):
            stream = video if isinstance(frame, av.VideoFrame) else audio
            container.mux(stream.encode(frame))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))


def interleaved(frames: int) -> Iterator[av.VideoFrame | av.AudioFrame]:
    """Pictures and sound in the order of their times."""
    sounds = 0
    for number in range(frames):
        picture = av.VideoFrame.from_ndarray(np.full((64, 96, 3), number * 5 % 256, np.uint8), format="rgb24")
        picture.pts, picture.time_base = number, Fraction(1, RATE)
        yield picture
        while sounds * FRAME * RATE < (number + 1) * SOUND:
            sound = av.AudioFrame.from_ndarray(np.zeros((1, FRAME), np.float32), format="fltp", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = SOUND, sounds * FRAME, Fraction(1, SOUND)
            yield sound
            sounds += 1


if __name__ == "__main__":
    _, url, *rest = sys.argv
    write_clip(url, int(rest[0]) if rest else 50, (rest[1], rest[2]) if len(rest) > 1 else ("libx264", "aac"))
