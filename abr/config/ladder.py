"""A profile fitted to a source: which rungs, at which rates, in which segments, with how many threads."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from abr.config import units
from abr.config.encoder import COPY
from abr.config.option import encoder_options
from abr.config.profile import Profile
from abr.config.rate import UNKNOWN, known_rate, standard_rate
from abr.config.rung import Rung, check_level
from abr.config.sound import audio_targets
from abr.errors import ConfigError
from abr.model.ladder import AudioTarget, Fit, Ladder, VideoTarget
from abr.model.level import h264_level
from abr.model.media import UPRIGHT, Kind, Track
from abr.model.time import key_interval, segment_duration, video_timescale

_UPSCALED = Fraction(21, 20)
"""A rung up to a twentieth larger than the source is kept: cropped sources (1916x1076) mean the full size."""

_HEAVY = 1920 * 1080 * 25
"""Pixels a second that one thread of a small machine still encodes (veryfast: 37 frames of 1080p measured)."""

_LIGHT = 320 * 180 * 25
"""Pixels a second below which a further thread only adds delay."""

_MOST_THREADS = 16
_LONGEST_SEGMENT = Fraction(12)


@dataclass(frozen=True, slots=True)
class Resolved:
    """The ladder of an event and what was decided on the way; each note is a sentence for the log."""

    ladder: Ladder
    notes: tuple[str, ...]


def resolve(
    profile: Profile,
    tracks: Sequence[Track],
    *,
    cores: int,
    silence: bool = False,
    language: str | None = None,
) -> Resolved:
    """Fit a profile to a feed's tracks. Live output passes `silence`: sound and picture are kept though the feed
    has none, for one that begins later.

    `language` is that of sound for which neither the profile nor the feed names one. Raises ConfigError
    where nothing is left, where rates have no common segment, or where a level is too low, and MediaError
    for sound that cannot be copied.
    """
    notes = list(profile.warnings)
    picture = next((track for track in tracks if track.kind is Kind.VIDEO), None)
    sounds = [track for track in tracks if track.kind is Kind.AUDIO]
    audio = audio_targets(profile, sounds, notes, silence=silence)
    audio = tuple(replace(target, language=target.language or language) for target in audio)
    rungs = _fitting(profile, picture, notes, slate=silence)
    source = _source_rate(picture, notes) if picture and (rungs or profile.copy) else UNKNOWN
    rates = [rung.fps.of(source) for rung in rungs] or ([source] if profile.copy and picture else [])
    duration = _duration(profile, rates, audio)
    if profile.copy:
        video = _copied(picture, source, duration, notes)
    else:
        video = _targets(profile, rungs, rates, duration, cores)
    if not (video or audio):
        raise ConfigError("profile", f"nothing of {profile.name!r} is left: the source has no track for it")
    return Resolved(Ladder(video, audio, duration, profile.window, profile.fit), tuple(notes))


def _fitting(profile: Profile, picture: Track | None, notes: list[str], *, slate: bool) -> list[Rung]:
    """The rungs that the source can fill; the smallest where it fills none."""
    if picture is None:
        made = "the slate is shown until it has" if slate else "only audio is made"
        if profile.video:
            notes.append(f"the source has no video: {made}")
        return list(profile.video) if slate else []
    width, height = picture.shown_size
    if not (width and height):
        notes.append("the source does not say its size: every rung is made")
        return list(profile.video)
    kept = [rung for rung in profile.video if _scale(rung, width, height, profile.fit) <= _UPSCALED]
    kept = kept or list(profile.video[-1:])
    left = [rung.name for rung in profile.video if rung not in kept]
    if left:
        notes.append(f"larger than the source ({width}x{height}), left out: {', '.join(left)}")
    return kept


def _scale(rung: Rung, width: int, height: int, fit: Fit) -> Fraction:
    """How much a picture grows when it fills the rung; where it is stretched, in its better direction."""
    wider, higher = Fraction(rung.width, width), Fraction(rung.height, height)
    return max(wider, higher) if fit is Fit.CROP else min(wider, higher)


def _source_rate(picture: Track | None, notes: list[str]) -> Fraction:
    declared = known_rate(picture.frame_rate) if picture else None
    if declared is None:
        notes.append(f"the source does not say its frame rate: {units.rate_text(UNKNOWN)} is taken")
        return UNKNOWN
    rate = standard_rate(declared)
    if rate != declared:
        notes.append(
            f"frame rate {units.decimal(declared)} of the source is taken as {units.rate_text(rate)}"
        )
    return rate


def _duration(profile: Profile, rates: Sequence[Fraction], audio: Sequence[AudioTarget]) -> Fraction:
    sample_rates = sorted({target.sample_rate for target in audio})
    if not (rates or sample_rates):
        return profile.segment
    duration = segment_duration(profile.segment, rates, sample_rates)
    if duration > max(_LONGEST_SEGMENT, profile.segment * 2):
        shown = ", ".join(units.rate_text(rate) for rate in sorted(set(rates), reverse=True))
        raise ConfigError(
            "video",
            f"frame rates {shown} meet only every {units.duration_text(duration)}, too long for a segment; "
            'use rates that are parts of one another, such as "source" and "source/2"',
        )
    return duration


def _targets(
    profile: Profile, rungs: Sequence[Rung], rates: Sequence[Fraction], duration: Fraction, cores: int
) -> tuple[VideoTarget, ...]:
    if not rungs:
        return ()
    timescale = common_timescale(rates)
    interval = key_interval(duration, rates)
    threads = share_threads([rung.pixels * rate for rung, rate in zip(rungs, rates, strict=True)], cores)
    return tuple(
        _target(rung, f"video[{profile.video.index(rung) + 1}]", rate, timescale, int(interval * rate), count)
        for rung, rate, count in zip(rungs, rates, threads, strict=True)
    )


def _target(
    rung: Rung, path: str, rate: Fraction, timescale: int, key_frames: int, threads: int
) -> VideoTarget:
    level = _level(rung, rate, path)
    return VideoTarget(
        name=rung.name,
        width=rung.width,
        height=rung.height,
        rate=rate,
        timescale=timescale,
        codec=rung.encoder.name,
        bitrate=rung.bitrate,
        maxrate=rung.maxrate,
        bufsize=rung.bufsize,
        crf=rung.crf,
        preset=rung.preset,
        profile=rung.profile,
        level=None if rung.encoder.level_param else level,
        key_frames=key_frames,
        threads=threads,
        options=encoder_options(rung.encoder, rung.options, threads=threads, level=level),
    )


def _level(rung: Rung, rate: Fraction, path: str) -> str | None:
    """The stated level, checked at the real rate; the smallest possible one for H.264 where none is stated."""
    if rung.level is not None or rung.encoder.family != "h264":
        check_level(rung, rate, path)
        return rung.level
    level = h264_level(rung.demand(rate), rung.profile or "high")
    if level is None:
        size = f"{rung.width}x{rung.height} at {units.rate_text(rate)} and {units.bitrate_text(rung.maxrate)}"
        raise ConfigError(f"{path}.size", f"no level of H.264 holds {size}; make it smaller or slower")
    return level


def common_timescale(rates: Sequence[Fraction]) -> int:
    """Ticks a second in which a frame of every rate lasts a whole number of ticks; the highest rate's if it does."""
    timescale = video_timescale(max(rates))
    if all((timescale / rate).denominator == 1 for rate in rates):
        return timescale
    common = math.lcm(*(rate.numerator for rate in rates))
    return common * -(-24_000 // common)


def share_threads(loads: Sequence[Fraction], cores: int) -> list[int]:
    """Threads of each rung by its share of the pixels a second.

    One each where there are as many rungs as cores: that costs less processor time and memory than more. A
    rung above 1080p at 25 frames a second gets two at least, for one thread may not keep up with it.
    """
    total = sum(loads)
    shares = [1 if len(loads) >= cores else round(load / total * cores) for load in loads]
    most = [min(_MOST_THREADS, math.ceil(load / _LIGHT)) for load in loads]
    least = [2 if load > _HEAVY and cores > 2 else 1 for load in loads]
    return [max(low, min(share, high)) for low, share, high in zip(least, shares, most, strict=True)]


_COPY_RATE = 4_000_000
"""Bits/s that a copied picture is announced with where the container does not say."""


def _copied(
    picture: Track | None, rate: Fraction, duration: Fraction, notes: list[str]
) -> tuple[VideoTarget, ...]:
    if picture is None:
        return ()
    if picture.turn != UPRIGHT:
        notes.append("the source's pictures are turned by its container: a copy is shown as it is stored")
    if not picture.bit_rate:
        notes.append(f"the source does not say its bitrate: {units.bitrate_text(_COPY_RATE)} is announced")
    bits = picture.bit_rate or _COPY_RATE
    return (
        VideoTarget(
            name="source",
            width=picture.width,
            height=picture.height,
            rate=rate,
            timescale=video_timescale(rate),
            codec=COPY,
            bitrate=bits,
            maxrate=bits,
            bufsize=bits,
            preset="",
            key_frames=max(1, int(duration * rate)),
        ),
    )
