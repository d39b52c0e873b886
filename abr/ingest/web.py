"""All that FFmpeg opens while it reads an http(s) URL: a film that is resumed where it broke off, or HLS."""

import io
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from typing import Protocol

from abr.clock import Clock
from abr.errors import FeedError, FeedLost, FeedRefused, FeedUnreadable
from abr.ingest.backoff import Backoff
from abr.ingest.cipher import Decrypting
from abr.ingest.fetch import Answer, Fetcher, check_url
from abr.ingest.guard import Guard
from abr.ingest.inflate import inflated
from abr.ingest.latecomer import Latecomers, Readable
from abr.ingest.playlist import LARGEST, Playlist, is_playlist, narrowed
from abr.ingest.webfile import WebFile
from abr.model.media import Kind

_HEAD = 16
_WRITE = 2
"""AVIO_FLAG_WRITE."""

_ATTEMPTS_OF_FILM, _ATTEMPTS_OF_LIVE = 8, 2
"""How often in a row what broke off is asked for again: some two minutes; live, the whole is opened anew instead."""

_OPTIONS = {
    # FFmpeg opens nothing itself. Were it to try: no local file, no archive, no concatenation.
    "protocol_whitelist": "http,https,tcp,tls,crypto",
    "format_whitelist": "hls,mov,mp4,matroska,webm,mpegts,mpeg,flv,avi,asf,ogg,mp3,aac,ac3,eac3,flac,wav,mxf,nut,ivf,h264,hevc,obu",
    "http_persistent": "0",
    # Addresses were looked at here; what they end in means nothing.
    "extension_picky": "0",
    "allowed_extensions": "ALL",
    "allowed_segment_extensions": "ALL",
    "analyzeduration": "3000000",
}

_CRYPTO = ("crypto+", "crypto:")


class Told(Protocol):
    """Who is told of a pause: seconds, the attempt that follows, and why."""

    def __call__(self, seconds: float, attempt: int, reason: str) -> None: ...


