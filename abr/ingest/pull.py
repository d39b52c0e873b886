"""A file or a URL read at the pace of its own clock, as if somebody published it."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from abr.model.media import Gap, Packet, Track
from abr.model.time import NANO

_PATIENCE = NANO
"""Who is behind by more than this goes on from where he is, instead of catching up in a burst."""


class PulledFeed:
    """Gives packets not earlier than their decode time, counted from the first one.

    `packets` have normalised times. `now` is the media or monotonic clock (ns); `wait(ns)` waits so long, or until
    somebody wants an end, and then answers False: it is asked for each packet, with 0 for one that is due. Hidden
    packets are due at once. The end of the packets is the end of the event.
    """

    def __init__(
        self,
        packets: Iterable[Packet | Gap],
        tracks: Sequence[Track],
        now: Callable[[], int],
        wait: Callable[[int], bool],
    ) -> None:
        self._packets = packets
        bases = [track.time_base for track in tracks]
        self._scales = [(base.numerator * NANO, base.denominator) for base in bases]
        self._now = now
        self._wait = wait
        self._start: int | None = None
        """The instant at which media time 0 is due."""
        self._reached = 0
        """The latest decode time so far, ns."""
        self.late = 0
        """How often the reader fell behind and the pace was set anew."""
        self.stopped = False
        """Whether it ended because `wait` said so."""

    def __iter__(self) -> Iterator[Packet | Gap]:
        for item in self._packets:
            if isinstance(item, Packet) and not self._wait(max(0, self._ahead(item))):
                self.stopped = True
                return
            yield item

    def _ahead(self, packet: Packet) -> int:
        """How long (ns) this packet is not due yet."""
        if packet.dts is None or packet.hidden:
            return 0
        multiply, divide = self._scales[packet.track]
        time, now = packet.dts * multiply // divide, self._now()
        if self._start is None:
            self._start = now - time
        elif time < self._reached:
            return 0  # badly interleaved: another track is ahead, and that one keeps the pace
        self._reached = time
        ahead = self._start + time - now
        if ahead < -_PATIENCE:
            self.late += 1
            self._start = now - time
        return ahead
