"""What a container says of its streams: which of them are used, and the record of each."""

import io
from fractions import Fraction
from typing import Any

import av
from av.stream import Disposition

from abr.formats.displaymatrix import turn_in_header
from abr.ingest.language import language_tag
from abr.model.media import UPRIGHT, Kind, Track, Turn

_TURNING = ("mov", "matroska")
"""Containers that can say how pictures are turned."""

_NOT_MEDIA = frozenset(("ansi", "bintext", "xbin", "idf"))
"""Text that FFmpeg would paint as a picture."""


def choose(container: Any) -> list[Any]:
    """The best picture stream, then all sound streams in the container's order; nothing else."""
    pictures = [stream for stream in container.streams.video if _usable(stream)]
    best = container.streams.best("video")
    chosen = [best] if best in pictures else pictures[:1]
    return chosen + [stream for stream in container.streams.audio if _usable(stream)]


def describe(index: int, stream: Any) -> Track:
    """The record of a chosen stream; `index` is its place among those."""
    context = stream.codec_context
    common = {
        "index": index,
        "codec": context.codec.canonical_name,
        "time_base": Fraction(stream.time_base),
        "extradata": bytes(context.extradata or b""),
        "language": language_tag(stream.language),
        "bit_rate": context.bit_rate or 0,
    }
    if stream.type == "audio":
        layout = context.layout
        return Track(
            **common,
            kind=Kind.AUDIO,
            sample_rate=context.sample_rate or 0,
            channels=layout.nb_channels if layout else 0,
        )
    return Track(
        **common,
        kind=Kind.VIDEO,
        width=context.width,
        height=context.height,
        pixel_aspect=Fraction(stream.sample_aspect_ratio or 1),
        frame_rate=stream.guessed_rate or stream.average_rate,
        turn=_turn(stream),
    )


def _turn(stream: Any) -> Turn:
    """How the container wants a stream's pictures turned.

    PyAV shows it nowhere but on frames of the container's own decoder. What it copies of a stream for another
    container holds it, so the header of a MOV that is never written tells it.
    """
    if not stream.container.format.name.startswith(_TURNING):
        return UPRIGHT
    header = io.BytesIO()
    try:
        with av.open(header, "w", format="mov", options={"movflags": "empty_moov"}) as copy:
            copy.add_stream_from_template(stream)
            copy.start_encoding()
    except (av.FFmpegError, ValueError):
        return UPRIGHT  # a codec that MOV does not have
    return turn_in_header(header.getvalue())


def _usable(stream: Any) -> bool:
    """Whether it is media that FFmpeg has a decoder for, not a cover picture or painted text."""
    if stream.codec_context is None or stream.disposition & Disposition.attached_pic:
        return False
    return stream.codec_context.codec.canonical_name not in _NOT_MEDIA