class Web:
    """One http(s) URL. `open` is for `av.open(url, io_open=…)`; it never raises: `failure` says what went wrong.

    `wait(seconds)` pauses and answers whether to stop.
    """

    options: Mapping[str, str] = _OPTIONS
    """For `av.open`."""

    def __init__(
        self, url: str, *, guard: Guard, clock: Clock, wait: Callable[[float], bool], told: Told | None = None
    ) -> None:
        self.url = url
        self.failure: FeedError | None = None
        """Why it cannot go on; what FFmpeg says of that is of no use."""
        self.received = 0
        """Bytes."""
        self.missed = 0
        """Segments of a live playlist that were not to be had."""
        self.began: int | None = None
        """When its media began to come (monotonic ns)."""
        self._latecomers = Latecomers()
        self._fetcher = Fetcher(url, guard)
        self._clock, self._wait, self._told = clock, wait, told
        self._backoff = Backoff()
        self._up: int | None = None
        """Since when bytes come (monotonic ns)."""
        self._gaps: frozenset[str] = frozenset()
        self._ended: dict[str, bool] = {}
        """The media playlists, and whether they have come to their end."""
        self._top: Playlist | None = None
        self._film: WebFile | None = None
        self._begin()

    @property
    def format(self) -> str | None:
        """FFmpeg's name of what it is, as far as that is known."""
        return None if self._top is None else "hls"

    @property
    def live(self) -> bool:
        """Whether it goes on without a known end."""
        if self._film is not None:
            return self._film.size is None
        return not all(self._ended.values())

    @property
    def playing(self) -> bool:
        """Whether a live playlist that was read has not come to its end."""
        return self._film is None and self.live

    @property
    def late(self) -> bool:
        """Whether a track has come since `settle` that opening it again would bring."""
        return self.live and self._latecomers.came

    def settle(self, kinds: Collection[Kind]) -> None:
        """FFmpeg has opened it and found these kinds of tracks."""
        self._latecomers.settle(kinds)

    def open(self, url: str, flags: int, options: Mapping[str, str]) -> object:
        """A file object of this URL; an empty one after a failure."""
        try:
            if self.failure is not None or flags & _WRITE:
                return io.BytesIO()
            return self._open(url, options)
        except FeedError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - FFmpeg drops what is raised through it; the reason must not be lost
            self._fail(FeedUnreadable(f"reading the URL failed: {type(error).__name__}: {error}"))
        return io.BytesIO()

    def abort(self, reason: str) -> None:
        """End it from any thread: whatever waits for bytes returns at once."""
        self._fail(FeedLost(reason))
        self._fetcher.abort(reason)

    def close(self) -> None:
        """Let go of all connections, in the thread that reads."""
        self._fetcher.close()

    def count(self, size: int) -> None:
        """So many bytes came."""
        self.received += size
        if self._up is None:
            self._up = self._clock.monotonic()

    def again(self, error: FeedLost) -> bool:
        """Wait before another attempt; False when there is none, and then `failure` is set."""
        lasted = 0 if self._up is None else self._clock.monotonic() - self._up
        self._up = None
        pause = self._backoff.failed(lasted)
        most = _ATTEMPTS_OF_LIVE if self._film is None and self.live else _ATTEMPTS_OF_FILM
        if self.failure is None and self._backoff.attempt <= most:
            if self._told is not None:
                self._told(pause, self._backoff.attempt, str(error))
            if not self._wait(pause) and self.failure is None:
                return True
        self._fail(error)
        return False

    def fail(self, error: FeedError) -> None:
        """It cannot go on."""
        self._fail(error)

    def get(self, url: str, start: int = 0, validator: str = "") -> Answer:
        """Ask once. Raises FeedError."""
        return self._fetcher.get(url, start, validator)

    def _begin(self) -> None:
        """The first answer decides what it is. Raises FeedError; it is not asked for twice."""
        answer = self._fetcher.get(self.url)
        try:
            head = _head(answer)
            if is_playlist(head) or answer.encoding:
                self._top = self._read_playlist(self.url, answer, head)
            else:
                self._film = self._media(self.url, answer, head)
        finally:
            if self._film is None:
                answer.close()

    def _open(self, url: str, options: Mapping[str, str]) -> object:
        if self._film is not None:
            if url != self.url:
                raise FeedRefused("the file leads to another one")
            return self._latecomers.through(self._film) if self.live else self._film
        if url == self.url and self._top is not None:
            text, self._top = self._top.text, None
            return io.BytesIO(text.encode())
        plain = url
        for prefix in _CRYPTO:
            plain = plain.removeprefix(prefix)
        check_url(plain, self.url)
        if plain in self._gaps:
            return io.BytesIO()
        opened: Readable = self._open_part(plain, options)
        if plain != url:
            opened = Decrypting(opened, options)
        # Of several playlists each has a multiplex of its own.
        return self._latecomers.through(opened) if len(self._ended) == 1 else opened

    def _open_part(self, url: str, options: Mapping[str, str]) -> io.BytesIO | WebFile:
        """A playlist that is read again, a segment, an init or a key."""
        start, end = int(options.get("offset", 0)), int(options.get("end_offset", 0)) or None
        while True:
            try:
                answer = self._fetcher.get(url, start)
                head = _head(answer)
                if is_playlist(head):
                    with closing(answer):
                        return io.BytesIO(self._read_playlist(url, answer, head).text.encode())
                return self._media(url, answer, head, start, end)
            except FeedLost as error:
                if not self.again(error):
                    return io.BytesIO()
            except FeedUnreadable:
                if not self.live or url in self._ended:
                    raise
                self.missed += 1  # it left the window before we came
                return io.BytesIO()

    def _media(
        self, url: str, answer: Answer, head: bytes, start: int = 0, end: int | None = None
    ) -> WebFile:
        if self.began is None:
            self.began = self._clock.monotonic()
        return WebFile(self, url, answer=answer, head=head, start=start, end=end)

    def _read_playlist(self, url: str, answer: Answer, head: bytes) -> Playlist:
        data = bytearray(head)
        while piece := answer.read(1 << 16):
            data += piece
            if len(data) > LARGEST:
                raise FeedUnreadable(f"the playlist is larger than {LARGEST >> 20} MiB")
        self.count(len(data))
        playlist = narrowed(inflated(bytes(data), answer.encoding, LARGEST), answer.url)
        if playlist.ended is not None:
            self._ended[url] = playlist.ended
            self._gaps = playlist.gaps if len(self._ended) == 1 else self._gaps | playlist.gaps
        return playlist

    def _fail(self, error: FeedError) -> None:
        self.failure = self.failure or error


def _head(answer: Answer) -> bytes:
    head = b""
    while len(head) < _HEAD and (piece := answer.read(_HEAD - len(head))):
        head += piece
    return head
