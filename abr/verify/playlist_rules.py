"""Rules that the text of one media playlist shows (RFC 8216bis 4.3, 4.4; Apple 7 and 8)."""

import re
from collections.abc import Iterator
from fractions import Fraction

from abr.errors import RemoteProtocolError
from abr.model.time import NANO
from abr.verify.finding import Check, Finding, judges
from abr.verify.instant import show
from abr.verify.playlist import (
    MEDIA_ONCE,
    MULTIVARIANT_TAGS,
    SEGMENT_TAGS,
    Entry,
    MediaPlaylist,
    Text,
    parse_attributes,
)

_DATE_TOLERANCE = NANO // 20
_PRECISE = re.compile(r"T\d\d:?\d\d:?\d\d[.,]\d{3,}(Z|[+-]\d\d:?\d\d)\Z")
_BEFORE_PARTS = frozenset(
    {"EXT-X-MAP", "EXT-X-KEY", "EXT-X-DISCONTINUITY", "EXT-X-PROGRAM-DATE-TIME"},
)


@judges("H-01")
def opening(text: Text) -> Iterator[Finding]:
    """4.1: the first line, and no byte order mark."""
    if text.body.startswith(b"\xef\xbb\xbf"):
        yield Finding("H-01", text.url, "begins with a byte order mark")
    first = text.tags[0] if text.tags else None
    if first is None or (first.line, first.name) != (1, "EXTM3U"):
        yield Finding("H-01", text.url, "the first line is not #EXTM3U")


@judges("H-02")
def singular_tags(text: Text) -> Iterator[Finding]:
    """4.4.1 to 4.4.3: tags that stand at most once."""
    for name in ("EXT-X-VERSION", "EXT-X-INDEPENDENT-SEGMENTS", *MEDIA_ONCE):
        if text.counts[name] > 1:
            yield Finding("H-02", text.url, f"{name} stands {text.counts[name]} times")


@judges("H-02")
def media_tags_only(playlist: MediaPlaylist) -> Iterator[Finding]:
    """4.4.6: no multivariant tag in a media playlist."""
    for name in MULTIVARIANT_TAGS:
        if playlist.text.counts[name]:
            yield Finding("H-02", playlist.url, f"{name} in a media playlist")


@judges("H-02")
def multivariant_tags_only(text: Text) -> Iterator[Finding]:
    """4.4.3, 4.4.4: no tag of media playlists or segments in a multivariant."""
    for name in (*MEDIA_ONCE, *SEGMENT_TAGS):
        if text.counts[name]:
            yield Finding("H-02", text.url, f"{name} in a multivariant playlist")


@judges("H-03")
def target_duration(playlist: MediaPlaylist) -> Iterator[Finding]:
    """4.4.3.1."""
    value = playlist.text.value("EXT-X-TARGETDURATION")
    if not playlist.target:
        yield Finding("H-03", playlist.url, f"TARGETDURATION is {'absent' if value is None else value!r}")


@judges("H-04", "A-7.7")
def segment_lengths(playlist: MediaPlaylist) -> Iterator[Finding]:
    """4.4.3.1; Apple 7.7. An I-frame's EXTINF is the time to the next one and counts as well."""
    for entry in playlist.entries if playlist.target else ():
        assert playlist.target is not None
        if int(entry.duration + Fraction(1, 2)) > playlist.target:
            text = f"EXTINF {show(entry.duration)} is over TARGETDURATION {playlist.target}"
            yield Finding("H-04", _at(playlist, entry), text)
        if entry.duration > playlist.target + Fraction(1, 2):
            yield Finding("A-7.7", _at(playlist, entry), f"{show(entry.duration)} of {playlist.target} s")


