"""Looking at a live stream for a while: every version of its playlists, and whether what they name is there."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Generic, NamedTuple, TypeVar

from abr.clock import Clock
from abr.errors import RemoteProtocolError
from abr.model.time import NANO
from abr.verify.manifest import Manifest, read_manifest
from abr.verify.playlist import MediaPlaylist, read_media, read_text
from abr.verify.representation import available
from abr.verify.source import Answer, Source
from abr.verify.timeline import expand, listed

STEP = Fraction(2, 5)
"""Seconds between two rounds: more than two looks a second (L-07, L-08)."""

View = TypeVar("View", MediaPlaylist, Manifest)


class Shot(NamedTuple, Generic[View]):
    """A version of a playlist or manifest, and when it was first seen (nanoseconds since 1970)."""

    at: int
    view: View | None
    missing: str
    """Why it could not be fetched."""
    broken: str
    """Why it could not be read."""
    named: tuple[str, ...]
    """Addresses of the segments that should be there."""


class Probe(NamedTuple):
    """Whether a segment was there when its list began (`removed` False) or ceased to name it."""

    at: int
    url: str
    removed: bool
    problem: str


@dataclass
class Course(Generic[View]):
    """All versions of one playlist or manifest, oldest first, and the probes of what it named."""

    url: str
    began: int
    ended: int = 0
    shots: list[Shot[View]] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    _body: bytes | None = None
    _status: int = -1

    @property
    def views(self) -> list[tuple[int, View]]:
        """The versions that could be read."""
        return [(shot.at, shot.view) for shot in self.shots if shot.view is not None]

    def fresh(self, answer: Answer) -> bool:
        """Whether this answer differs from the one before."""
        same = (answer.status, answer.body) == (self._status, self._body)
        self._status, self._body = answer.status, answer.body
        return not same


class History(NamedTuple):
    """What was seen of a stream."""

    playlists: tuple[Course[MediaPlaylist], ...]
    manifest: Course[Manifest] | None


class Pace(NamedTuple):
    """The clock, how to wait for some seconds, and what to call after each round."""

    clock: Clock
    wait: Callable[[float], object]
    seen: Callable[[], None] = lambda: None


def watch(source: Source, urls: Iterable[str], manifest: str | None, pace: Pace, seconds: int) -> History:
    """Look at the playlists and the manifest for `seconds`, more than twice a second."""
    clock = pace.clock
    began = clock.wall()
    history = History(
        tuple(Course[MediaPlaylist](url, began) for url in urls),
        Course[Manifest](manifest, began) if manifest else None,
    )
    while True:
        round_began = clock.monotonic()
        for course in history.playlists:
            _look(source, course, clock, _read_playlist, _entries)
        if history.manifest:
            _look(source, history.manifest, clock, read_manifest, _newest)
        pace.seen()
        if clock.wall() - began >= seconds * NANO:
            return history
        pace.wait(max(0.0, float(STEP) - (clock.monotonic() - round_began) / NANO))


def _look(
    source: Source,
    course: Course[View],
    clock: Clock,
    read: Callable[[str, bytes], View],
    named: Callable[[View, int], list[str]],
) -> None:
    answer = source.read(course.url)
    now = course.ended = clock.wall()
    if not course.fresh(answer):
        return
    before = next((shot for shot in reversed(course.shots) if shot.view is not None), None)
    shot = _shot(answer, now, read, named)
    course.shots.append(shot)
    if shot.view is None or before is None:
        return
    old, new = set(before.named), set(shot.named)
    for url in [url for url in shot.named if url not in old][-3:]:
        course.probes.append(Probe(now, url, removed=False, problem=_problem(source, url)))
    for url in [url for url in before.named if url not in new][-3:]:
        course.probes.append(Probe(now, url, removed=True, problem=_problem(source, url)))


def _shot(
    answer: Answer, now: int, read: Callable[[str, bytes], View], named: Callable[[View, int], list[str]]
) -> Shot[View]:
    if not answer.ok:
        return Shot(now, None, answer.problem, "", ())
    try:
        view = read(answer.url, answer.body)
        return Shot(now, view, "", "", tuple(named(view, now)))
    except RemoteProtocolError as error:
        return Shot(now, None, "", str(error), ())


def _problem(source: Source, url: str) -> str:
    answer = source.probe(url)
    return "" if answer.ok else answer.problem


def _read_playlist(url: str, body: bytes) -> MediaPlaylist:
    if not body.startswith(b"#EXTM3U"):
        raise RemoteProtocolError("the playlist does not begin with #EXTM3U")
    if not body.endswith(b"\n"):
        raise RemoteProtocolError("the last line of the playlist is not whole")
    return read_media(read_text(url, body))


def _entries(playlist: MediaPlaylist, _: int) -> list[str]:
    return [entry.url for entry in playlist.entries if not entry.gap]


def _newest(manifest: Manifest, now: int) -> list[str]:
    """Addresses of the segments that are due, of the first Representation of each set."""
    found = []
    start = manifest.date("availabilityStartTime") or 0
    for period in manifest.periods:
        for item in [group.representations[0] for group in period.sets if group.representations]:
            if item.template is None:
                continue
            elapsed = Fraction(now - start, NANO) - period.start if manifest.dynamic else None
            for row in listed(item.template, period, elapsed):
                at = available(manifest, period, item.template, row)
                if at is None or at <= now:
                    found.append(expand(item.template.attributes.get("media", ""), item, row))
    return found
