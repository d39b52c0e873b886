"""Rules on the boxes and samples of one rendition (RFC 8216bis 3.1.2; Apple 7; ISO/IEC 23000-19 7)."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np

from abr.verify.finding import Check, Finding, judges
from abr.verify.init import Init, Track
from abr.verify.instant import show
from abr.verify.rendition import Item, Rendition

_CMAF_BRANDS = frozenset({"cmfc", "cmf2", "cmfl", "cmfs", "cmff"})
_SEGMENT_BRANDS = frozenset({"msdh", "msix", "cmfs", "cmff", "cmfl"})
_ISO = frozenset({"iso6", "iso7", "iso8", "iso9", "isoa", "isob", "isoc", "cmfc", "cmf2"})


def inits(rendition: Rendition) -> Iterator[tuple[str, Init]]:
    """Each init that the rendition uses, with its address."""
    seen = set()
    for item in rendition.media:
        if item.entry.initial and item.entry.initial.url not in seen:
            seen.add(item.entry.initial.url)
            yield item.entry.initial.url, item.init


@judges("H-40", "H-41", "H-42", "C-01")
def init_boxes(rendition: Rendition) -> Iterator[Finding]:
    """3.1.2: a header without samples."""
    for url, init in inits(rendition):
        if init.first != "ftyp" or not _ISO & set(init.brands):
            yield Finding("H-40", url, f"begins with {init.first}, brands {' '.join(init.brands)}")
        if not init.fragmented:
            yield Finding("H-40", url, "moov has no mvex")
        if init.duration or any(track.duration for track in init.tracks):
            yield Finding(
                "H-41", url, f"durations {init.duration} and {[track.duration for track in init.tracks]}"
            )
        if any(track.counts for track in init.tracks):
            yield Finding("H-42", url, "the sample tables are not empty")
        if not _CMAF_BRANDS & set(init.brands):
            yield Finding("C-01", url, f"brands {' '.join(init.brands)}")


@judges("H-43", "H-44", "H-45", "C-03", "C-04", "C-07")
def segment_boxes(rendition: Rendition) -> Iterator[Finding]:
    """3.1.2; ISO/IEC 23000-19 7.3.2.3."""
    for item in rendition.media:
        where, media = rendition.where(item), item.media
        if any(fragment.start is None for fragment in media.fragments):
            yield Finding("H-43", where, "a traf without tfdt")
        if any(fragment.absolute for fragment in media.fragments):
            yield Finding("H-44", where, "a tfhd with base_data_offset")
        elif any(not fragment.moof_based or not fragment.run.addressed for fragment in media.fragments):
            yield Finding("C-03", where, "no default-base-is-moof, or a trun without data_offset")
        if media.loose and rendition.role != "iframes":
            yield Finding("H-45", where, f"{media.loose} samples do not lie inside mdat")
        if media.tracks_of_moof > 1:
            yield Finding("C-04", where, f"{media.tracks_of_moof} trafs in a moof")
        if rendition.role != "iframes" and not _SEGMENT_BRANDS & set(media.brands):
            yield Finding("C-07", where, f"styp {' '.join(media.brands) or 'is absent'}")


@judges("H-44", "C-04", "A-2.17")
def init_tracks(rendition: Rendition) -> Iterator[Finding]:
    """8.7.2; ISO/IEC 23000-19 7.3.1; Apple 2.17."""
    for url, init in inits(rendition):
        if any(track.external for track in init.tracks):
            yield Finding("H-44", url, "a data reference outside the file")
        if len(init.tracks) > 1:
            yield Finding("C-04", url, f"{len(init.tracks)} tracks")
        if sum(track.handler == "soun" for track in init.tracks) > 1:
            yield Finding("A-2.17", url, "more than one audio track")


def gap_text(before: Item, after: Item) -> str | None:
    """How far the decode time of a segment lies from the end of the one before, or None if it follows."""
    expected = before.seconds(before.media.start + before.media.duration)
    off = after.seconds(after.media.start) - expected
    tick = max(before.seconds(1), after.seconds(1))
    if abs(off) < tick or before.media.fragments[0].start is None or after.media.fragments[0].start is None:
        return None
    return f"decode time {show(abs(off))} {'late' if off > 0 else 'early'}"


@judges("H-46", "C-02")
def continuity(rendition: Rendition) -> Iterator[Finding]:
    """3.1.2; ISO/IEC 23000-19 7.3.2.2: within segments and between them."""
    for before, after in rendition.pairs():
        text = gap_text(before, after)
        if text:
            yield Finding("H-46", rendition.where(after), text)
            yield Finding("C-02", rendition.where(after), text)
    for item in rendition.media:
        fragments = item.media.fragments
        for first, second in pairwise(fragments):
            if None not in {first.start, second.start} and first.track == second.track:
                off = (second.start or 0) - (first.start or 0) - first.duration
                if off:
                    yield Finding("C-02", rendition.where(item), f"{off} ticks between two fragments")


@judges("H-10", "A-2.11")
def changes(rendition: Rendition) -> Iterator[Finding]:
    """4.4.4.3: what may change only at a DISCONTINUITY."""
    for before, after in rendition.pairs():
        if before.init is after.init:
            continue
        if _identity(before.init) != _identity(after.init):
            yield Finding("H-10", rendition.where(after), "other tracks, without DISCONTINUITY")
        if before.init.track.entry.channels != after.init.track.entry.channels:
            yield Finding("A-2.11", rendition.where(after), "other channels, without DISCONTINUITY")


def _identity(init: Init) -> list[tuple[int, str, str, int]]:
    return [(track.id, track.handler, track.entry.kind, track.timescale) for track in init.tracks]


@judges("H-47")
def first_picture(rendition: Rendition) -> Iterator[Finding]:
    """Apple 7.4: the bytes say IDR, and the flags say sync sample."""
    for item in rendition.media:
        if item.media.key is False:
            yield Finding("H-47", rendition.where(item), "the first picture is not an IDR")
        elif not item.media.sync[0]:
            yield Finding("H-47", rendition.where(item), "the first sample is not marked as sync sample")


@judges("A-1.10", "C-14")
def video_entry(rendition: Rendition) -> Iterator[Finding]:
    """Apple 1.10; ISO/IEC 14496-10 table A-1."""
    rate = rendition.rate
    for url, init in inits(rendition):
        entry = init.track.entry
        if entry.codec[:4] in {"avc3", "hev1"} or (entry.codec[:4] == "avc1" and not _has_sets(entry.config)):
            yield Finding("A-1.10", url, f"{entry.codec[:4]} without parameter sets in the sample entry")
        if entry.codec[:4] in {"avc1", "avc3"} and rate and len(entry.config) > 3:
            text = _over_level(entry.config[3], entry.width, entry.height, rate)
            if text:
                yield Finding("C-14", url, text)


def _has_sets(config: bytes) -> bool:
    return len(config) > 6 and bool(config[5] & 0x1F)


_AVC_LEVELS = {
    10: (1485, 99),
    11: (3000, 396),
    12: (6000, 396),
    13: (11880, 396),
    20: (11880, 396),
    21: (19800, 792),
    22: (20250, 1620),
    30: (40500, 1620),
    31: (108_000, 3600),
    32: (216_000, 5120),
    40: (245_760, 8192),
    41: (245_760, 8192),
    42: (522_240, 8704),
    50: (589_824, 22_080),
    51: (983_040, 36_864),
    52: (2_073_600, 36_864),
    60: (4_177_920, 139_264),
    61: (8_355_840, 139_264),
    62: (16_711_680, 139_264),
}
"""Level → macroblocks a second, macroblocks in a frame."""


def _over_level(level: int, width: int, height: int, rate: Fraction) -> str | None:
    if level not in _AVC_LEVELS:
        return f"level_idc is {level}"
    speed, size = _AVC_LEVELS[level]
    blocks = -(-width // 16) * -(-height // 16)
    if blocks > size or blocks * rate > speed * Fraction(1001, 1000):
        return f"{width}x{height} at {float(rate):.2f} frames/s is more than level {level / 10} allows"
    return None


@judges("A-1.13", "A-1.19")
def picture_rate(rendition: Rendition) -> Iterator[Finding]:
    """Apple 1.13, 1.19."""
    rate = rendition.rate
    if rate and rate > Fraction(601, 10):
        yield Finding("A-1.19", rendition.url, f"{float(rate):.3f} frames/s")
    for item in rendition.media:
        end = item.media.first_shown + item.media.duration
        times = np.array([*sorted(item.media.keys), end], dtype=np.int64)
        longest = item.seconds(int(np.diff(times).max())) if len(times) > 1 else item.length
        if longest > Fraction(201, 100):
            yield Finding("A-1.13", rendition.where(item), f"{show(longest)} without an IDR")


@judges("C-05")
def video_edits(rendition: Rendition) -> Iterator[Finding]:
    """ISO/IEC 23000-19 7.5.13, 7.7.3."""
    for url, init in inits(rendition):
        if "cmf2" in init.brands and init.track.edits:
            yield Finding("C-05", url, "an edit list in video of brand cmf2")
    for item in rendition.media[:1]:
        first = item.media.first_shown - item.media.start
        shift = item.init.track.shift
        if "cmf2" in item.init.brands:
            if first or any(fragment.run.version == 0 for fragment in item.media.fragments):
                yield Finding(
                    "C-05", rendition.where(item), "composition offsets of brand cmf2 do not begin at 0"
                )
        elif shift not in {0, first}:
            yield Finding(
                "C-05",
                rendition.where(item),
                f"the edit list takes {shift} ticks, the first offset is {first}",
            )


@judges("A-2.4", "C-13")
def audio_entry(rendition: Rendition) -> Iterator[Finding]:
    """Apple 2.4; ISO/IEC 23000-19 10.4."""
    for url, init in inits(rendition):
        entry = init.track.entry
        core = entry.channels <= 2 and entry.sample_rate <= 48_000
        if "caac" in init.brands and not (core and entry.codec in {"mp4a.40.2", "mp4a.40.5", "mp4a.40.29"}):
            yield Finding(
                "C-13", url, f"{entry.codec}, {entry.channels} channels, {entry.sample_rate} Hz under caac"
            )
        if entry.codec in {"mp4a.40.5", "mp4a.40.29"} and rendition.mean > 64_000:
            yield Finding("A-2.4", url, f"{entry.codec} above 64 kbit/s")


@judges("A-8.1")
def declared_lengths(rendition: Rendition) -> Iterator[Finding]:
    """Apple 8.1: EXTINF and the media never drift further apart than one frame."""
    rate = rendition.rate
    if rate is None:
        return
    track: Track | None = rendition.track
    frame = max(1 / rate, Fraction(1024, 44_100)) if track and track.handler == "soun" else 1 / rate
    ahead = low = high = Fraction(0)
    for entry, item in zip(rendition.playlist.entries, rendition.loaded, strict=True):
        if entry.breaks or item is None:
            ahead = low = high = Fraction(0)
        if item is None:
            continue
        ahead += item.entry.duration - item.length
        low, high = min(low, ahead), max(high, ahead)
        if high - low > frame + Fraction(1, 1000):
            yield Finding("A-8.1", rendition.where(item), f"EXTINF and media are {show(high - low)} apart")
            return


@judges("H-12")
def declared_rates(rendition: Rendition) -> Iterator[Finding]:
    """4.4.4.8."""
    for item in rendition.media:
        if item.entry.bitrate and item.length:
            rate = 8 * item.media.size / item.length / 1000
            if not item.entry.bitrate * Fraction(9, 10) <= rate <= item.entry.bitrate * Fraction(11, 10):
                yield Finding(
                    "H-12", rendition.where(item), f"{int(rate)} kbit/s, EXT-X-BITRATE {item.entry.bitrate}"
                )


MEDIA_CHECKS: tuple[Check[Rendition], ...] = (init_boxes, segment_boxes, init_tracks)
TIMELINE_CHECKS: tuple[Check[Rendition], ...] = (continuity, changes, declared_lengths, declared_rates)
VIDEO_CHECKS: tuple[Check[Rendition], ...] = (first_picture, video_entry, picture_rate, video_edits)
AUDIO_CHECKS: tuple[Check[Rendition], ...] = (audio_entry,)
