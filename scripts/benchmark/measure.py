"""What one run of a program costs: processor time, time on the clock, peak of memory."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_LAUNCHER = Path(__file__).with_name("launch.py")
_LONGEST = 3600
"""Seconds after which a run counts as hung."""
_SHOWN = 800
"""Characters of a failed program's last words."""


class Cost(NamedTuple):
    """One run, all processes that it started and waited for included."""

    cpu: float
    """Seconds, user and system."""
    wall: float
    """Seconds."""
    memory: int
    """Peak resident set of its largest process, KiB."""
    segments: int = 0
    """Media segments that it wrote."""
    bytes: int = 0
    """Bytes of all files that it wrote."""


class RunFailed(Exception):
    """A measured program did not end well."""


def run(command: Sequence[str | Path]) -> Cost:
    """Run a command to its end and measure it. Raises RunFailed with its last words."""
    with tempfile.TemporaryDirectory(prefix="abr-bench-") as folder:
        report, output = Path(folder, "report"), Path(folder, "output")
        launched = [sys.executable, "-I", "-S", str(_LAUNCHER), str(report), *map(str, command)]
        with output.open("wb") as file:
            ended = subprocess.run(
                launched,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=_LONGEST,
                check=False,
            )
        if ended.returncode:
            said = output.read_text("utf-8", "replace").strip()[-_SHOWN:]
            raise RunFailed(f"{Path(command[0]).name} ended with code {ended.returncode}:\n{said}")
        return Cost(**json.loads(report.read_text()))


def warm(path: Path) -> None:
    """Read a file once, so that no run is charged for fetching it from the disk."""
    with path.open("rb") as file:
        while file.read(1 << 22):
            pass


def written(folder: Path) -> tuple[int, int]:
    """How many media segments lie below a folder, and the bytes of all its files."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    segments = [path for path in files if path.suffix == ".m4s" and "init" not in path.name]
    return len(segments), sum(path.stat().st_size for path in files)


def in_memory(folder: Path) -> bool:
    """Whether a folder lies on a file system in memory (tmpfs)."""
    try:
        lines = Path("/proc/mounts").read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    kinds = {fields[1]: fields[2] for line in lines if len(fields := line.split()) > 2}
    path = folder.resolve()
    return next(
        (kinds[str(above)] == "tmpfs" for above in (path, *path.parents) if str(above) in kinds), False
    )
