"""Rules on how a media playlist changes while it is live (RFC 8216bis 6.2.1, 6.2.2; Apple 8)."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from abr.model.time import NANO
from abr.verify.finding import Check, Finding, judges
from abr.verify.instant import show
from abr.verify.playlist import Entry, MediaPlaylist
from abr.verify.watch import STEP, Course

Playlists = Course[MediaPlaylist]

_EARLY = NANO // 10


def _last(playlist: MediaPlaylist) -> int:
    return playlist.entries[-1].sequence if playlist.entries else -1


@judges("L-07", "L-08")
def presence(course: Playlists) -> Iterator[Finding]:
    """6.2.1: always there, always whole."""
    for shot in course.shots:
        if shot.missing:
            yield Finding("L-07", course.url, shot.missing)
        if shot.broken:
            yield Finding("L-08", course.url, shot.broken)


@judges("L-01")
def pace(course: Playlists) -> Iterator[Finding]:
    """6.2.1: a new segment within 1.5 target durations."""
    views = course.views
    grown = [views[0][0]] if views else []
    grown += [at for (_, old), (at, new) in pairwise(views) if _last(new) > _last(old)]
    if views and views[-1][1].live:
        grown.append(course.ended)
    target = views[-1][1].target if views else None
    for before, after in pairwise(grown):
        pause = Fraction(after - before, NANO)
        if target and pause > Fraction(3 * target, 2) + 2 * STEP:
            yield Finding(
                "L-01", course.url, f"{show(pause)} without a new segment, target duration {target}"
            )


@judges("L-02", "L-03", "L-04", "L-05", "L-06", "L-09", "L-10", "L-11", "H-20")
def updates(course: Playlists) -> Iterator[Finding]:
    """6.2.1, 6.2.2: each version against the one before."""
    for (_, old), (_, new) in pairwise(course.views):
        if old.target != new.target:
            yield Finding("L-03", course.url, f"TARGETDURATION {old.target}, then {new.target}")
        if old.entries and new.entries:
            removals = list(_removals(course.url, old, new))
            yield from removals or _numbers(course.url, old, new)


def _removals(url: str, old: MediaPlaylist, new: MediaPlaylist) -> Iterator[Finding]:
    kept = {entry.url for entry in new.entries}
    gone = [entry for entry in old.entries if entry.url not in kept]
    front = 0
    for entry in old.entries:
        if entry.url in kept:
            break
        front += 1
    if gone and front != len(gone) and front < len(old.entries):
        yield Finding("L-10", url, f"{gone[-1].uri} left, though not at the front")
    elif gone and old.kind:
        yield Finding("H-20", url, f"{gone[0].uri} left a list of type {old.kind}")
    elif gone and new.target and new.live and new.duration < 3 * new.target:
        yield Finding("L-11", url, f"{show(new.duration)} left after a removal")


def _numbers(url: str, old: MediaPlaylist, new: MediaPlaylist) -> Iterator[Finding]:
    """Entries that stayed, matched by address; else, where none stayed, the counters alone."""
    before = {entry.url: entry for entry in old.entries}
    stayed = [(before[entry.url], entry) for entry in new.entries if entry.url in before]
    if new.entries[0].sequence < old.entries[0].sequence or _shifted(stayed, "sequence"):
        first, then = old.entries[0].sequence, new.entries[0].sequence
        yield Finding(
            "L-02", url, f"MEDIA-SEQUENCE {first}, then {then}, which does not fit the segments removed"
        )
        return
    if new.entries[0].discontinuity < old.entries[0].discontinuity or _shifted(stayed, "discontinuity"):
        first, then = old.entries[0].discontinuity, new.entries[0].discontinuity
        yield Finding("L-09", url, f"DISCONTINUITY-SEQUENCE gives {first}, then {then}")
        return
    for mine, theirs in stayed:
        yield from _changed(url, mine, theirs)
    numbers = {entry.sequence: entry for entry in old.entries}
    for entry in new.entries:
        known = numbers.get(entry.sequence)
        if known and known.url != entry.url and len(stayed) == 0:
            yield Finding("L-04", f"{url}#{entry.sequence}", f"{known.uri} became {entry.uri}")
            return


def _shifted(stayed: list[tuple[Entry, Entry]], name: str) -> bool:
    """Whether a counter moved by the same amount on each entry: then the counter is wrong, not an entry."""
    steps = {getattr(theirs, name) - getattr(mine, name) for mine, theirs in stayed}
    return len(steps) == 1 and steps != {0}


def _changed(url: str, mine: Entry, theirs: Entry) -> Iterator[Finding]:
    where = f"{url}#{mine.sequence}"
    if (mine.sequence, mine.duration, mine.gap) != (theirs.sequence, theirs.duration, theirs.gap):
        text = f"{mine.uri}: {mine.sequence}, {show(mine.duration)} became {theirs.sequence}, {show(theirs.duration)}"
        yield Finding("L-04", where, text)
    elif mine.discontinuity != theirs.discontinuity:
        yield Finding("L-05", where, f"discontinuity {mine.discontinuity} became {theirs.discontinuity}")
    elif mine.date is not None and theirs.date is not None and abs(mine.date - theirs.date) > NANO // 1000:
        yield Finding("L-06", where, f"the date moved by {show(Fraction(theirs.date - mine.date, NANO))}")


@judges("L-12", "L-13")
def reachable(course: Playlists) -> Iterator[Finding]:
    """6.2.1, 6.2.2: there when listed, and still there when it leaves the list."""
    for probe in course.probes:
        if probe.problem:
            rule = "L-13" if probe.removed else "L-12"
            text = "gone when it left the list" if probe.removed else "listed, but not there"
            yield Finding(rule, probe.url, f"{text}: {probe.problem}")


@judges("L-14", "L-15")
def lateness(course: Playlists) -> Iterator[Finding]:
    """Apple 8.5: the edge follows the clock, neither ahead of it nor drifting."""
    late: list[Fraction] = []
    for (_, old), (at, new) in pairwise(course.views):
        edge = _edge(new)
        if _last(new) > _last(old) and edge is not None:
            if edge > at + _EARLY:
                yield Finding("L-14", course.url, f"listed {show(Fraction(edge - at, NANO))} before its end")
            late.append(Fraction(at - edge, NANO))
    target = course.views[-1][1].target if course.views else None
    if late and target and max(late) - min(late) > Fraction(3 * target, 2):
        yield Finding(
            "L-15", course.url, f"the edge is {show(min(late))} to {show(max(late))} behind the clock"
        )


def _edge(playlist: MediaPlaylist) -> int | None:
    """The date at which the last segment ends."""
    date: int | None = None
    for entry in playlist.entries:
        start = entry.date if entry.date is not None else date
        date = None if start is None else start + int(entry.duration * NANO)
    return date


@judges("L-16", "L-18")
def together(courses: tuple[Playlists, ...]) -> Iterator[Finding]:
    """6.2.2; Apple 8: no rendition runs ahead, and all end."""
    instants = sorted({at for course in courses for at, _ in course.views})
    places = [0] * len(courses)
    for instant in instants:
        lasts = []
        for index, course in enumerate(courses):
            views = course.views
            while places[index] + 1 < len(views) and views[places[index] + 1][0] <= instant + int(
                STEP * NANO
            ):
                places[index] += 1
            if views:
                lasts.append(_last(views[places[index]][1]))
        if lasts and max(lasts) - min(lasts) > 1:
            yield Finding("L-16", courses[0].url, f"the renditions end at {sorted(set(lasts))}")
            break
    ends = [next((at for at, view in course.views if view.ended), None) for course in courses]
    known = [at for at in ends if at is not None]
    for course, end in zip(courses, ends, strict=True):
        target = course.views[-1][1].target if course.views else None
        if known and end is None and target and course.ended - min(known) > 2 * target * NANO:
            yield Finding("L-18", course.url, "no ENDLIST, though another list has ended")


LIVE_PLAYLIST_CHECKS: tuple[Check[Playlists], ...] = (presence, pace, updates, reachable, lateness)
LIVE_GROUP_CHECKS: tuple[Check[tuple[Playlists, ...]], ...] = (together,)
