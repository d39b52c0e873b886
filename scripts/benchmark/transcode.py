"""`transcode`: a film encoded to a ladder, beside FFmpeg with the same rungs and encoder options."""

from functools import partial

from .bench import Bench, Command, abr_vod
from .command import ffmpeg_encode
from .pairs import interleave
from .report import Report, absolutes, compare, same_cuts
from .source import ladder_of

PROFILE = "720p"
_LENGTH = 64
_BOUNDS = {"cpu": 1.00, "memory": 0.95}
_EQUAL = "FFmpeg, equal threads"
_BICUBIC = "FFmpeg, bicubic"


def measure(bench: Bench) -> Report:
    """Measure. Raises RunFailed, AbrError."""
    film = bench.source(_LENGTH)
    ladder = ladder_of(film, PROFILE)
    commands: dict[str, Command] = {
        "abr": partial(abr_vod, film, PROFILE),
        "FFmpeg": lambda out: ffmpeg_encode(bench.ffmpeg, film, out, ladder),
        _EQUAL: lambda out: ffmpeg_encode(bench.ffmpeg, film, out, ladder, threads=True),
        _BICUBIC: lambda out: ffmpeg_encode(bench.ffmpeg, film, out, ladder, scaler=""),
    }
    sides = {name: partial(bench.write, command) for name, command in commands.items()}
    costs = interleave(sides, bench.pairs, bench.told)
    others = [figure for side in (_EQUAL, _BICUBIC) for figure in compare(costs, "abr", side)]
    figures = [*compare(costs, "abr", "FFmpeg", _BOUNDS), *others]
    facts = {
        "film": film.name,
        "rungs": [f"{rung.name} {rung.codec} {rung.preset} {rung.bitrate}" for rung in ladder.video],
        "threads": [rung.threads for rung in ladder.video],
        "segment": float(ladder.duration),
        "segments": same_cuts(costs),
        "bytes": {side: runs[0].bytes for side, runs in costs.items()},
    }
    return Report("transcode", (*figures, *absolutes(costs)), costs, facts)