def needed_version(playlist: MediaPlaylist) -> int:
    """The protocol version that the tags of a media playlist need (RFC 8216bis 8)."""
    counts = playlist.text.counts
    needs = [1]
    if any("." in tag.value.partition(",")[0] for tag in playlist.text.tags if tag.name == "EXTINF"):
        needs.append(3)
    if counts["EXT-X-BYTERANGE"] or playlist.iframes_only:
        needs.append(4)
    if counts["EXT-X-MAP"]:
        needs.append(5 if playlist.iframes_only else 6)
    if any("KEYFORMAT" in tag.value for tag in playlist.text.tags if tag.name == "EXT-X-KEY"):
        needs.append(5)
    if counts["EXT-X-DEFINE"]:
        needs.append(8)
    if counts["EXT-X-SKIP"]:
        needs.append(9)
    return max(needs)


@judges("H-05", "H-05s")
def version(playlist: MediaPlaylist) -> Iterator[Finding]:
    """Section 8: the version that a client must know."""
    needed, given = needed_version(playlist), playlist.version or 1
    if given < needed:
        yield Finding("H-05", playlist.url, f"EXT-X-VERSION {given}, the tags need {needed}")
    elif given > max(needed, 6):  # all clients of fragmented MP4 know 6, so it shuts out nobody
        yield Finding("H-05s", playlist.url, f"EXT-X-VERSION {given}, the tags need only {needed}")


@judges("H-08")
def parts_order(playlist: MediaPlaylist) -> Iterator[Finding]:
    """4.4.4.9: what holds for a segment stands before its first part."""
    parts = False
    for tag in playlist.text.tags:
        if tag.name in _BEFORE_PARTS and parts:
            yield Finding(
                "H-08", f"{playlist.url}:{tag.line}", f"{tag.name} stands after a PART of its segment"
            )
        parts = tag.name == "EXT-X-PART" or (parts and bool(tag.name))


@judges("H-09")
def counters_first(playlist: MediaPlaylist) -> Iterator[Finding]:
    """4.4.3.2, 4.4.3.3."""
    breaks = playlist.text.first("EXT-X-DISCONTINUITY")
    segment = playlist.text.first("")
    for name in ("EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE"):
        tag = playlist.text.first(name)
        if tag and segment and tag.line > segment.line:
            yield Finding("H-09", f"{playlist.url}:{tag.line}", f"{name} stands after the first segment")
        elif tag and breaks and name.startswith("EXT-X-DIS") and tag.line > breaks.line:
            yield Finding("H-09", f"{playlist.url}:{tag.line}", f"{name} stands after a DISCONTINUITY")


@judges("H-20", "H-21")
def playlist_type(playlist: MediaPlaylist) -> Iterator[Finding]:
    """4.4.3.4, 4.4.3.5."""
    if playlist.kind not in {None, "VOD", "EVENT"}:
        yield Finding("H-20", playlist.url, f"PLAYLIST-TYPE is {playlist.kind!r}")
    if playlist.kind == "VOD" and playlist.live:
        yield Finding("H-21", playlist.url, "PLAYLIST-TYPE VOD without ENDLIST")
    if playlist.ended and playlist.text.counts["EXT-X-PRELOAD-HINT"]:
        yield Finding("H-21", playlist.url, "PRELOAD-HINT beside ENDLIST")


@judges("H-31")
def date_form(playlist: MediaPlaylist) -> Iterator[Finding]:
    """4.4.4.6: a date with its zone and milliseconds."""
    for tag in playlist.text.tags:
        if tag.name == "EXT-X-PROGRAM-DATE-TIME" and not _PRECISE.search(tag.value):
            yield Finding("H-31", f"{playlist.url}:{tag.line}", f"{tag.value!r} lacks zone or milliseconds")


@judges("H-32", "H-34")
def date_steps(playlist: MediaPlaylist) -> Iterator[Finding]:
    """6.2.1: dates follow the durations, and stand again after each break."""
    expected: int | None = None
    dated = any(entry.date is not None for entry in playlist.entries)
    for entry in playlist.entries:
        if entry.breaks:
            expected = None
            if dated and entry.date is None:
                yield Finding("H-34", _at(playlist, entry), "no PROGRAM-DATE-TIME after DISCONTINUITY")
        if entry.date is not None and expected is not None and abs(entry.date - expected) >= _DATE_TOLERANCE:
            off = show(Fraction(entry.date - expected, NANO))
            yield Finding("H-32", _at(playlist, entry), f"PROGRAM-DATE-TIME is {off} from what EXTINF gives")
        start = expected if entry.date is None else entry.date
        expected = None if start is None else start + int(entry.duration * NANO)


