"""Agreement of HLS and DASH, and of both with what the server says (DASH-IF CTA-5005; RFC 8216bis 6.2; Apple 8, 10)."""

from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from fractions import Fraction
from typing import NamedTuple

from abr.errors import RemoteProtocolError
from abr.model.time import NANO
from abr.verify.finding import Check, Finding, judges
from abr.verify.instant import parse_date, show, show_date
from abr.verify.manifest import Manifest
from abr.verify.rendition import Presentation, Rendition
from abr.verify.representation import Track
from abr.verify.representation_rules import Look
from abr.verify.source import Answer, Source, resolve

_NEAR = NANO // 20


class Both(NamedTuple):
    """The two views of one stream."""

    hls: Presentation
    dash: Look


@judges("D-91")
def instants(both: Both) -> Iterator[Finding]:
    """A segment that both name has one date; judged where the manifest counts from a date."""
    origin = both.dash.manifest.date("availabilityStartTime")
    if origin is None:
        return
    for track in both.dash.tracks:
        dates = {item.url: _instant(origin, track, item.listed.time) for item in track.due}
        for rendition in both.hls.main:
            off = _first_difference(rendition, dates)
            if off is not None:
                yield Finding("D-91", track.where, f"DASH shows the same segments {show(off)} from HLS")


def _instant(origin: int, track: Track, time: int) -> int:
    inside = Fraction(time - track.template.offset, track.template.timescale)
    return origin + int((track.period.start + inside) * NANO)


def _first_difference(rendition: Rendition, dates: Mapping[str, int]) -> Fraction | None:
    for entry in rendition.playlist.entries:
        if entry.date is not None and entry.url in dates and abs(dates[entry.url] - entry.date) > _NEAR:
            return Fraction(abs(dates[entry.url] - entry.date), NANO)
    return None


@judges("D-91")
def borders(both: Both) -> Iterator[Finding]:
    """As many Periods as discontinuities and one more, at the same segments."""
    if not both.hls.main:
        return
    breaks: set[str] = set()
    listed: set[str] = set()
    for rendition in both.hls.main:
        listed |= {entry.url for entry in rendition.playlist.entries}
        breaks |= {entry.url for entry in rendition.playlist.entries[1:] if entry.breaks}
    known = {item.url for track in both.dash.tracks for item in track.due}
    first = both.dash.manifest.periods[0] if both.dash.manifest.periods else None
    starts = {track.due[0].url for track in both.dash.tracks if track.due and track.period is not first}
    for url in sorted((starts & listed) - breaks - _heads(both)):
        yield Finding("D-91", url, "a Period begins here, without DISCONTINUITY in HLS")
    for url in sorted((breaks & known) - starts):
        yield Finding("D-91", url, "DISCONTINUITY in HLS, but no Period begins here")


def _heads(both: Both) -> set[str]:
    """First entries: what stands on them is no longer told by their list."""
    return {entry.url for rendition in both.hls.main for entry in rendition.playlist.entries[:1]}


class Delivered(NamedTuple):
    """An object's kind (multivariant, live, static, manifest, init, segment), its answer and target duration."""

    kind: str
    answer: Answer
    target: int


_TYPES = {
    "multivariant": ("application/vnd.apple.mpegurl", "audio/mpegurl", "application/x-mpegurl"),
    "live": ("application/vnd.apple.mpegurl", "audio/mpegurl", "application/x-mpegurl"),
    "static": ("application/vnd.apple.mpegurl", "audio/mpegurl", "application/x-mpegurl"),
    "init": ("video/mp4", "audio/mp4", "application/mp4"),
    "segment": ("video/mp4", "audio/mp4", "application/mp4", "video/iso.segment", "audio/iso.segment"),
    "text": ("text/vtt", "application/ttml+xml", "application/mp4"),
}


@judges("A-10.4", "D-05")
def types(delivered: Delivered) -> Iterator[Finding]:
    """Apple 10.4; RFC 8216bis 4."""
    told = delivered.answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if delivered.kind == "manifest":
        if told != "application/dash+xml":
            yield Finding("D-05", delivered.answer.url, f"Content-Type {told!r}")
    elif told not in _TYPES[delivered.kind]:
        yield Finding("A-10.4", delivered.answer.url, f"Content-Type {told!r}")


