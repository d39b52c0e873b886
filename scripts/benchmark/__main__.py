"""`python -m benchmark PART…`: measure, show, write JSON, judge."""

import importlib
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import click
from rich.console import Console

from abr.errors import AbrError

from .bench import Bench
from .measure import RunFailed
from .programs import compile_abr, newest_ffmpeg, reference_ffmpeg, version
from .report import Report, table

PARTS = {
    "transcode": "transcode",
    "package": "packaging",
    "overhead": "overhead",
    "latency": "latency",
    "playlist": "playlist",
    "scaling": "scaling",
}
"""Each part and its module."""

_WIDE = 110
"""Columns of a table that goes into a file or a pipe."""

_console = Console(highlight=False)
if not _console.is_terminal:
    _console = Console(highlight=False, width=_WIDE)
_errors = Console(stderr=True, highlight=False)


@click.command()
@click.argument("parts", nargs=-1, required=True, type=click.Choice([*PARTS, "all"]))
@click.option("--pairs", default=5, show_default=True, type=click.IntRange(1), help="Rounds of each part.")
@click.option("--film", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Measure on FILE.")
@click.option("--seconds", type=click.IntRange(1), help="Length of the film that is made.")
@click.option("--json", "target", type=click.Path(path_type=Path), help="Write everything to FILE.")
@click.option("--no-bounds", is_flag=True, help="Exit 0 though a bound is broken.")
@click.option("--newest", is_flag=True, help="Against FFmpeg 9 instead of 8.1.")
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    default=Path(tempfile.gettempdir(), "abr-benchmark"),
    show_default=True,
    help="Folder of films and output.",
)
def main(parts: Sequence[str], target: Path | None, *, no_bounds: bool, newest: bool, **given: Any) -> None:
    """Measure abr against FFmpeg and Shaka Packager. PART is one or more, or all:

    \b
    transcode   abr vod --profile 720p against FFmpeg with the same rungs
    package     abr vod --profile copy against FFmpeg and Shaka Packager
    overhead    processor time outside decoding, scaling and encoding
    latency     from a segment's last frame to the playlist that names it
    playlist    one update of a playlist at three windows
    scaling     quality of the cascade of scalers

    Exit code 1 when a bound is broken.
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    chosen = list(PARTS) if "all" in parts else list(dict.fromkeys(parts))
    try:
        bench = Bench(ffmpeg=newest_ffmpeg() if newest else reference_ffmpeg(), told=_tell, **given)
        compile_abr()
        reports = [_measure(part, bench) for part in chosen]
    except (RunFailed, AbrError) as error:
        _errors.print(f"benchmark: {error}", markup=False)
        sys.exit(2)
    if target is not None:
        target.write_text(json.dumps(_document(reports, bench), indent=1) + "\n", encoding="utf-8")
    broken = [f"{report.part}: {figure.name}" for report in reports for figure in report.broken]
    for line in broken:
        _errors.print(f"bound broken: {line}", markup=False)
    sys.exit(1 if broken and not no_bounds else 0)


def _measure(part: str, bench: Bench) -> Report:
    with bench.part():
        report: Report = importlib.import_module(f".{PARTS[part]}", __package__).measure(bench)
    _console.print(table(report))
    _console.print()
    return report


def _document(reports: Sequence[Report], bench: Bench) -> dict[str, Any]:
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "load": os.getloadavg()},
        "versions": {
            "python": platform.python_version(),
            "av": av.__version__,
            "ffmpeg": version(bench.ffmpeg),
        },
        "pairs": bench.pairs,
        "parts": {report.part: report.document() for report in reports},
    }


def _tell(line: str) -> None:
    if _errors.is_terminal:
        _errors.print(line, style="dim", markup=False)


if __name__ == "__main__":
    main(prog_name="benchmark")
