"""What every part of the benchmark is given."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .film import FILM, make_film
from .measure import Cost, RunFailed, in_memory, run, warm, written
from .programs import ABR
from .source import piece

_OUTPUT = "output"

Command = Callable[[Path], list[str]]
"""The command line that writes into a folder."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Rounds, film, folders."""

    pairs: int
    """Rounds in which each side runs once."""
    film: Path | None
    """The user's film; None for the benchmark's own."""
    work: Path
    """Folder of films and output."""
    ffmpeg: Path
    seconds: int | None
    """Length of the film that is made; None for what each part takes by itself."""
    told: Callable[[str], None]
    """Hears what runs next."""

    def source(self, seconds: int) -> Path:
        """The film that is measured, in the page cache: the user's, or one of about `seconds`."""
        film = self.film or make_film(self.work, self.seconds or seconds, FILM, self.told)
        warm(film)
        return film

    def pieces(self, short: int, long: int) -> tuple[Path, Path]:
        """Two lengths of the film, in the page cache. Raises RunFailed."""
        if self.film is None:
            films = [make_film(self.work, seconds, FILM, self.told) for seconds in (short, long)]
        else:
            films = [piece(self.ffmpeg, self.film, seconds, self.work) for seconds in (short, long)]
        for film in films:
            warm(film)
        return films[0], films[1]

    def write(self, command: Command) -> Cost:
        """Run a command that writes into the folder it is given; measure it and what it wrote. Raises RunFailed."""
        folder = self.folder()
        cost = run(command(folder))
        segments, size = written(folder)
        if not segments:
            raise RunFailed(f"{command(folder)[0]} wrote no segment")
        if in_memory(folder):
            shutil.rmtree(folder)
        return cost._replace(segments=segments, bytes=size)

    def folder(self) -> Path:
        """A new empty folder."""
        outputs = self.work / _OUTPUT
        outputs.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=outputs))

    @contextmanager
    def part(self) -> Iterator[None]:
        """The folders of one part, all removed behind it.

        Not one by one: ext4 takes long to find room for new files next to some that were removed a moment ago, and
        each run would be charged for what the one before it wrote. In memory it is the other way round: new pages cost
        more than those that were given back.
        """
        try:
            yield
        finally:
            shutil.rmtree(self.work / _OUTPUT, ignore_errors=True)


def abr_vod(film: Path, profile: str, out: Path) -> list[str]:
    """`abr vod` into a folder, its journal and spool beside the output."""
    folders = ["--to", str(out / "origin"), "--state", str(out / "state")]
    return [*ABR, "vod", str(film), "--profile", profile, "--channel", "film", *folders]
