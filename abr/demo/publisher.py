"""Publishes the test picture over RTMP, as an encoder in the field would: from a process of its own."""

import multiprocessing
import time
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing.synchronize import Event

import av

from abr.demo import sound
from abr.demo.picture import TestPicture
from abr.model.time import NANO

_AHEAD = 4
"""Frames that sound runs ahead of the picture, so that the muxer never waits for it."""


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What is published, and where."""

    url: str
    seconds: int | None = None
    """How long; None until `stop`."""
    width: int = 640
    height: int = 360
    rate: int = 25
    bitrate: int = 1_500_000


class Publisher:
    """The publishing process.

    It is a process because a publisher inside the server's own would wait for it with the interpreter's lock held.
    """

    def __init__(self, broadcast: Broadcast) -> None:
        context = multiprocessing.get_context("spawn")
        self._stop = context.Event()
        self._process = context.Process(target=_publish, args=(broadcast, self._stop), daemon=True)

    def start(self) -> None:
        """Begin to publish."""
        self._process.start()

    def stop(self) -> None:
        """End after the frame that is being made, and wait for the end."""
        self._stop.set()
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for its end; the exit code, or None when the time was up."""
        self._process.join(timeout)
        return self._process.exitcode


def _publish(broadcast: Broadcast, stop: Event) -> None:
    import contextlib  # noqa: PLC0415
    import signal  # noqa: PLC0415

    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C is for the worker, which ends the event and this process
    with contextlib.suppress(av.FFmpegError):  # the worker has gone: nobody is left to tell
        _send(broadcast, stop)


def _send(broadcast: Broadcast, stop: Event) -> None:
    with av.open(broadcast.url, "w", format="flv") as container:
        video = container.add_stream(
            "libx264", rate=broadcast.rate, options={"preset": "ultrafast", "tune": "zerolatency"}
        )
        video.width, video.height, video.pix_fmt = broadcast.width, broadcast.height, "yuv420p"
        video.bit_rate = broadcast.bitrate
        video.codec_context.gop_size = broadcast.rate
        video.codec_context.color_range = 1
        for name in ("color_primaries", "color_trc", "colorspace"):
            setattr(video.codec_context, name, 1)
        audio = container.add_stream("aac", rate=sound.RATE, layout="stereo")
        audio.bit_rate = 128_000
        _Sender(broadcast, container, video, audio).run(stop)


class _Sender:
    """One run: frames at their instants, from the next whole second of the wall clock on."""

    def __init__(
        self,
        broadcast: Broadcast,
        container: av.container.OutputContainer,
        video: av.VideoStream,
        audio: av.AudioStream,
    ) -> None:
        self._broadcast = broadcast
        self._container, self._video, self._audio = container, video, audio
        self._picture = TestPicture(broadcast.width, broadcast.height, broadcast.rate)
        self._step = NANO // broadcast.rate
        self._start = (time.time_ns() // NANO + 1) * NANO
        self._samples = 0

    def run(self, stop: Event) -> None:
        """Send until the time is up or `stop` is set."""
        seconds = self._broadcast.seconds
        total = None if seconds is None else seconds * self._broadcast.rate
        index = 0
        while index != total and not stop.is_set():
            wait = self._start + index * self._step - time.time_ns()
            if wait > 0 and stop.wait(wait / NANO):
                break
            self._send_sound((index + _AHEAD) * sound.RATE // self._broadcast.rate)
            self._send_picture(index)
            index += 1
        for stream in (self._video, self._audio):
            self._container.mux(stream.encode(None))

    def _send_picture(self, index: int) -> None:
        image = self._picture.paint(index, self._start + index * self._step)
        frame = av.VideoFrame.from_ndarray(image, format="yuv420p")
        frame.pts, frame.time_base = index, Fraction(1, self._broadcast.rate)
        self._container.mux(self._video.encode(frame))

    def _send_sound(self, until: int) -> None:
        while self._samples + 1024 <= until:
            frame = av.AudioFrame.from_ndarray(
                sound.samples(self._samples, 1024), format="fltp", layout="stereo"
            )
            frame.sample_rate, frame.pts, frame.time_base = sound.RATE, self._samples, Fraction(1, sound.RATE)
            self._container.mux(self._audio.encode(frame))
            self._samples += 1024
