"""What abr makes of a film, and shorter pieces of it."""

import os
from contextlib import closing
from pathlib import Path

from abr.config.ladder import resolve
from abr.config.profile import load_profile
from abr.ingest.demux import Demuxer
from abr.model.ladder import Ladder

from .measure import run


def ladder_of(film: Path, profile: str) -> Ladder:
    """The ladder that `abr vod` makes of this film. Raises AbrError."""
    with closing(Demuxer(str(film))) as demuxer:
        return resolve(load_profile(profile), demuxer.tracks, cores=os.cpu_count() or 1).ladder


def piece(ffmpeg: Path, film: Path, seconds: int, folder: Path) -> Path:
    """The first `seconds` of a film, by stream copy. Raises RunFailed."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"piece-{film.stem}-{seconds}s.mp4"
    words: list[str | Path] = [ffmpeg, "-v", "error", "-nostdin", "-y", "-i", film]
    run([*words, "-map", "0:v:0", "-map", "0:a:0?", "-t", str(seconds), "-c", "copy", path])
    return path