@judges("L-19")
def caching(delivered: Delivered) -> Iterator[Finding]:
    """RFC 8216bis 6.2.1: what changes is cached at most a target duration, segments at least a minute."""
    text = delivered.answer.headers.get("cache-control", "")
    age = _max_age(text)
    if delivered.kind in {"live", "manifest"} and age is None and "no-" not in text:
        yield Finding("L-19", delivered.answer.url, f"Cache-Control {text!r} on what changes")
    elif delivered.kind == "live" and age is not None and age > max(1, delivered.target):
        yield Finding("L-19", delivered.answer.url, f"max-age {age}, target duration {delivered.target}")
    elif delivered.kind in {"init", "segment"} and (age is None or age < 60):
        yield Finding("L-19", delivered.answer.url, f"Cache-Control {text!r} on what never changes")


def _max_age(text: str) -> int | None:
    for part in text.lower().split(","):
        name, _, value = part.strip().partition("=")
        if name == "max-age" and value.isascii() and value.isdecimal():
            return int(value[:12])
    return None


@judges("A-8.18")
def redirects(delivered: Delivered) -> Iterator[Finding]:
    """Apple 8.18."""
    if delivered.kind in {"init", "segment"} and delivered.answer.landed:
        yield Finding("A-8.18", delivered.answer.url, "the media is redirected")


@judges("A-8.24")
def freshness(delivered: Delivered) -> Iterator[Finding]:
    """Apple 8.24."""
    headers = delivered.answer.headers
    dates = [_http_date(headers.get(name, "")) for name in ("date", "last-modified")]
    if delivered.kind == "live" and dates[0] is not None and dates[1] is not None:
        age = dates[0] - dates[1]
        if age > 3 * delivered.target:
            yield Finding("A-8.24", delivered.answer.url, f"Last-Modified {age} s before Date")


def _http_date(text: str) -> int | None:
    try:
        return int(parsedate_to_datetime(text).timestamp())
    except (ValueError, TypeError, OverflowError):
        return None


@judges("A-10.1")
def compression(delivered: Delivered) -> Iterator[Finding]:
    """Apple 10.1: asked of caches, which say so by Via, Age or X-Cache; a bare bucket cannot."""
    headers = delivered.answer.headers
    cached = {"via", "age", "x-cache", "cf-cache-status"} & set(headers)
    if (
        delivered.kind in {"multivariant", "live", "static"}
        and cached
        and headers.get("content-encoding") != "gzip"
    ):
        yield Finding("A-10.1", delivered.answer.url, "a playlist without gzip")


@judges("D-94")
def conditional(delivered: Delivered) -> Iterator[Finding]:
    """RFC 9110 13."""
    if delivered.kind == "manifest" and not {"etag", "last-modified"} & set(delivered.answer.headers):
        yield Finding("D-94", delivered.answer.url, "neither ETag nor Last-Modified")


def clocks_of(manifest: Manifest) -> list[tuple[str, str]]:
    """Kind and address of the clocks that can be asked; one that is relative to a file cannot."""
    kinds = (
        (scheme.removeprefix("urn:mpeg:dash:utc:").partition(":")[0], value)
        for scheme, value in manifest.clocks
    )
    asked = [
        (kind, resolve(manifest.url, value.split(" ")[0]))
        for kind, value in kinds
        if kind.startswith("http-")
    ]
    return [(kind, url) for kind, url in asked if url.startswith("http")]


def judge_clocks(source: Source, manifest: Manifest, now: int) -> Iterator[Finding]:
    """D-15 and D-16: ask each HTTP clock of the manifest once. `now` is nanoseconds since 1970."""
    for kind, url in clocks_of(manifest):
        told = _ask(source, kind, url)
        limit = NANO if kind == "http-head" else NANO // 5
        if isinstance(told, str):
            yield Finding("D-15", url, told)
        elif not -limit <= now - told <= limit + (NANO if kind == "http-head" else 0):
            yield Finding("D-16", url, f"says {show_date(told)}, here it is {show_date(now)}")


def _ask(source: Source, kind: str, url: str) -> int | str:
    answer = source.probe(url) if kind == "http-head" else source.read(url)
    if not answer.ok:
        return answer.problem
    if kind == "http-head":
        seconds = _http_date(answer.headers.get("date", ""))
        return "no Date header" if seconds is None else seconds * NANO
    try:
        return parse_date(answer.body[:64].decode("ascii", "replace"))
    except RemoteProtocolError as error:
        return str(error)


AGREEMENT_CHECKS: tuple[Check[Both], ...] = (instants, borders)
DELIVERY_CHECKS: tuple[Check[Delivered], ...] = (types, caching, redirects)
PLAYLIST_DELIVERY_CHECKS: tuple[Check[Delivered], ...] = (freshness, compression)
MANIFEST_DELIVERY_CHECKS: tuple[Check[Delivered], ...] = (conditional,)
