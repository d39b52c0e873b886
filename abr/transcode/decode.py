"""The decoders of a feed: packets in, pictures and sound out."""

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import av
from av.video.frame import PictureType

from abr.errors import MediaError
from abr.model.media import Gap, Kind, Packet, Track
from abr.model.time import NANO
from abr.transcode.frame import Decoded, DecodedPicture, DecodedSound

_PATIENCE = 10 * NANO
"""How much media may pass without one good frame."""

_BETTER = {"av1": "libdav1d"}
"""Where FFmpeg's decoder of the codec's own name only drives hardware."""

_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


class Decoder:
    """Decodes the tracks of one feed, each frame with its time in ticks of its track.

    `live` decodes without holding frames back; otherwise cores work on several frames at once. `frame.opaque`
    of a picture is the aspect of its pixels. Damaged packets are counted and passed over. `uses` says of which
    tracks something is made (all without it), `threads` how many a picture decoder may have (0: one a core).
    Raises MediaError for a codec that this FFmpeg lacks, and when 10 s of media pass in a track without one frame.
    """

    def __init__(
        self,
        tracks: Sequence[Track],
        *,
        live: bool = True,
        uses: Callable[[int], bool] = lambda _: True,
        threads: int = 0,
    ) -> None:
        self._counts: Counter[str] = Counter()
        self._lines: dict[int, _Line] = {
            track.index: _Pictures(track, self._counts, live=live, threads=threads)
            if track.kind is Kind.VIDEO
            else _Sounds(track, self._counts)
            for track in tracks
            if uses(track.index)
        }

    def push(self, item: Packet | Gap) -> list[Decoded]:
        """Decode a packet; the frames that come out, in the order in which they are shown. Raises MediaError."""
        line = self._lines.get(item.track)
        return line.push(item) if line is not None and isinstance(item, Packet) else []

    def flush(self) -> list[Decoded]:
        """The frames that are still inside; then the decoders may be used for new packets."""
        return [frame for line in self._lines.values() for frame in line.flush()]

    def stats(self) -> dict[str, int]:
        """Frames given out (pictures, sounds), damaged ones among them (corrupt), packets refused (errors)."""
        return {name: self._counts[name] for name in ("pictures", "sounds", "corrupt", "errors")}


class _Line:
    """The decoder of one track."""

    def __init__(self, track: Track, counts: Counter[str]) -> None:
        self._track = track
        self._counts = counts
        self._base = track.time_base
        self._patience = int(Fraction(_PATIENCE, NANO) / track.time_base)
        self._context: Any = _context(track)
        self._good: int | None = None
        """Decode time of the last packet that brought a frame, or of the first packet."""

    def push(self, packet: Packet) -> list[Decoded]:
        coded = av.Packet(bytes(packet.data))
        coded.pts, coded.dts, coded.time_base = packet.pts, packet.dts, self._base
        coded.duration = packet.duration
        frames = self._decode(coded)
        if packet.dts is not None:
            self._check(packet.dts, good=bool(frames))
        return frames

    def flush(self) -> list[Decoded]:
        frames = self._decode(None)
        self._context.flush_buffers()
        return frames

    def _decode(self, coded: Any) -> list[Decoded]:
        try:
            frames = self._context.decode(coded)
        except av.FFmpegError:
            self._counts["errors"] += 1
            return []
        return [made for frame in frames if (made := self._made(frame)) is not None]

    def _made(self, frame: Any) -> Decoded | None:
        raise NotImplementedError

    def _check(self, dts: int, *, good: bool) -> None:
        if good or self._good is None or dts < self._good:
            self._good = dts
        elif dts - self._good > self._patience:
            raise MediaError(
                f"track {self._track.index} ({self._track.codec}): {_PATIENCE // NANO} s of media"
                " without one frame that can be decoded; check the encoder that sends it"
            )


class _Pictures(_Line):
    def __init__(self, track: Track, counts: Counter[str], *, live: bool, threads: int) -> None:
        super().__init__(track, counts)
        self._context.thread_type = "SLICE" if live else "FRAME"
        self._context.thread_count = threads
        self._last: int | None = None

    def flush(self) -> list[Decoded]:
        frames = super().flush()
        self._last = None
        return frames

    def _made(self, frame: Any) -> Decoded | None:
        pts = frame.pts if frame.pts is not None else frame.dts
        if pts is None:
            pts = 0 if self._last is None else self._last + max(1, frame.duration or 0)
        self._last = pts
        self._counts["pictures"] += 1
        self._counts["corrupt"] += frame.is_corrupt
        frame.opaque = self._context.sample_aspect_ratio or self._track.pixel_aspect
        frame.pict_type = PictureType.NONE  # an encoder would obey the type that the source chose
        return DecodedPicture(self._track.index, pts, frame)


class _Sounds(_Line):
    def __init__(self, track: Track, counts: Counter[str]) -> None:
        super().__init__(track, counts)
        self._next = 0
        """Where the sound before ended, for frames without a time."""

    def _made(self, frame: Any) -> Decoded | None:
        rate = frame.sample_rate
        if not rate or not frame.samples:
            return None
        if frame.pts is None:
            frame.pts, frame.time_base = self._next, self._base
        self._next = frame.pts + frame.samples * self._base.denominator // (rate * self._base.numerator)
        self._counts["sounds"] += 1
        self._counts["corrupt"] += frame.is_corrupt
        return DecodedSound(self._track.index, frame.pts, frame)


def _context(track: Track) -> Any:
    """A decoder for a track. Raises MediaError."""
    try:
        context: Any = av.CodecContext.create(_BETTER.get(track.codec, track.codec), "r")
    except (av.FFmpegError, ValueError) as error:
        raise MediaError(f"track {track.index}: this FFmpeg has no decoder for {track.codec}") from error
    if track.extradata:
        context.extradata = track.extradata
    if track.kind is Kind.VIDEO:
        context.width, context.height = track.width, track.height
    elif track.sample_rate and track.channels in _LAYOUTS:  # raw sound tells neither
        context.sample_rate, context.layout = track.sample_rate, _LAYOUTS[track.channels]
    return context
