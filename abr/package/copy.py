"""Stream copy: packets of a file as packets of a rendition, without decoding."""

import itertools
import math
import statistics
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from operator import eq
from typing import Any

from abr.errors import MediaError
from abr.formats.avc import length_size
from abr.formats.codecs import AudioConfig, audio_config
from abr.formats.nal import HEVC_IRAP, is_idr, unit_types
from abr.model.media import Data, EncodedPacket, Encoding, Kind, Packet, Track
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

_encoded: Callable[[tuple[Any, ...]], EncodedPacket] = partial(tuple.__new__, EncodedPacket)
"""An EncodedPacket of the tuple of its fields: a third of the price of a call with arguments."""


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
        self.encoding = Encoding(
            name=name,
            kind=track.kind,
            timescale=timescale,
            header=write_header(track, timescale, config),
            delay=_depth(head) * frame if track.kind is Kind.VIDEO else 0,
        )
        self._codec = track.codec
        self._lengths = length_size(config) if track.codec == "h264" else 4
        self._payload = payload_of(track, name, head, config)
        self._frame = frame
        self._jitter = timescale // _JITTER
        self._end = _NEVER
        """Where the sound before ended."""
        self._entry = _NEVER
        """Presentation time of the last frame that a segment can start at."""
        # ticks = (pts · multiply + add) // divide: the exact time, to the nearest tick
        scale, offset = track.time_base * timescale, shift * timescale + Fraction(1, 2)
        self._divide = math.lcm(scale.denominator, offset.denominator)  # even, for the half
        self._multiply, self._add = int(scale * self._divide), int(offset * self._divide)

    def push(self, packets: Sequence[Packet]) -> list[EncodedPacket]:
        """Convert packets, in the order in which they were read. Raises MediaError."""
        whole = [packet for packet in packets if packet.data]
        if not whole:
            return []
        _, shown, _, lengths, keys, _, data = zip(*whole, strict=True)
        if None in shown:
            raise MediaError(f"rendition {self.encoding.name}: a packet has no presentation time; {_CURE}")
        payload = self._payload
        bodies = data if payload is None else [payload(bytes(packet)) for packet in data]
        times = self._ticks(shown, self._add)
        # durations are not shifted: of `_add` only the half that rounds
        durations = self._ticks(lengths, self._divide // 2)
        if self.encoding.kind is Kind.AUDIO:
            times, durations = self._joined(times, durations)
        else:
            durations = [duration or self._frame for duration in durations]
            keys = self._entries(times, keys, bodies)
        return list(map(_encoded, zip(times, durations, keys, bodies, strict=True)))

    def _joined(self, times: Sequence[int], durations: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
        """Times and lengths of sound, one frame behind the other where containers are not exact."""
        frame, jitter, end = self._frame, self._jitter, self._end
        count, first = len(times), times[0]
        if durations.count(frame) == count and all(map(eq, times, itertools.count(first, frame))):
            start = end if -jitter <= first - end <= jitter else first
            self._end = start + count * frame
            return range(start, self._end, frame), durations
        made, lengths = [], []
        for exact, length in zip(times, durations, strict=True):
            made.append(end if -jitter <= exact - end <= jitter else exact)
            # a length of whole milliseconds means the codec's; one far from it means a frame that was cut
            lengths.append(length if abs(length - frame) > jitter and length else frame)
            end = made[-1] + lengths[-1]
        self._end = end
        return made, lengths

    def _entries(self, times: Sequence[int], keys: Sequence[bool], data: Sequence[Data]) -> tuple[bool, ...]:
        """Which pictures a segment may start at: key frames before which none of those behind them is shown."""
        entries = list(keys)
        behind = 0
        for place in itertools.compress(itertools.count(), keys):
            self._check_closed(times[behind:place])
            entries[place] = self._can_start(data[place])
            if entries[place]:
                self._entry = times[place]
            elif self._entry == _NEVER:
                raise MediaError(
                    f"rendition {self.encoding.name}: the file does not start with an IDR frame; {_CURE}"
                )
            behind = place + 1
        self._check_closed(times[behind:])
        return tuple(entries)

    def _check_closed(self, times: Sequence[int]) -> None:
        early = self._entry - min(times, default=self._entry)
        if early > 0:
            raise MediaError(
                f"rendition {self.encoding.name}: a frame is shown {early} ticks of 1/{self.encoding.timescale} s"
                " before the key frame that it follows (open group of pictures), so no segment can start there;"
                f" {_CURE}"
            )

    def _can_start(self, packet: Data) -> bool:
        """Whether a decoder can start here: an IDR in H.264, a random access picture in HEVC."""
        data = bytes(packet)
        if self._codec == "h264":
            return is_idr("h264", data, self._lengths)
        return self._codec != "hevc" or not HEVC_IRAP.isdisjoint(unit_types("hevc", data))

    def _ticks(self, times: Sequence[int], add: int) -> Sequence[int]:
        multiply, divide = self._multiply, self._divide
        if multiply == divide:
            offset = add // divide
            return [time + offset for time in times] if offset else times
        return [(time * multiply + add) // divide for time in times]


def _depth(head: Sequence[Packet]) -> int:
    return reorder_depth([packet.pts for packet in head if packet.pts is not None])


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
