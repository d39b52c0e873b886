"""A feed, a file or a URL taken apart into packets."""

import errno
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import av

from abr.errors import FeedUnreadable
from abr.ingest.feed import Feed
from abr.ingest.mp4 import PlainFile
from abr.ingest.track import choose, describe
from abr.model.columns import Packets
from abr.model.media import Kind, Packet, Track

if TYPE_CHECKING:
    from abr.ingest.web import Web

_PROBING = {"analyzeduration": "1500000", "correct_ts_overflow": "0"}
"""Microseconds that FFmpeg may wait for a track of a live feed; without it a feed without sound takes 5 s.

It leaves the turns of a feed's counter alone: it undoes only the first one, and then nobody can count it.
"""

_URL_TIMEOUT = (10.0, 5.0)
"""Seconds to open a URL, and to wait for its next bytes. PyAV ignores them for feeds: those have their own."""

_WEB_TIMEOUT = (60.0, 60.0)
"""The same for http(s): that long FFmpeg may wait for a live playlist to change. Its connections have limits of their own."""

_BATCH = 64
"""Packets of a track that are handed on together."""

T = TypeVar("T")

_KEYED = frozenset(("rtmp", "rtmps", "rtmpt", "srt"))
"""Schemes whose path ends in a key."""

_PLAIN = frozenset(("h264", "hevc", "av1", "aac"))
"""Codecs of which one sample of an MP4 file is one packet, without libavformat's parsers."""

_SENTENCES: tuple[tuple[type[Exception], str], ...] = (
    (FileNotFoundError, ": there is no such file"),
    (IsADirectoryError, " is a folder; name a file in it"),
    (PermissionError, " may not be read: no permission"),
    (ConnectionRefusedError, ": nobody listens there"),
    (TimeoutError, " did not answer in time"),
    (av.error.ExitError, " did not answer in time"),
    (av.error.ProtocolNotFoundError, " has a scheme that this FFmpeg cannot read"),
    (av.error.InvalidDataError, " holds no media that can be recognised"),
    (EOFError, " holds no media that can be recognised"),
)


