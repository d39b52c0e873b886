"""Rules on how a DASH manifest changes while it is live (ISO/IEC 23009-1 5.4; DASH-IF 4.6 to 4.8)."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from abr.model.time import NANO
from abr.verify.finding import Check, Finding, judges
from abr.verify.instant import show
from abr.verify.manifest import Manifest, Period
from abr.verify.manifest_rules import longest_segment
from abr.verify.representation import available
from abr.verify.timeline import Listed, listed
from abr.verify.watch import STEP, Course

Manifests = Course[Manifest]


class _Row(NamedTuple):
    """The segments of one Representation in one version."""

    period: str
    name: str
    timescale: int
    segments: dict[int, Listed]
    """By time."""


def _rows(manifest: Manifest, now: int) -> dict[tuple[str, str], _Row]:
    start = manifest.date("availabilityStartTime") or 0
    found = {}
    for period in manifest.periods:
        elapsed = Fraction(now - start, NANO) - period.start if manifest.dynamic else None
        for item in [item for group in period.sets for item in group.representations]:
            if item.template is not None:
                rows = {row.time: row for row in listed(item.template, period, elapsed)}
                found[period.id, item.id] = _Row(period.id, item.id, item.template.timescale, rows)
    return found


@judges("D-70", "D-71")
def presence(course: Manifests) -> Iterator[Finding]:
    """Always there, always whole."""
    for shot in course.shots:
        if shot.missing:
            yield Finding("D-70", course.url, shot.missing)
        if shot.broken:
            yield Finding("D-71", course.url, shot.broken)


@judges("D-72", "D-73")
def dates(course: Manifests) -> Iterator[Finding]:
    """5.4; DASH-IF 4.3."""
    for (_, old), (_, new) in pairwise(course.views):
        before, after = old.date("publishTime"), new.date("publishTime")
        if new.dynamic and before is not None and after is not None and after <= before:
            yield Finding("D-72", course.url, "the manifest changed, publishTime did not grow")
        if old.attributes.get("availabilityStartTime") != new.attributes.get("availabilityStartTime"):
            yield Finding("D-73", course.url, "availabilityStartTime changed")


@judges("D-75", "D-76", "D-77", "D-78")
def structure(course: Manifests) -> Iterator[Finding]:
    """5.4.1: what stays."""
    for (_, old), (_, new) in pairwise(course.views):
        if old.attributes.get("id") != new.attributes.get("id"):
            yield Finding("D-75", course.url, "MPD@id changed")
        starts = {period.start: period.id for period in old.periods}
        known = {period.id: period for period in old.periods}
        for period in new.periods:
            if starts.get(period.start, period.id) != period.id:
                yield Finding("D-75", course.url, f"Period {starts[period.start]!r} became {period.id!r}")
            elif period.id in known:
                yield from _same_period(course.url, known[period.id], period)


def _same_period(url: str, old: Period, new: Period) -> Iterator[Finding]:
    where = f"{url} Period {new.id!r}"
    if old.start != new.start:
        yield Finding("D-76", where, f"start {show(old.start)} became {show(new.start)}")
    if _names(old) != _names(new):
        yield Finding("D-77", where, "other AdaptationSets or Representations")
    elif _properties(old) != _properties(new):
        yield Finding("D-78", where, "timescale, presentationTimeOffset, bandwidth or codecs changed")


def _names(period: Period) -> list[tuple[str, list[str]]]:
    return [(group.id, [item.id for item in group.representations]) for group in period.sets]


def _properties(period: Period) -> list[tuple[object, ...]]:
    return [
        (
            item.template.timescale if item.template else 0,
            item.template.offset if item.template else 0,
            item.bandwidth,
            item.attributes.get("codecs"),
        )
        for group in period.sets
        for item in group.representations
    ]


@judges("D-79", "D-80", "D-81", "D-82", "D-89")
def timeline(course: Manifests) -> Iterator[Finding]:
    """5.4.1; DASH-IF 4.6: the end grows, the start moves forward, what is between stays."""
    for (_, old), (at, new) in pairwise(course.views):
        last = old.periods[-1].id if old.periods else ""
        rows = _rows(new, at)
        for key, row in _rows(old, at).items():
            if key in rows:
                yield from _moved(course.url, row, rows[key], last)
        yield from _left_early(course.url, old, new, at)


def _moved(url: str, old: _Row, new: _Row, last: str) -> Iterator[Finding]:
    where = f"{url} Period {old.period!r} {old.name!r}"
    if not old.segments or not new.segments:
        return
    first, end = max(min(old.segments), min(new.segments)), min(max(old.segments), max(new.segments))
    mine = {time: row for time, row in old.segments.items() if first <= time <= end}
    theirs = {time: row for time, row in new.segments.items() if first <= time <= end}
    if mine != theirs:
        yield Finding("D-79", where, f"segments from {first} to {end} have other numbers, times or durations")
    if max(new.segments) < max(old.segments):
        yield Finding(
            "D-80", where, f"the last segment was at {max(old.segments)}, then at {max(new.segments)}"
        )
    if min(new.segments) < min(old.segments):
        yield Finding(
            "D-81", where, f"the first segment was at {min(old.segments)}, then at {min(new.segments)}"
        )
    if old.period != last and max(new.segments) > max(old.segments):
        yield Finding("D-89", where, "a segment was added to a Period that was not the last")


def _left_early(url: str, old: Manifest, new: Manifest, now: int) -> Iterator[Finding]:
    depth = new.length("timeShiftBufferDepth")
    if depth is None or not new.dynamic:
        return
    rows, before = _rows(new, now), _rows(old, now)
    for period in old.periods:
        for item in [item for group in period.sets for item in group.representations]:
            row = rows.get((period.id, item.id))
            if item.template is None or row is None or not row.segments:
                continue
            gone = [
                known
                for time, known in before[period.id, item.id].segments.items()
                if time < min(row.segments)
            ]
            at = available(old, period, item.template, gone[-1]) if gone else None
            if at is not None and Fraction(now - at, NANO) < depth - 1:
                age = show(Fraction(now - at, NANO))
                yield Finding(
                    "D-82", f"{url} {item.id!r}", f"a segment left at the age of {age}, buffer {show(depth)}"
                )


@judges("D-83", "D-84")
def reachable(course: Manifests) -> Iterator[Finding]:
    """5.3.9.5.3: there when due, and for its own duration after it left."""
    for probe in course.probes:
        if probe.problem:
            rule = "D-84" if probe.removed else "D-83"
            yield Finding(
                rule, probe.url, f"{'left' if probe.removed else 'due'}, but not there: {probe.problem}"
            )


@judges("D-85", "D-88")
def renewal(course: Manifests) -> Iterator[Finding]:
    """5.4; DASH-IF 4.8: renewed before what it says runs out, and in step with the clock."""
    views = course.views
    if not views:
        return
    update = views[-1][1].length("minimumUpdatePeriod")
    longest = longest_segment(views[-1][1])
    times = [at for at, _ in views] + ([course.ended] if views[-1][1].dynamic else [])
    for before, after in pairwise(times):
        pause = Fraction(after - before, NANO)
        if update is not None and _runs_out(views[-1][1]) and pause > update + 3 * longest / 2 + 2 * STEP:
            yield Finding(
                "D-85", course.url, f"not renewed for {show(pause)}, minimumUpdatePeriod {show(update)}"
            )
    late = [age for before, after in pairwise(views) if (age := _growth(before[1], after)) is not None]
    if late and max(late) - min(late) > 3 * longest / 2 + (update or 0):
        yield Finding(
            "D-88", course.url, f"the edge is {show(min(late))} to {show(max(late))} behind the clock"
        )


def _runs_out(manifest: Manifest) -> bool:
    """Whether the manifest lists segments one by one (a template with @duration never runs out)."""
    periods = manifest.periods[-1:]
    return any(
        item.template and item.template.stretches and item.template.stretches[-1].r >= 0
        for period in periods
        for group in period.sets
        for item in group.representations
    )


def _growth(old: Manifest, shot: tuple[int, Manifest]) -> Fraction | None:
    """How far behind the clock the newest segment is at the instant at which it appears, seconds."""
    at, new = shot
    before, after = _edge(old, at), _edge(new, at)
    if before is None or after is None or after <= before:
        return None
    return Fraction(at - after, NANO)


def _edge(manifest: Manifest, now: int) -> int | None:
    for period in manifest.periods[-1:]:
        for item in [item for group in period.sets for item in group.representations]:
            row = _rows(manifest, now).get((period.id, item.id))
            if row and row.segments and item.template:
                return available(manifest, period, item.template, row.segments[max(row.segments)])
    return None


@judges("D-92")
def ending(course: Manifests) -> Iterator[Finding]:
    """5.4: once static it stays so, and the last Period has its end."""
    for (_, old), (_, new) in pairwise(course.views):
        if new.dynamic and not old.dynamic:
            yield Finding("D-92", course.url, "the manifest became dynamic again")
        if old.dynamic and not new.dynamic and new.periods and "duration" not in new.periods[-1].attributes:
            yield Finding("D-92", course.url, "static, but the last Period has no duration")


LIVE_MANIFEST_CHECKS: tuple[Check[Manifests], ...] = (
    presence,
    dates,
    structure,
    timeline,
    reachable,
    renewal,
    ending,
)
