"""The encoder of one rung: pictures in, packets of closed groups out, each with the time its picture had."""

from collections.abc import Callable
from fractions import Fraction
from math import ceil
from typing import Any, NamedTuple

import av

from abr.errors import MediaError
from abr.formats import nal, obu
from abr.model.ladder import VideoTarget
from abr.model.media import EncodedPacket, Encoding, Kind
from abr.transcode.encode import open_video
from abr.transcode.trial import try_encoder

_INTRA, _PREDICTED = 1, 2
"""AV_PICTURE_TYPE_I and _P; 0 leaves the choice to the encoder."""

_H264_LEFT_OUT = nal.H264_PARAMETERS | nal.H264_DELIMITERS
_HEVC_LEFT_OUT = nal.HEVC_PARAMETERS | nal.HEVC_DELIMITERS


_OBEDIENT = frozenset(("libx264",))
"""Encoders that make the type of picture that they are told to."""


def can_be_plain(encoding: Encoding, codec: str) -> bool:
    """Whether pictures of an encoder come in the order in which they are shown, if that is asked for."""
    return codec in _OBEDIENT or not encoding.delay


class _Shown(NamedTuple):
    """A picture that is in the encoder."""

    pts: int
    duration: int
    key: bool


class VideoEncoder:
    """Encodes one rung. Opening it tries the encoder out first (`trial`).

    `steady` says that pictures come one per slot of `target.rate`: the encoder then counts frames, which is
    what its rate control and the timing in its headers want. A film with times of its own gets ticks.
    Raises EncoderMissing, ConfigError and MediaError as `encode.open_video`.
    """

    def __init__(self, target: VideoTarget, *, steady: bool = True) -> None:
        self._target = target
        trial = try_encoder(target)
        self._time_base = 1 / target.rate if steady else Fraction(1, target.timescale)
        self._scale = (1 / (self._time_base * target.timescale)).as_integer_ratio()
        self._context, header, _ = open_video(target, self._time_base)
        self._sample = _sample_form(self._context)
        self._start: int | None = None
        self._inside: dict[int, _Shown] = {}
        self._group = 0
        """Presentation time of the last key frame that came out."""
        frame = target.timescale / target.rate
        self.encoding = Encoding(
            target.name,
            Kind.VIDEO,
            target.timescale,
            header,
            ceil(trial.delay * frame),
            ceil(trial.held * frame),
        )

    def encode(
        self, frame: av.VideoFrame, pts: int, duration: int, *, key: bool, plain: bool = False
    ) -> list[EncodedPacket]:
        """Encode a picture; what comes out, in decode order. The first one is a key frame in any case.

        `plain` asks for a picture that is not shown out of order, from an encoder that obeys (`can_be_plain`).
        `frame` is the caller's to give: its times and its type are overwritten, its pixels are not.
        Raises MediaError.
        """
        if self._start is None:
            self._start, key = pts, True
        stamp = self._stamp(pts)
        self._inside[stamp] = _Shown(pts, duration, key)
        frame.pts, frame.time_base = stamp, self._time_base
        # x264 obeys the type that a decoded frame brings along.
        frame.pict_type = _INTRA if key else _PREDICTED if plain else 0
        return self._packets(frame)

    def flush(self) -> list[EncodedPacket]:
        """The packets of the pictures that are still inside; nothing can be encoded after it. Raises MediaError."""
        packets = self._packets(None) if self._inside else []
        if self._inside:
            raise self._error(f"kept {len(self._inside)} pictures to itself")
        return packets

    def _stamp(self, pts: int) -> int:
        """A picture's time as the encoder gets it: from 0, for encoders that count in 32 bits."""
        multiply, divide = self._scale
        stamp, rest = divmod((pts - (self._start or 0)) * multiply, divide)
        if rest:
            raise self._error(
                f"got a picture at {pts}, which is no slot of {self._target.rate} frames a second"
            )
        return stamp

    def _packets(self, frame: av.VideoFrame | None) -> list[EncodedPacket]:
        try:
            packets = self._context.encode(frame)
        except av.FFmpegError as error:
            raise self._error(f"cannot encode: {error.strerror}") from error
        return [self._packet(packet) for packet in packets]

    def _packet(self, packet: Any) -> EncodedPacket:
        shown = self._inside.pop(packet.pts, None) if packet.pts is not None else None
        if shown is None:
            raise self._error("gave a packet for a picture that it never got")
        if packet.is_keyframe:
            self._group = shown.pts
        elif shown.key:
            raise self._error(f"made no key frame at {shown.pts}, where a segment starts")
        if shown.pts < self._group:
            raise self._error(
                f"shows a picture at {shown.pts} before the key frame at {self._group} it follows"
            )
        return EncodedPacket(shown.pts, shown.duration, packet.is_keyframe, self._sample(bytes(packet)))

    def _error(self, what: str) -> MediaError:
        return MediaError(f"rung {self._target.name}: {self._target.codec} {what}")


def _sample_form(context: Any) -> Callable[[bytes], bytes]:
    """How this encoder's packets become samples (ISO/IEC 14496-15; AV1 in ISOBMFF, 2.4)."""
    family = context.codec.canonical_name
    if family == "av1":
        return obu.strip_delimiter
    if not nal.is_annexb(context.extradata or b""):
        return bytes
    return _h264_sample if family == "h264" else _hevc_sample


def _h264_sample(data: bytes) -> bytes:
    return nal.join_prefixed(
        [unit for unit in nal.split_annexb(data) if nal.h264_type(unit) not in _H264_LEFT_OUT]
    )


def _hevc_sample(data: bytes) -> bytes:
    return nal.join_prefixed(
        [unit for unit in nal.split_annexb(data) if nal.hevc_type(unit) not in _HEVC_LEFT_OUT]
    )
