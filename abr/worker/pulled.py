"""What is pulled and taken apart by FFmpeg itself: a file, an http(s) URL, an RTMP server."""

from collections.abc import Callable, Iterator

from abr.clock import Clock
from abr.config.pull import PullAddress
from abr.ingest.normalise import Normaliser
from abr.ingest.past import Past
from abr.ingest.pull import PulledFeed
from abr.ingest.source import Opener
from abr.model.media import Gap, Packet
from abr.model.time import NANO
from abr.worker.ahead import Ahead
from abr.worker.input import Items

Spawn = Callable[[str, Callable[[], None]], None]


class Pulled:
    """An opened source, at its own pace where nobody else sets one; a file with `loop` again and again.

    `past` is what the connections before brought: servers send some of it again. With `watch` a live one ends where
    another track comes: `late`. Raises FeedError.
    """

    link = None

    def __init__(
        self,
        address: PullAddress,
        opener: Opener,
        spawn: Spawn,
        past: Past | None = None,
        *,
        watch: bool = True,
    ) -> None:
        self._address, self._opener = address, opener
        opened = opener.clock.monotonic()
        self._source = opener.open(address)
        if watch and self._source.live:
            self._source.demuxer.watch()
        self._ahead: Ahead | None = None
        if self._source.remote:
            self._ahead = Ahead(self._source, clock=opener.clock, stop=self._wanted)
            spawn("pull reader", self._ahead.read)
        self.name = self._source.demuxer.name
        self.tracks = self._source.demuxer.tracks
        self.stopped = False
        """Whether it ended because `wait` said so."""
        self._normaliser = self._normalise(past, opened)
        self._paced: PulledFeed | None = None

    @property
    def clock(self) -> Clock:
        return self._opener.clock

    @property
    def ended(self) -> str | None:
        """Why no more packets come; None while they may, and after a stop."""
        return (self._ahead.ended if self._ahead else None) or self._source.ended

    @property
    def received(self) -> int:
        return self._source.received

    @property
    def live(self) -> bool:
        """Whether it is to be opened again when it breaks off."""
        return self._source.live

    @property
    def forbidden(self) -> bool:
        """Whether it led to what it must not."""
        return self._source.forbidden

    @property
    def late(self) -> bool:
        """Whether it ended because another track came: opened anew it has that."""
        return self._source.demuxer.late

    @property
    def failed(self) -> bool:
        """Whether it ended before its end."""
        return not self.stopped and not self._source.whole

    def stats(self) -> dict[str, int]:
        behind = {"late": self._paced.late} if self._paced else {}
        wrong = {"corrupt": self._source.demuxer.corrupt, "unavailable": self._source.missed}
        return self._normaliser.stats() | wrong | behind

    def items(self) -> Items:
        packets = self._packets()
        if not self._source.paced:
            for item in packets:
                yield (item,)
            return
        self._paced = paced = PulledFeed(packets, self.tracks, self._opener.clock.monotonic, self._go_on)
        for item in paced:
            yield (item,)
        self.stopped = self.stopped or paced.stopped

    def open_again(self) -> bool:
        """Other tracks end it: what is opened anew is another connection, with a time line of its own."""
        return False

    def close(self) -> None:
        if self._ahead is not None:
            self._ahead.leave("the worker does not read it any more")
        else:
            self._source.close()

    def _normalise(self, past: Past | None, opened: int) -> Normaliser:
        """What is live comes when it comes; a file is read as fast as it is wanted."""
        if not self._source.live:
            return Normaliser(self.tracks)
        now = self._opener.clock.monotonic
        return Normaliser(self.tracks, now=now, past=past, opened=self._source.began or opened)

    def _packets(self) -> Iterator[Packet | Gap]:
        while True:
            empty = True
            for packet in self._ahead.packets() if self._ahead else self._source.demuxer.packets():
                yield from self._normaliser.push(packet)
                empty = False
            if not self._address.loop or not self._source.whole or empty:
                return
            self._source.close()
            self._normaliser.repeat()
            self._source = self._opener.open(self._address)

    def _go_on(self, wait: int) -> bool:
        return not self._opener.wait(wait / NANO)

    def _wanted(self) -> bool:
        self.stopped = self.stopped or self._opener.wait(0.0)
        return self.stopped
