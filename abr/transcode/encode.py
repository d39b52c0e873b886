"""Opening an encoder: its options checked, its failures in one sentence, its header as libavformat writes it."""

import io
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, NamedTuple

import av
from av.codec.codec import UnknownCodecError
from av.codec.context import Flags, ThreadType

from abr.errors import ConfigError, EncoderMissing, MediaError
from abr.model.ladder import AudioTarget, VideoTarget
from abr.transcode.option import refuse_unknown, video_options
from abr.transcode.picture import PIXELS

_HARDWARE = ("_nvenc", "_qsv", "_vaapi", "_amf", "_videotoolbox", "_v4l2m2m", "_mf", "_vulkan")
_FORMAT = {"movflags": "cmaf+negative_cts_offsets", "write_btrt": "0"}
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
_COMPLAINTS = ("error parsing option", "unknown option", "invalid value")
"""How libx264, libx265 and libsvtav1 name a parameter that they then pass over, in small letters."""

_log = threading.Lock()
logging.getLogger("libav").addHandler(logging.NullHandler())  # else Python prints them while `_heard` listens


class Opened(NamedTuple):
    """An encoder that is ready for its first frame."""

    context: Any
    """PyAV's codec context."""
    header: bytes
    """ftyp and moov."""
    log: list[str]
    """What the encoder said while it was opened; what it then passes over it only logs."""


def open_video(target: VideoTarget, time_base: Fraction, *, width: int | None = None) -> Opened:
    """Open a rung's encoder, with another `width` for a trial.

    Raises EncoderMissing (unknown encoder, missing hardware), ConfigError (an option that it does not have)
    and MediaError (a value that it refuses).
    """

    def prepare(output: Any) -> Any:
        rate = target.bitrate if target.crf is None else 0
        stream = output.add_stream(target.codec, rate=target.rate, time_base=time_base, bit_rate=rate)
        context = stream.codec_context
        context.width, context.height = width or target.width, target.height
        context.pix_fmt = _pixels(context)
        _describe(context)
        context.thread_count = target.threads
        context.thread_type = ThreadType.FRAME  # slices cost quality, and a segment's end can wait a frame
        context.options = video_options(target, private_options(context))
        return context

    opened = _open(
        f"rung {target.name}", target.codec, prepare, {"video_track_timescale": str(target.timescale)}
    )
    refuse_unknown(target, opened.context.options, private_options(opened.context))
    for line in opened.log:
        if line.lower().startswith(_COMPLAINTS):
            raise ConfigError(
                f"video.{target.name}.options", f"{target.codec} passes over a parameter: {line}"
            )
    return opened


def open_audio(target: AudioTarget) -> Opened:
    """Open the encoder of an audio rendition; the same errors as `open_video`."""

    def prepare(output: Any) -> Any:
        stream = output.add_stream(target.codec, rate=target.sample_rate, bit_rate=target.bitrate)
        context = stream.codec_context
        context.layout = _LAYOUTS.get(target.channels, f"{target.channels}c")
        context.time_base = Fraction(1, target.sample_rate)
        return context

    return _open(f"audio {target.name}", target.codec, prepare)


def private_options(context: Any) -> set[str]:
    """Names of the options that an encoder adds to those of every encoder."""
    return {option.name for option in context.supported_options.private}


def _pixels(context: Any) -> str:
    """The form of the encoder's input; PyAV turns our frames into NV12 for those that take no planes (QSV)."""
    taken = {form.name for form in context.codec.video_formats or ()}
    return PIXELS if PIXELS in taken or "nv12" not in taken else "nv12"


def _describe(context: Any) -> None:
    """What stands in the bitstream and in colr and pasp: BT.709, limited range, square pixels, closed GOPs."""
    context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1
    context.sample_aspect_ratio = Fraction(1)
    context.flags |= Flags.closed_gop
    if context.codec.canonical_name == "hevc":
        context.codec_tag = "hvc1"  # parameter sets in the init segment alone, as HLS asks


def _open(
    who: str, codec: str, prepare: Callable[[Any], Any], options: Mapping[str, str] | None = None
) -> Opened:
    # libavcodec's own errors are only numbers; the reason stands in its log.
    with _heard() as lines:
        try:
            context, header = _start(prepare, {**_FORMAT, **(options or {})})
        except UnknownCodecError:
            raise EncoderMissing(
                f"{who}: this FFmpeg has no encoder {codec!r}",
                hint="libx264, libx265, libsvtav1 and aac come with abr",
            ) from None
        except (av.FFmpegError, ValueError, TypeError) as error:
            raise _refusal(who, codec, _reason(lines) or _text(error)) from error
    return Opened(context, header, _messages(lines))


def _start(prepare: Callable[[Any], Any], options: dict[str, str]) -> tuple[Any, bytes]:
    file = io.BytesIO()
    output = av.open(file, "w", format="mp4", container_options=options)
    try:
        context = prepare(output)
        output.start_encoding()
        header = file.getvalue()
    finally:
        output.close()
    return context, header


def _refusal(who: str, codec: str, reason: str) -> MediaError:
    if codec.endswith(_HARDWARE):
        return EncoderMissing(
            f"{who}: {codec} does not open on this machine: {reason}",
            hint="its hardware or driver is missing; a software encoder such as libx264 runs everywhere",
        )
    return MediaError(f"{who}: {codec} refuses its settings: {reason}")


def _text(error: Exception) -> str:
    return (isinstance(error, av.FFmpegError) and error.strerror) or str(error)


def _reason(logs: list[tuple[int, str, str]]) -> str:
    return "; ".join(_messages([line for line in logs if line[0] <= av.logging.ERROR])[:3])


def _messages(logs: list[tuple[int, str, str]]) -> list[str]:
    return [message.strip() for _, _, message in logs]


@contextmanager
def _heard() -> Iterator[list[tuple[int, str, str]]]:
    """The warnings and errors that FFmpeg logs in this thread.

    PyAV is silent otherwise. Its level counts for all threads; what others log meanwhile goes nowhere.
    """
    with _log, av.logging.Capture() as logs:
        before = av.logging.get_level(), av.logging.get_skip_repeated()
        av.logging.set_level(av.logging.WARNING)
        av.logging.set_skip_repeated(False)
        try:
            yield logs
        finally:
            av.logging.set_level(before[0])
            av.logging.set_skip_repeated(before[1])
