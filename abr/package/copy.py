"""Stream copy: packets of a file as packets of a rendition, without decoding."""

import itertools
import math
import statistics
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from abr.errors import MediaError
from abr.formats.avc import length_size
from abr.formats.codecs import AudioConfig, audio_config
from abr.formats.nal import HEVC_IRAP, is_idr, unit_types
from abr.model.columns import MISSING, Column, Flags, Packets, Samples
from abr.model.media import Data, Encoding, Kind, Packet, Track
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
_FARTHEST = 1 << 31
"""Seconds. No time within them leaves 64 bits."""


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
        self._farthest = min(int(_FARTHEST / track.time_base), 1 << 62)
        # ticks = (pts · multiply + add) // divide: the exact time, to the nearest tick
        scale, offset = track.time_base * timescale, shift * timescale + Fraction(1, 2)
        self._divide = math.lcm(scale.denominator, offset.denominator)  # even, for the half
        self._multiply, self._add = int(scale * self._divide), int(offset * self._divide)

    def push(self, packets: Sequence[Packet]) -> Samples:
        """Convert packets, in the order in which they were read. Raises MediaError."""
        read = Packets.of(packets).whole() if packets else None
        if not read:
            return Samples.of(())
        self._check_times(read)
        data = read.data if self._payload is None else [self._payload(bytes(item)) for item in read.data]
        times = self._ticks(read.pts, self._add)
        # durations are not shifted: of `_add` only the half that rounds
        durations = self._ticks(read.durations, self._divide // 2)
        if self.encoding.kind is Kind.AUDIO:
            times, durations = self._joined(times, durations)
            return Samples(times, durations, read.keys, data)
        durations = np.where(durations == 0, self._frame, durations)
        return Samples(times, durations, self._entries(times, read.keys, data), data)

    def _check_times(self, read: Packets) -> None:
        missing = (read.pts == MISSING).any()
        if missing or max(np.abs(read.pts).max(), read.durations.max()) > self._farthest:
            fault = "has no presentation time" if missing else "has a time beyond any film"
            raise MediaError(f"rendition {self.encoding.name}: a packet {fault}; {_CURE}")

    def _joined(self, times: Column, durations: Column) -> tuple[Column, Column]:
        """Times and lengths of sound, one frame behind the other where its container is not exact."""
        frame, jitter, end = self._frame, self._jitter, self._end
        if (durations == frame).all() and (np.diff(times) == frame).all():
            first = int(times[0])
            start = end if -jitter <= first - end <= jitter else first
            self._end = start + len(times) * frame
            return times + (start - first), durations
        made, lengths = [], []
        for exact, length in zip(times.tolist(), durations.tolist(), strict=True):
            made.append(end if -jitter <= exact - end <= jitter else exact)
            # a length of whole milliseconds means the codec's; one far from it means a frame that was cut
            lengths.append(length if abs(length - frame) > jitter and length else frame)
            end = made[-1] + lengths[-1]
        self._end = end
        return np.array(made), np.array(lengths)

    def _entries(self, times: Column, keys: Flags, data: Sequence[Data]) -> Flags:
        """Which pictures a segment may start at: key frames before which none of those behind them is shown."""
        entries = keys.copy()
        behind = 0
        for place in np.flatnonzero(keys).tolist():
            self._check_closed(times[behind:place])
            entries[place] = self._can_start(data[place])
            if entries[place]:
                self._entry = int(times[place])
            elif self._entry == _NEVER:
                raise MediaError(
                    f"rendition {self.encoding.name}: the file does not start with an IDR frame; {_CURE}"
                )
            behind = place + 1
        self._check_closed(times[behind:])
        return entries

    def _check_closed(self, times: Column) -> None:
        early = self._entry - int(times.min(initial=self._entry))
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

    def _ticks(self, times: Column, add: int) -> Column:
        multiply, divide = self._multiply, self._divide
        if multiply == divide:
            return times + add // divide
        return np.array(
            [(time * multiply + add) // divide for time in times.tolist()]
        )  # beyond 64 bits between


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
