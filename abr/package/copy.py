"""Stream copy: packets of a file as packets of a rendition, without decoding."""

import itertools
import math
import statistics
from collections.abc import Sequence
from fractions import Fraction

from abr.errors import MediaError
from abr.formats.avc import length_size
from abr.formats.codecs import AudioConfig, audio_config
from abr.formats.nal import HEVC_IRAP, is_idr, unit_types
from abr.model.media import EncodedPacket, Encoding, Kind, Packet, Track
from abr.model.time import AAC_FRAME
from abr.package.moov import write_header
from abr.package.payload import config_of, payload_of

_CURE = "use a profile that encodes"
_COARSE = 10_000
"""Time bases of fewer ticks a second (Matroska, FLV: 1000) are counted in 90000."""
_FINEST = 10_000_000
_JITTER = 500
"""A part of a second (one in so many): coarse containers miss the end of the sound before by less."""
_NEVER = -(1 << 62)
"""A time before all times."""


def copy_start(track: Track, head: Sequence[Packet]) -> Fraction:
    """The presentation time (seconds) of the first packet of a track at which a film may begin.

    Raises MediaError when there is none among `head`, the first packets of the track.
    """
    for packet in head:
        if packet.pts is not None and packet.data and (packet.key or track.kind is Kind.AUDIO):
            return packet.pts * track.time_base
    raise MediaError(
        f"track {track.index} ({track.codec}) has no key frame in its first {len(head)} packets; {_CURE}"
    )


def reorder_depth(times: Sequence[int]) -> int:
    """How many frames are decoded before one that is shown before them, at most; `times` in decode order."""
    depth, before = 0, list[int]()
    for time in times:
        depth = max(depth, sum(earlier > time for earlier in before))
        before = [*before[-15:], time]  # no codec holds back more than sixteen
    return depth


class Copier:
    """Turns packets of one track into those of a rendition, of which `encoding` tells.

    `head` holds the first packets of the track (a second or more): header, frame length and reorder delay come
    from it; it is not taken, push it too. `shift` (seconds) is added to all times: media start less `copy_start`
    of the video. Raises MediaError, in one sentence, for what cannot be cut without encoding.
    """

    def __init__(
        self, track: Track, name: str, head: Sequence[Packet], shift: Fraction = Fraction(0)
    ) -> None:
        config = config_of(track, name, head)
        timescale, frame = _scale(track, config, head)
        depth = reorder_depth([packet.pts for packet in head if packet.pts is not None])
        self.encoding = Encoding(
            name=name,
            kind=track.kind,
            timescale=timescale,
            header=write_header(track, timescale, config),
            delay=depth * frame if track.kind is Kind.VIDEO else 0,
        )
        self._codec = track.codec
        self._lengths = length_size(config) if track.codec == "h264" else 4
        self._payload = payload_of(track, name, head, config)
        self._frame = frame
        self._jitter = timescale // _JITTER
        self._end = _NEVER
        """Where the sound before ended."""
        self._key_time = _NEVER
        # ticks = (pts · multiply + add) // divide: the exact time, to the nearest tick
        scale, offset = track.time_base * timescale, shift * timescale + Fraction(1, 2)
        self._divide = math.lcm(scale.denominator, offset.denominator)  # even, for the half
        self._multiply, self._add = int(scale * self._divide), int(offset * self._divide)

    def push(self, packets: Sequence[Packet]) -> list[EncodedPacket]:
        """Convert packets, in the order in which they were read. Raises MediaError."""
        whole = [packet for packet in packets if packet.data]
        if any(packet.pts is None for packet in whole):
            raise MediaError(f"rendition {self.encoding.name}: a packet has no presentation time; {_CURE}")
        times = self._ticks([packet.pts or 0 for packet in whole], self._add)
        # durations are not shifted: of `_add` only the half that rounds
        durations = self._ticks([packet.duration for packet in whole], self._divide // 2)
        convert = self._pictures if self.encoding.kind is Kind.VIDEO else self._sounds
        return convert(whole, times, durations)

    def _pictures(self, packets: list[Packet], times: list[int], durations: list[int]) -> list[EncodedPacket]:
        made = []
        for packet, time, duration in zip(packets, times, durations, strict=True):
            data = self._payload(packet.data) if self._payload else packet.data
            key = packet.key
            if key or time < self._key_time:
                key = self._examine(time, data, key=key)
            made.append(EncodedPacket(time, duration or self._frame, key, data))
        return made

    def _sounds(self, packets: list[Packet], times: list[int], durations: list[int]) -> list[EncodedPacket]:
        made, jitter, end = [], self._jitter, self._end
        for packet, exact, length in zip(packets, times, durations, strict=True):
            time = end if -jitter <= exact - end <= jitter else exact
            # a length of whole milliseconds means the codec's; one far from it means a frame that was cut
            duration = length if abs(length - self._frame) > jitter and length else self._frame
            end = time + duration
            made.append(EncodedPacket(time, duration, True, packet.data))
        self._end = end
        payload = self._payload
        return [packet._replace(data=payload(packet.data)) for packet in made] if payload else made

    def _examine(self, time: int, data: bytes, *, key: bool) -> bool:
        """Whether a segment may start at this frame, which is a key frame or is shown before the last one."""
        if not key:
            raise MediaError(
                f"rendition {self.encoding.name}: a frame is shown {self._key_time - time} ticks of"
                f" 1/{self.encoding.timescale} s before the key frame that it follows (open group of pictures),"
                f" so no segment can start there; {_CURE}"
            )
        starts = self._can_start(data)
        if not starts and self._key_time == _NEVER:
            raise MediaError(
                f"rendition {self.encoding.name}: the file does not start with an IDR frame; {_CURE}"
            )
        self._key_time = time
        return starts

    def _can_start(self, data: bytes) -> bool:
        """Whether a decoder can start here: an IDR in H.264, a random access picture in HEVC."""
        if self._codec == "h264":
            return is_idr("h264", data, self._lengths)
        return self._codec != "hevc" or not HEVC_IRAP.isdisjoint(unit_types("hevc", data))

    def _ticks(self, times: list[int], add: int) -> list[int]:
        multiply, divide = self._multiply, self._divide
        if multiply == divide:
            offset = add // divide
            return [time + offset for time in times] if offset else times
        return [(time * multiply + add) // divide for time in times]


def _scale(track: Track, config: bytes, head: Sequence[Packet]) -> tuple[int, int]:
    """The rendition's timescale and how long a frame lasts in it, from the container or the codec."""
    if track.kind is Kind.AUDIO:
        sound = (
            audio_config(config)
            if track.codec == "aac"
            else AudioConfig(0, track.sample_rate, track.channels)
        )
        return sound.sample_rate, AAC_FRAME * (2 if sound.object_type in {5, 29} else 1)
    base = track.time_base
    exact = base.numerator == 1 and _COARSE <= base.denominator <= _FINEST
    timescale = base.denominator if exact else 90_000
    times = sorted({packet.pts for packet in head if packet.pts is not None})
    steps = [after - before for before, after in itertools.pairwise(times)]
    if steps:
        return timescale, max(1, round(statistics.median_low(steps) * base * timescale))
    return timescale, max(1, round(timescale / (track.frame_rate or 25)))