class Demuxer:
    """Opens `source` and gives its packets. One thread opens, reads and closes it.

    `source` is a Feed, a path or a URL; an http(s) URL is read through `web` alone. `format` is FFmpeg's name of the container (a feed knows its own),
    `options` go to FFmpeg's demuxer. A feed is told which kinds of tracks were found (`Feed.settle`).
    Raises FeedUnreadable, in one sentence, when nothing can be read from it.
    """

    def __init__(
        self,
        source: Feed | str,
        *,
        format: str | None = None,  # noqa: A002 - as in PyAV
        options: Mapping[str, str] | None = None,
        web: "Web | None" = None,
    ) -> None:
        self.name = public_name(source) if isinstance(source, str) else source.name
        self._feed = None if isinstance(source, str) else source
        self._web = web
        self._container = self._open(source, format, dict(options or {}))
        self._streams = choose(self._container)
        self.tracks: tuple[Track, ...] = tuple(
            describe(index, stream) for index, stream in enumerate(self._streams)
        )
        self._check_tracks()
        self._plain = self._open_plain(source)
        self._demuxed: Any = self._container.demux(self._streams)
        self.duration: int = (self._container.duration or 0) * 1000
        """Nanoseconds, as the container says; 0 for unknown (feeds)."""
        self.size: int = max(0, self._container.size) if self._feed is None else 0
        """Bytes of the file; 0 for unknown."""
        self.corrupt = 0
        """Packets that the container flagged as damaged."""
        self.ended: str | None = None
        """Why no more packets come; None while they may."""
        self.late = False
        """Whether they ended because a track came that is not among `tracks`: see `watch`."""
        self._lacking: tuple[str, ...] | None = None
        """Kinds of which there is no track, while such are watched for."""
        if self._feed is not None:
            self._feed.settle({track.kind for track in self.tracks})

    @property
    def reopen(self) -> bool:
        """Whether the feed goes on with other tracks: `Feed.restart`, then a new Demuxer."""
        return self._feed is not None and self._feed.reopen

    def watch(self) -> None:
        """From now on end where another track comes: it would never be given. Feeds see to it themselves.

        Seen are all tracks of an MPEG-TS that comes through `web`, and otherwise the first of a kind.
        """
        kinds = {track.kind for track in self.tracks}
        self._lacking = tuple(kind.value for kind in Kind if kind not in kinds)
        if self._web is not None:
            self._web.settle(kinds)

    def packets(self) -> Iterator[Packet]:
        """Packets of all tracks in the container's order. Never raises: `ended` says how it ended."""
        return self._until_closed(self._plain.packets() if self._plain else self._demux())

    def batches(self) -> Iterator[Packets]:
        """The same packets, many of one track at once: cheaper, where they need not come in order of time.

        Never raises, as `packets`.
        """
        return self._until_closed(self._plain.batches() if self._plain else _gathered(self._demux()))

    def _until_closed(self, source: Iterator[T]) -> Iterator[T]:
        try:
            for item in source:
                yield item
                if not self._streams:
                    break  # closed: nothing may be asked again
        except Exception as error:  # noqa: BLE001 - whatever comes out of a demuxer is the end of the feed
            self.ended = self._reason(error)
        else:
            self.ended = self._reason(None)

    def close(self) -> None:
        """Close the container. Nothing of it may be used afterwards; closing twice is fine."""
        if self._streams:
            self._streams = []
            self._demuxed.close()
            self._container.close()
            if self._plain is not None:
                self._plain.close()

    def _open_plain(self, source: Feed | str) -> PlainFile | None:
        """The same file by its own tables, where they tell all that libavformat would."""
        if (
            not isinstance(source, str)
            or "://" in source
            or not self._container.format.name.startswith("mov")
        ):
            return None
        if not {track.codec for track in self.tracks} <= _PLAIN:
            return None
        return PlainFile.open(Path(source), [(stream.id, stream.time_base) for stream in self._streams])

    def _demux(self) -> Iterator[Packet]:
        """Packets as libavformat gives them."""
        places = {stream.index: place for place, stream in enumerate(self._streams)}
        for packet in self._demuxed:
            data = bytes(packet)
            if not data:
                continue
            corrupt = packet.is_corrupt
            if corrupt:
                self.corrupt += 1
            place = places[packet.stream_index]
            pts, dts, duration = packet.pts, packet.dts, packet.duration
            yield Packet(place, pts, dts, duration or 0, packet.is_keyframe, corrupt, data)
            if self._lacking is not None and self._has_latecomer(self._lacking):
                self.late = True
                return

    def _has_latecomer(self, lacking: Sequence[str]) -> bool:
        if self._web is not None and self._web.late:
            return True
        try:
            for kind in lacking:
                self._container.streams.best(kind)
        except IndexError:  # FFmpeg knows one more than PyAV, which made its streams when it was opened
            return True
        return False

    def _open(self, source: Feed | str, form: str | None, options: dict[str, str]) -> Any:
        try:
            if not isinstance(source, str):
                return av.open(source, format=form or source.format, options=_PROBING | options)
            if self._web is not None:
                return self._open_web(self._web, options)
            if "://" in source:
                return av.open(source, format=form, options=options, timeout=_URL_TIMEOUT)
            return av.open(f"file:{source}", format=form, options=options)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._unreadable(source, error) from error

    def _open_web(self, web: "Web", options: dict[str, str]) -> Any:
        """Let FFmpeg open nothing by itself; what stopped it, if something of ours did, is said instead of its error."""
        try:
            return av.open(
                web.url,
                format=web.format,
                options={**web.options, **options},
                timeout=_WEB_TIMEOUT,
                io_open=web.open,
            )
        except (av.FFmpegError, OSError, ValueError):
            if web.failure is not None:
                raise web.failure from None
            raise

    def _unreadable(self, source: Feed | str, error: Exception) -> FeedUnreadable:
        if self._web is not None and getattr(error, "errno", 0) == errno.EINVAL:
            return FeedUnreadable(f"{self.name} is of a kind that is not read from a URL")
        if not isinstance(source, str):
            reason = f": {source.ended}" if source.ended else ""
            return FeedUnreadable(f"{self.name}: the feed brought no media that can be recognised{reason}")
        if "://" not in source and Path(source).is_file() and not Path(source).stat().st_size:
            return FeedUnreadable(f"{self.name} is empty")
        for kind, sentence in _SENTENCES:
            if isinstance(error, kind):
                return FeedUnreadable(self.name + sentence)
        return FeedUnreadable(f"{self.name} cannot be opened: {getattr(error, 'strerror', '') or error}")

    def _check_tracks(self) -> None:
        form = self._container.format.name
        still = form == "image2" or form.endswith("_pipe")
        if self.tracks and not still:
            return
        self._streams = []
        self._container.close()
        if still:
            raise FeedUnreadable(f"{self.name} is a picture; name a file with video or sound")
        raise FeedUnreadable(f"{self.name} has no video and no sound that can be decoded")

    def _reason(self, error: Exception | None) -> str:
        if self._feed is not None and self._feed.ended:
            return self._feed.ended
        if self._web is not None and self._web.failure is not None:
            return str(self._web.failure)
        if error is None and not self.late:
            return "the end"
        if error is None or isinstance(error, IndexError):
            return "a track appeared that was not there when it was opened"
        return getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"


def _gathered(packets: Iterator[Packet]) -> Iterator[Packets]:
    """Packets, those of one track together."""
    waiting: dict[int, list[Packet]] = {}
    for packet in packets:
        batch = waiting.setdefault(packet.track, [])
        batch.append(packet)
        if len(batch) >= _BATCH:
            yield Packets.of(waiting.pop(packet.track))
    yield from map(Packets.of, waiting.values())


def public_name(source: str) -> str:
    """A path or URL for logs and errors: without user, password, query and key.

    >>> public_name("rtmp://user:pass@example.org/live/secret?x=1")
    'rtmp://example.org/live'
    """
    if "://" not in source:
        return source
    parts = urlsplit(source)
    host = parts.netloc.rpartition("@")[2]
    path = parts.path
    if parts.scheme.lower() in _KEYED:
        path = "/".join(path.split("/")[:2])
    return f"{parts.scheme}://{host}{path}"
