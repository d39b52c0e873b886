"""`package`: a film packaged without encoding, beside FFmpeg and Shaka Packager."""

from fractions import Fraction
from functools import partial
from pathlib import Path

from .bench import Bench, Command, abr_vod
from .command import ffmpeg_copy, ffmpeg_hls, packager_copy
from .pairs import interleave
from .programs import packager, version
from .report import Report, absolutes, compare, same_cuts

_LENGTH = 60 * 60
"""Seconds: so long that start-up counts for little."""
_SEGMENT = Fraction(2)
"""Seconds from one key frame of the film to the next; abr cuts at each."""
_BOUNDS = {"FFmpeg": {"cpu": 0.40}, "Packager": {"cpu": 0.25}}


def measure(bench: Bench) -> Report:
    """Measure. Raises RunFailed."""
    film, shaka = bench.source(_LENGTH), packager()
    commands: dict[str, Command] = {
        "abr": partial(abr_vod, film, "copy"),
        "FFmpeg": lambda out: ffmpeg_copy(bench.ffmpeg, film, out, _SEGMENT),
        "Packager": lambda out: packager_copy(shaka, film, out, _SEGMENT),
        "FFmpeg, HLS alone": lambda out: ffmpeg_hls(bench.ffmpeg, film, out, _SEGMENT),
    }
    sides = {name: partial(bench.write, command) for name, command in commands.items()}
    costs = interleave(sides, bench.pairs, bench.told)
    counts = same_cuts({name: costs[name] for name in ("abr", *_BOUNDS)})
    figures = [
        figure
        for theirs in ("FFmpeg", "Packager", "FFmpeg, HLS alone")
        for figure in compare(costs, "abr", theirs, _BOUNDS.get(theirs))
    ]
    facts = {"film": _facts(film), "segments": counts, "packager": version(shaka)}
    return Report("package", (*figures, *absolutes(costs)), costs, facts)


def _facts(film: Path) -> dict[str, object]:
    return {"name": film.name, "bytes": film.stat().st_size}
