"""From encoded packets to releases: cut, packaged, on disk, in the journal, then told to the delivery."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from abr.journal.journal import Journal
from abr.journal.spool import Spool
from abr.model.media import EncodedPacket, Kind
from abr.model.segment import Release, SegmentRow, Session
from abr.package.cmaf import make_segment
from abr.package.cutter import Cut, Cutter, Missing, Piece
from abr.worker.collector import Collector, Complete


class Cuts(Protocol):
    """What cuts a rendition: `package.cutter.Cutter`, or a `Follower` of one."""

    dropped: int

    def extend(self, packets: Sequence[EncodedPacket]) -> list[Piece]: ...
    def flush(self) -> list[Piece]: ...


@dataclass(slots=True)
class Tally:
    """What a rendition has given so far."""

    segments: int = 0
    bytes: int = 0
    latest_bits: int = 0
    """Bits of the latest segment, and its length in ticks."""
    latest_ticks: int = 1


class Marks(NamedTuple):
    """Who is asked what is special about a segment. They may be asked from any thread."""

    slated: Callable[[int], bool] = lambda _: False
    """Whether the pictures of a number hold the slate."""
    shed: Callable[[str, int], int] = lambda *_: 0
    """What was left out of a rendition's number (`SegmentRow.shed`)."""


class Packager:
    """Packages one session. One thread uses it.

    A segment is on disk before its row, the rows of a number are one commit, and `released` is called after it.
    `batch` numbers share a commit (films release faster than a disk commits). `cutters` has those first that
    others follow. `marks` says what is to be known of segments later.
    """

    def __init__(
        self,
        session: Session,
        cutters: Mapping[str, Cuts],
        books: tuple[Journal, Spool],
        released: Callable[[Sequence[Release]], None],
        *,
        batch: int = 1,
        marks: Marks = Marks(),  # noqa: B008 - a tuple
    ) -> None:
        self._session = session
        self._cutters = cutters
        self._journal, self._spool = books
        self._released = released
        self._batch, self._marks = batch, marks
        self._collector = Collector(session)
        self._complete: list[Complete] = []
        self.tallies = {rendition.name: Tally() for rendition in session.renditions}

    def push(self, name: str, packets: Sequence[EncodedPacket]) -> None:
        """Packets of a rendition, in decode order. Raises MediaError, SpoolError, JournalError."""
        pieces = self._cutters[name].extend(packets)
        if pieces:
            self._take(pieces)

    def skip(self, name: str, until: int) -> None:
        """No packet of a live rendition comes before `until`: what it has passed is a gap. Raises as `push`."""
        cutter = self._cutters[name]
        assert isinstance(cutter, Cutter)  # films have no gaps
        self._take(cutter.skip(until))

    def flush(self) -> None:
        """All renditions have ended: cut and release what is left. Those that lead the cuts end first."""
        for cutter in self._cutters.values():
            self._take(cutter.flush())
        self._complete += self._collector.flush()
        self._release()

    def _take(self, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            row = self._gap(piece) if isinstance(piece, Missing) else self._store(piece)
            self._complete += self._collector.add(row)
        if len(self._complete) >= self._batch:
            self._release()

    def _store(self, cut: Cut) -> SegmentRow:
        rendition = self._session.rendition(cut.rendition)
        slate = rendition.kind is Kind.VIDEO and self._marks.slated(cut.number)
        shed = self._marks.shed(cut.rendition, cut.number)
        row = self._spool.write(self._session.id, make_segment(rendition, cut), slate=slate, shed=shed)
        tally = self.tallies[cut.rendition]
        tally.segments += 1
        tally.bytes += row.size
        tally.latest_bits, tally.latest_ticks = row.size * 8, row.duration
        return row

    def _gap(self, gap: Missing) -> SegmentRow:
        duration, shed = gap.end - gap.start, self._marks.shed(gap.rendition, gap.number)
        return SegmentRow(
            self._session.id,
            gap.rendition,
            gap.number,
            gap.start,
            duration,
            0,
            "",
            0,
            0,
            (),
            gap=True,
            shed=shed,
        )

    def _release(self) -> None:
        if not self._complete:
            return
        releases = self._journal.release_many(self._session.id, self._complete)
        self._complete = []
        self._released(releases)
