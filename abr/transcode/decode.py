"""The decoders of a feed: packets in, pictures and sound out."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import av
from av.video.frame import PictureType

from abr.errors import MediaError
from abr.model.media import UPRIGHT, Gap, Kind, Packet, Track, Turn
from abr.model.time import NANO
from abr.transcode.frame import Decoded, DecodedPicture, DecodedSound
from abr.transcode.interlace import Deinterlacer
from abr.transcode.orientation import Turner
from abr.transcode.tone import Range, can_map, range_of

_PATIENCE = 10 * NANO
"""How much media may pass without one good frame."""

_BETTER = {"av1": "libdav1d"}
"""Where FFmpeg's decoder of the codec's own name only drives hardware."""

_COUNTED = ("pictures", "sounds", "corrupt", "errors", "interlaced", "turned", "wide")

_MOST_FORMS = 32
"""So many changes of a feed's pictures are told of; one that changes all the time must not fill the log."""

Note = Callable[[str], None]
"""Told of the form of a feed's pictures and of each other one: "1920x1080 yuv420p, turned by 90 degrees: …"."""

_SMALLEST = 16
"""Pixels of a side: what is smaller comes of damage, and no scaler takes it."""

_FATAL = frozenset(("yaf32be", "yaf32le"))
"""Forms over which FFmpeg's scaler ends the process, instead of refusing them."""

_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


