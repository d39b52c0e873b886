"""Renditions advance together: rows wait here until every rendition has passed their number."""

from collections.abc import Iterator
from typing import NamedTuple

from abr.model.segment import Rendition, SegmentRow, Session
from abr.model.time import rescale


class Complete(NamedTuple):
    """A number that can be released: a row, or a gap, of every rendition in the session's order."""

    number: int
    rows: tuple[SegmentRow, ...]


class Collector:
    """Gathers the rows of one session by number.

    A rendition gives its numbers in growing order. A number that some rendition has and another has passed
    without is a gap there, as long as the rows that it has; numbers that nobody has do not exist.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._passed: dict[str, int | None] = dict.fromkeys(item.name for item in session.renditions)
        self._rows: dict[int, dict[str, SegmentRow]] = {}

    def add(self, row: SegmentRow) -> list[Complete]:
        """The next row of its rendition; answers the numbers that are complete with it."""
        self._rows.setdefault(row.number, {})[row.rendition] = row
        self._passed[row.rendition] = row.number
        passed = [number for number in self._passed.values() if number is not None]
        if len(passed) < len(self._passed):
            return []
        return list(self._take(min(passed)))

    def flush(self) -> list[Complete]:
        """No row follows: everything that is left, with gaps."""
        return list(self._take(max(self._rows, default=0)))

    def _take(self, last: int) -> Iterator[Complete]:
        for number in sorted(self._rows):
            if number > last:
                return
            have = self._rows.pop(number)
            model = next(iter(have.values()))
            yield Complete(
                number,
                tuple(have.get(item.name) or self._gap(item, model) for item in self._session.renditions),
            )

    def _gap(self, rendition: Rendition, model: SegmentRow) -> SegmentRow:
        """The time that another rendition's row covers, as a gap of this one."""
        source, target = self._session.rendition(model.rendition).timescale, rendition.timescale
        start = rescale(model.start, source, target)
        duration = rescale(model.start + model.duration, source, target) - start
        return SegmentRow(
            self._session.id, rendition.name, model.number, start, duration, 0, "", 0, 0, (), gap=True
        )