@judges("H-35")
def date_ranges(playlist: MediaPlaylist) -> Iterator[Finding]:
    """4.4.5.1: an id, and one START for each id."""
    starts: dict[str, str] = {}
    for tag in playlist.text.tags:
        if tag.name != "EXT-X-DATERANGE":
            continue
        try:
            attributes = parse_attributes(tag.value)
        except RemoteProtocolError as error:
            yield Finding("H-35", f"{playlist.url}:{tag.line}", str(error))
            continue
        name, start = attributes.get("ID"), attributes.get("START-DATE", "")
        if name is None:
            yield Finding("H-35", f"{playlist.url}:{tag.line}", "DATERANGE without ID")
        elif starts.setdefault(name, start) != start and start:
            yield Finding("H-35", f"{playlist.url}:{tag.line}", f"ID {name!r} has two START-DATEs")


@judges("A-7.5")
def apple_lengths(playlist: MediaPlaylist) -> Iterator[Finding]:
    """Apple 7.5, 7.6: advice, a latency of 18 s."""
    if playlist.target not in {None, 6}:
        yield Finding("A-7.5", playlist.url, f"TARGETDURATION is {playlist.target}")


@judges("A-8.4", "A-8.17")
def live_tags(playlist: MediaPlaylist) -> Iterator[Finding]:
    """Apple 8.4, 8.17."""
    if playlist.entries and not any(entry.date is not None for entry in playlist.entries):
        yield Finding("A-8.4", playlist.url, "no PROGRAM-DATE-TIME")
    counted = playlist.text.integer("EXT-X-DISCONTINUITY-SEQUENCE") is not None
    if not counted and any(entry.breaks for entry in playlist.entries):
        yield Finding("A-8.17", playlist.url, "DISCONTINUITY without DISCONTINUITY-SEQUENCE")


@judges("A-8.11", "A-8.12")
def window(playlist: MediaPlaylist) -> Iterator[Finding]:
    """Apple 8.11, 8.12; a list that has not begun to slide is still filling."""
    if not playlist.entries or playlist.entries[0].sequence == 0 or playlist.kind:
        return
    if len(playlist.entries) < 6:
        yield Finding("A-8.11", playlist.url, f"{len(playlist.entries)} segments")
    if playlist.duration < 900:
        yield Finding("A-8.12", playlist.url, f"{show(playlist.duration)} long")


@judges("A-8.6")
def static_type(playlist: MediaPlaylist) -> Iterator[Finding]:
    """Apple 8.6. A live list that has ended keeps its tags (6.2.1), so only lists without dates are held static."""
    dated = any(entry.date is not None for entry in playlist.entries)
    if playlist.kind is None and not dated:
        yield Finding("A-8.6", playlist.url, "ENDLIST without PLAYLIST-TYPE VOD")


def _at(playlist: MediaPlaylist, entry: Entry) -> str:
    return f"{playlist.url}:{entry.line}"


TEXT_CHECKS: tuple[Check[Text], ...] = (opening, singular_tags)
MULTIVARIANT_TEXT_CHECKS: tuple[Check[Text], ...] = (*TEXT_CHECKS, multivariant_tags_only)
LIST_CHECKS: tuple[Check[MediaPlaylist], ...] = (
    media_tags_only,
    target_duration,
    segment_lengths,
    version,
    parts_order,
    counters_first,
    playlist_type,
    date_form,
    date_steps,
    date_ranges,
)
PACE_CHECKS: tuple[Check[MediaPlaylist], ...] = (apple_lengths,)
"""Not for I-frame lists, whose segments are shorter by nature."""
LIVE_CHECKS: tuple[Check[MediaPlaylist], ...] = (live_tags, window)
ENDED_CHECKS: tuple[Check[MediaPlaylist], ...] = (static_type,)