class Decoder:
    """Decodes the tracks of one feed, each frame with its time in ticks of its track.

    `live` decodes without holding frames back; otherwise cores work on several frames at once. `frame.opaque`
    of a picture is the aspect of its pixels. Pictures are upright and whole: turned as frame or container say,
    made of fields for as long as the source sends such (those come one frame later). Damaged packets are counted
    and passed over. `uses` says of which tracks something is made (all without it), `threads` how many a picture
    decoder may have (0: one a core); `note` is told of the pictures' form and of its changes.
    Raises MediaError for a codec that this FFmpeg lacks, and when 10 s of media pass in a track without one frame.
    """

    def __init__(
        self,
        tracks: Sequence[Track],
        *,
        live: bool = True,
        uses: Callable[[int], bool] = lambda _: True,
        threads: int = 0,
        note: Note = lambda _: None,
    ) -> None:
        self._counts: Counter[str] = Counter()
        self._lines: dict[int, _Line] = {
            track.index: _Pictures(track, self._counts, note, live=live, threads=threads)
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
        """Frames given out (pictures, sounds), damaged ones among them (corrupt), packets refused (errors).

        Pictures that were made of fields (interlaced), turned, or of more than BT.709 (wide).
        """
        return {name: self._counts[name] for name in _COUNTED}


class _Line(ABC):
    """The decoder of one track."""

    def __init__(self, track: Track, counts: Counter[str]) -> None:
        self._track = track
        self._counts = counts
        self._base = track.time_base
        self._patience = int(Fraction(_PATIENCE, NANO) / track.time_base)
        self._context: Any = _context(track)
        self._good: int | None = None
        """Decode time of the last packet that brought a frame, or of the first packet."""
        self._hidden: set[int] = set()
        """Presentation times of packets that are not shown."""

    def push(self, packet: Packet) -> list[Decoded]:
        if packet.hidden and packet.pts is not None:
            self._hidden.add(packet.pts)
        coded = av.Packet(bytes(packet.data))
        coded.pts, coded.dts, coded.time_base = packet.pts, packet.dts, self._base
        coded.duration = packet.duration
        frames = self._decode(coded)
        if packet.dts is not None:
            self._check(packet.dts, good=bool(frames) or packet.hidden)
        return frames

    def flush(self) -> list[Decoded]:
        frames = self._decode(None)
        self._context.flush_buffers()
        self._hidden.clear()
        return frames

    def _decode(self, coded: Any) -> list[Decoded]:
        try:
            frames = self._context.decode(coded)
        except av.FFmpegError:
            self._counts["errors"] += 1
            return []
        return [made for frame in frames if not self._is_hidden(frame) for made in self._made(frame)]

    def _is_hidden(self, frame: Any) -> bool:
        """Whether this is the frame of a packet that is not shown."""
        if frame.pts not in self._hidden:
            return False
        self._hidden.discard(frame.pts)
        return True

    @abstractmethod
    def _made(self, frame: Any) -> Iterable[Decoded]:
        """What comes of a decoded frame."""

    def _check(self, dts: int, *, good: bool) -> None:
        if good or self._good is None or dts < self._good:
            self._good = dts
        elif dts - self._good > self._patience:
            raise MediaError(
                f"track {self._track.index} ({self._track.codec}): {_PATIENCE // NANO} s of media"
                " without one frame that can be decoded; check the encoder that sends it"
            )


class _Pictures(_Line):
    def __init__(self, track: Track, counts: Counter[str], note: Note, *, live: bool, threads: int) -> None:
        super().__init__(track, counts)
        self._context.thread_type = "SLICE" if live else "FRAME"
        self._context.thread_count = threads
        self._last: int | None = None
        self._fields = Deinterlacer()
        self._turner = Turner(track.turn)
        self._note = note
        self._form = ""
        self._told = 0

    def flush(self) -> list[Decoded]:
        frames = super().flush() + [self._upright(*held) for held in self._fields.flush()]
        self._last = None
        return frames

    def _made(self, frame: Any) -> Iterable[Decoded]:
        if min(frame.width, frame.height) < _SMALLEST:
            self._counts["errors"] += 1
            return ()
        if not _convertible(frame.format.name):
            raise MediaError(
                f"track {self._track.index} ({self._track.codec}): its pictures are {frame.format.name},"
                " which cannot be converted; send yuv420p"
            )
        pts = frame.pts if frame.pts is not None else frame.dts
        if pts is None:
            pts = 0 if self._last is None else self._last + max(1, frame.duration or 0)
        self._last = pts
        self._counts["pictures"] += 1
        self._counts["corrupt"] += frame.is_corrupt
        self._counts["interlaced"] += frame.interlaced_frame
        # An object of its own: PyAV forgets one that several frames share as soon as the first of them is freed.
        frame.opaque = Fraction(self._context.sample_aspect_ratio or self._track.pixel_aspect)
        return [self._upright(*whole) for whole in self._fields.push(pts, frame)]

    def _upright(self, pts: int, frame: Any, fields: bool) -> DecodedPicture:
        turn, aspect, wide = self._turner.turn_of(frame), frame.opaque, range_of(frame)
        self._tell(_form(frame, turn, wide, fields=fields))
        self._counts["turned"] += turn != UPRIGHT
        self._counts["wide"] += wide is not None
        frame = self._turner.upright(frame, turn)
        frame.opaque = Fraction(1 / aspect if turn.sideways else aspect)
        frame.pict_type = PictureType.NONE  # an encoder would obey the type that the source chose
        return DecodedPicture(self._track.index, pts, frame)

    def _tell(self, form: str) -> None:
        """Tell of another form of pictures."""
        if form != self._form and self._told < _MOST_FORMS:
            self._told += 1
            self._form = form
            self._note(form)


class _Sounds(_Line):
    def __init__(self, track: Track, counts: Counter[str]) -> None:
        super().__init__(track, counts)
        self._next = 0
        """Where the sound before ended, for frames without a time."""

    def _made(self, frame: Any) -> Iterable[Decoded]:
        rate = frame.sample_rate
        if not rate or not frame.samples:
            return ()
        if frame.pts is None:
            frame.pts, frame.time_base = self._next, self._base
        self._next = frame.pts + frame.samples * self._base.denominator // (rate * self._base.numerator)
        self._counts["sounds"] += 1
        self._counts["corrupt"] += frame.is_corrupt
        return (DecodedSound(self._track.index, frame.pts, frame),)


@cache
def _convertible(form: str) -> bool:
    """Whether pictures of this form can be scaled: they are later, where a refusal would end the event."""
    if form in _FATAL:
        return False
    try:
        av.VideoFrame(64, 64, form).reformat(32, 32, "yuv420p")
    except (av.FFmpegError, ValueError):
        return False
    return True


def _form(frame: Any, turn: Turn, wide: Range | None, *, fields: bool) -> str:
    """A picture's form and what is made of it, in words: "1920x1080 yuv420p, interlaced"."""
    said = [f"{frame.width}x{frame.height} {frame.format.name}"]
    if frame.opaque != 1:
        said.append(f"pixels {frame.opaque.numerator}:{frame.opaque.denominator}")
    if fields:
        said.append("interlaced: whole pictures are made")
    if turn != UPRIGHT:
        mirrored = "mirrored and " if turn.mirrored else ""
        said.append(f"{mirrored}turned by {turn.quarters * 90} degrees: set upright")
    if wide is not None:
        said.append(
            f"{wide.value}: {'shown as BT.709' if can_map() else 'this FFmpeg cannot map its colours'}"
        )
    return ", ".join(said)


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
