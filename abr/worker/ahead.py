"""Packets read ahead in a thread of their own, so that a server that stalls cannot hold up the worker."""

import threading
from collections import deque
from collections.abc import Callable, Iterator

from abr.clock import Clock
from abr.ingest.source import Source
from abr.model.media import Packet
from abr.model.time import NANO

_BYTES = 8 << 20
_PACKETS = 4096
"""What may wait: some seconds."""

_LOOK = 0.2
"""Seconds between two looks at whether to stop, while nothing comes."""


class Ahead:
    """The packets of a source. `stop()` says whether somebody wants an end.

    The source belongs to the thread once that is started, and is closed by it.
    """

    def __init__(self, source: Source, *, clock: Clock, stop: Callable[[], bool]) -> None:
        self._source, self._clock, self._stop = source, clock, stop
        self._waiting: deque[Packet] = deque()
        self._size = 0
        self._done = self._left = False
        self._changed = threading.Condition()
        self.ended: str | None = None
        """Why it ended, where that was decided here."""

    def read(self) -> None:
        """The thread: read until the end, or until nobody takes anything any more."""
        try:
            for packet in self._source.demuxer.packets():
                if not self._put(packet):
                    break
        finally:
            with self._changed:
                self._done = True
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._left)
            self._source.close()

    def packets(self) -> Iterator[Packet]:
        """All packets, until the end, until nothing came for too long, or until `stop`, which is asked for each."""
        since = self._clock.monotonic()
        while not self._stop() and ((packet := self._take()) is not None or not self._is_over(since)):
            if packet is not None:
                yield packet
                since = self._clock.monotonic()

    def leave(self, reason: str) -> None:
        """Nobody reads any more: the thread closes the source."""
        with self._changed:
            self._left = True
            self._waiting.clear()
            self._changed.notify_all()
        self._source.abort(reason)

    def _put(self, packet: Packet) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._left or self._has_room())
            self._waiting.append(packet)
            self._size += len(packet.data)
            self._changed.notify_all()
            return not self._left

    def _has_room(self) -> bool:
        return self._size < _BYTES and len(self._waiting) < _PACKETS

    def _take(self) -> Packet | None:
        """The next packet, waited for a little."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._done, _LOOK)
            if not self._waiting:
                return None
            packet = self._waiting.popleft()
            self._size -= len(packet.data)
            self._changed.notify_all()
            return packet

    def _is_over(self, since: int) -> bool:
        with self._changed:
            if self._done and not self._waiting:
                return True
        silence = self._source.silence
        if silence is None or self._clock.monotonic() - since < silence * NANO:
            return False
        self.ended = f"nothing new came for {silence} s"
        return True
