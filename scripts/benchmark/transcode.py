"""`transcode`: a film encoded to a ladder, beside FFmpeg with the same rungs and encoder options."""

import os
from contextlib import closing
from functools import partial
from pathlib import Path

from abr.config.ladder import resolve
from abr.config.profile import load_profile
from abr.ingest.demux import Demuxer
from abr.model.ladder import Ladder

from .bench import Bench, abr_vod
from .command import ffmpeg_encode
from .pairs import interleave
from .report import Report, absolutes, compare

PROFILE = "720p"
_LENGTH = 64
_BOUNDS = {"cpu": 1.00, "memory": 0.95}
_EQUAL = "FFmpeg, equal threads"


def measure(bench: Bench) -> Report:
    """Measure. Raises RunFailed, AbrError."""
    film = bench.source(_LENGTH)
    ladder = ladder_of(film, PROFILE)
    commands = {
        "abr": partial(abr_vod, film, PROFILE),
        "FFmpeg": lambda out: ffmpeg_encode(bench.ffmpeg, film, out, ladder),
        _EQUAL: lambda out: ffmpeg_encode(bench.ffmpeg, film, out, ladder, threads=True),
    }
    sides = {name: partial(bench.write, command) for name, command in commands.items()}
    costs = interleave(sides, bench.pairs, bench.told)
    figures = [*compare(costs, "abr", "FFmpeg", _BOUNDS), *compare(costs, "abr", _EQUAL)]
    facts = {
        "film": film.name,
        "rungs": [f"{rung.name} {rung.codec} {rung.preset} {rung.bitrate}" for rung in ladder.video],
        "threads": [rung.threads for rung in ladder.video],
        "segment": float(ladder.duration),
        "bytes": {side: runs[0].bytes for side, runs in costs.items()},
    }
    return Report("transcode", (*figures, *absolutes(costs)), costs, facts)


def ladder_of(film: Path, profile: str) -> Ladder:
    """The ladder that `abr vod` makes of this film. Raises AbrError."""
    with closing(Demuxer(str(film))) as demuxer:
        return resolve(load_profile(profile), demuxer.tracks, cores=os.cpu_count() or 1).ladder
