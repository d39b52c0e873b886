"""A second of a film as MPEG-TS: pictures of 96x64 at 25/s, sound of 48 kHz."""

import io

import av

from tests.fakes.publisher import RATE, SOUND, interleaved


def film(*, seconds: int = 1, sound: bool = True, first: int = 0) -> bytes:
    """`seconds` of it from picture `first` on; a key frame every fifth picture."""
    buffer = io.BytesIO()
    with av.open(
        buffer, "w", format="mpegts", options={"mpegts_flags": "initial_discontinuity"}
    ) as container:
        video = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "bf": "0"})
        video.width, video.height, video.pix_fmt, video.gop_size = 96, 64, "yuv420p", 5
        audio = container.add_stream("aac", rate=SOUND, layout="mono") if sound else None
        for frame in interleaved(RATE * seconds):
            frame.pts += first * SOUND // RATE if isinstance(frame, av.AudioFrame) else first
            if stream := video if isinstance(frame, av.VideoFrame) else audio:
                container.mux(stream.encode(frame))
        for stream in filter(None, (video, audio)):
            container.mux(stream.encode(None))
    return buffer.getvalue()
