"""The live window as a fold over the journal: sessions begin, releases are appended, the oldest leave.

Nothing here looks at more than the two ends of the window, so a release costs the same at any length.
"""

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

from abr.errors import LocalProtocolError
from abr.formats.hls import MICRO, rounded_seconds
from abr.model.media import Kind
from abr.model.segment import Release, Rendition, Session
from abr.model.time import AAC_FRAME, rescale

LEAST = 3
"""Target durations that stay listed (RFC 8216bis §6.2.2), and segments before entry points appear (DESIGN 3.8)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One release as an entry of every playlist; times in microseconds of media time."""

    session: Session
    discontinuity: int
    release: Release
    starts: tuple[int, ...]
    """Where the segment of each rendition begins. Rounded instants, so that durations add up exactly."""
    ends: tuple[int, ...]

    @property
    def whole(self) -> bool:
        """Whether no rendition has a gap here."""
        return not any(row.gap for row in self.release.rows)

    @property
    def present(self) -> tuple[int, ...]:
        """The renditions that have media here, by their places in the session."""
        return tuple(index for index, row in enumerate(self.release.rows) if not row.gap)

    def duration(self, index: int) -> int:
        """EXTINF of a rendition, by its place in the session."""
        return self.ends[index] - self.starts[index]

    def follows(self, before: "Entry") -> bool:
        """Whether this is the number after `before`, in the same session."""
        return self.session.id == before.session.id and self.release.number == before.release.number + 1


def entry_of(session: Session, discontinuity: int, release: Release) -> Entry:
    """A release with its times. Raises LocalProtocolError where it does not hold every rendition in order."""
    names = tuple(row.rendition for row in release.rows)
    if names != tuple(rendition.name for rendition in session.renditions):
        raise LocalProtocolError(
            f"release {release.sequence} of session {session.id} holds {', '.join(names) or 'nothing'}, "
            "not the session's renditions"
        )
    pairs = list(zip(session.renditions, release.rows, strict=True))
    starts = tuple(rescale(row.start, rendition.timescale, MICRO) for rendition, row in pairs)
    ends = tuple(rescale(row.start + row.duration, rendition.timescale, MICRO) for rendition, row in pairs)
    return Entry(session, discontinuity, release, starts, ends)


def longest_segment(session: Session) -> Fraction:
    """The longest segment that the grid can make, seconds: audio frames may stand over D (DESIGN 3.5)."""
    return max(_longest(session, rendition) for rendition in session.renditions)


def target_duration(session: Session) -> int:
    """EXT-X-TARGETDURATION of a live session: fixed before its first segment."""
    return rounded_seconds(round(longest_segment(session) * MICRO))


class Window:
    """The entries that the live playlists name now.

    An entry leaves at the front when all its media is older than `session.window`, counted back from the
    newest release. That is after it has left the DASH time shift buffer, which counts back from the clock.
    It also stays as long as the rest would last less than three target durations in any rendition.
    """

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque()
        self.session: Session | None = None
        self.discontinuity = 0
        self.ended = False
        self._closed = False
        self._sequence: int | None = None
        self._listed: list[int] = []
        self._span = self._floor = 0

    def begin(self, session: Session, discontinuity: int) -> bool:
        """A session begins. True: nothing that was listed stays, a new event or a new ladder starts afresh.

        Raises LocalProtocolError where the discontinuity sequence does not rise.
        """
        if self.entries and discontinuity <= self.entries[-1].discontinuity:
            raise LocalProtocolError(
                f"session {session.id} begins with discontinuity sequence {discontinuity} "
                f"after {self.entries[-1].discontinuity}"
            )
        fresh = self.ended or self.session is None or not _goes_on(self.session, session)
        if fresh:
            self.entries.clear()
            self._listed = [0] * len(session.renditions)
        self.session, self.discontinuity, self.ended = session, discontinuity, False
        self._closed = False
        self._span = int(session.window * MICRO)
        self._floor = LEAST * target_duration(session) * MICRO
        return fresh

    def advance(self, release: Release) -> tuple[Entry, list[Entry]]:
        """Append a release. Answers its entry and those that left. Raises LocalProtocolError out of order."""
        session = self._running(release)
        entry = entry_of(session, self.discontinuity, release)
        self.entries.append(entry)
        self._sequence = release.sequence
        for index in range(len(self._listed)):
            self._listed[index] += entry.duration(index)
        return entry, self._leave(min(entry.ends) - self._span)

    def close(self) -> None:
        """The session is over: no release follows until another begins."""
        self._closed = True

    def end(self) -> None:
        """The event is over: the lists never change again."""
        self.ended = self._closed = True

    def _running(self, release: Release) -> Session:
        session = self.session
        if session is None or self._closed or release.session != session.id:
            raise LocalProtocolError(
                f"release {release.sequence} belongs to session {release.session}, which is not running"
            )
        if self.entries and release.sequence != (self._sequence or 0) + 1:
            raise LocalProtocolError(f"release {release.sequence} cannot follow release {self._sequence}")
        return session

    def _leave(self, horizon: int) -> list[Entry]:
        left: list[Entry] = []
        while max(self.entries[0].ends) <= horizon and self._rest() >= self._floor:
            entry = self.entries.popleft()
            for index in range(len(self._listed)):
                self._listed[index] -= entry.duration(index)
            left.append(entry)
        return left

    def _rest(self) -> int:
        """What stays listed without the first entry, microseconds, in the shortest rendition."""
        first = self.entries[0]
        return min(listed - first.duration(index) for index, listed in enumerate(self._listed))


def _goes_on(before: Session, after: Session) -> bool:
    """Whether the same playlists can list both sessions: same renditions, same EXT-X-TARGETDURATION."""
    names = [(rendition.name, rendition.kind) for rendition in before.renditions]
    return (
        names == [(rendition.name, rendition.kind) for rendition in after.renditions]
        and before.duration == after.duration
        and target_duration(before) == target_duration(after)
    )


def _longest(session: Session, rendition: Rendition) -> Fraction:
    if rendition.kind is not Kind.AUDIO or not rendition.sample_rate:
        return session.duration
    frames = -(-session.duration * rendition.sample_rate // AAC_FRAME)
    return Fraction(frames * AAC_FRAME, rendition.sample_rate)
