"""A trial of an encoder: how far it reorders pictures and how many it holds back, measured before it goes on air."""

from fractions import Fraction
from typing import Any, NamedTuple

import av

from abr.errors import MediaError
from abr.model.ladder import VideoTarget
from abr.transcode.encode import open_video
from abr.transcode.picture import black

_SOFTWARE = frozenset({"libx264", "libx265", "libsvtav1"})
_NARROW = 256
"""Look-ahead depends on the settings and on the rows of a picture, not on its width: a trial is cheap."""

_LONGEST = 1_000


class Trial(NamedTuple):
    """What a trial found, in frames."""

    delay: int
    """Reorder delay: the first packet's presentation time less its decode time."""
    held: int
    """Pictures that went in before the one that brought the first packet out."""


def try_encoder(target: VideoTarget) -> Trial:
    """Encode black with a rung's settings until the first packet comes.

    Raises EncoderMissing, ConfigError and MediaError as `encode.open_video`, so a wrong profile or a missing
    device is known before anything is published.
    """
    time_base = 1 / target.rate
    width = min(target.width, _NARROW) if target.codec in _SOFTWARE else target.width
    context = open_video(target, time_base, width=width).context
    try:
        return _first_packet(context, target, time_base, black(width, target.height))
    except av.FFmpegError as error:
        raise MediaError(f"rung {target.name}: {target.codec} fails on its first frames: {error}") from error


def _first_packet(context: Any, target: VideoTarget, time_base: Fraction, frame: av.VideoFrame) -> Trial:
    for count in range(_LONGEST):
        frame.pts, frame.time_base = count, time_base
        frame.pict_type = 0 if count % target.key_frames else 1
        for packet in context.encode(frame):
            return Trial(packet.pts - (packet.pts if packet.dts is None else packet.dts), count)
    raise MediaError(f"rung {target.name}: {target.codec} gives no packet for {_LONGEST} frames")
