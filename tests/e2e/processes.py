"""Programs as a user starts them: output in files, every wait with a deadline, nothing left behind.

A program has a process group of its own, which is killed when its block is left; the kernel kills it when the
test run dies (setpriv --pdeathsig). What it writes goes to files, so that no child of it can hold a pipe open.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest

T = TypeVar("T")

PACE = 0.05
"""Seconds between two looks at a condition."""

ROOT = Path(__file__).parents[2]


class Finished(NamedTuple):
    """A program that came to its end."""

    code: int
    out: str
    err: str


class Program:
    """One started program; `out` and `err` are what it has written so far."""

    def __init__(self, folder: Path, name: str, command: Sequence[str], env: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._out, self._err = folder / f"{name}.out", folder / f"{name}.err"
        guard = shutil.which("setpriv")
        leash = [guard, "--pdeathsig", "KILL", "--"] if guard else []
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                [*leash, *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                cwd=folder,
                env={**_quiet_environment(), **env},
            )

    @property
    def out(self) -> str:
        return self._out.read_text(errors="replace")

    @property
    def err(self) -> str:
        return self._err.read_text(errors="replace")

    @property
    def code(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.poll()

    def log(self, event: str) -> list[dict[str, Any]]:
        """Its log lines of this name (`--log-json`), in order."""
        lines = [
            json.loads(line) for line in self.err.splitlines() if line.startswith("{") and line.endswith("}")
        ]
        return [line for line in lines if line["event"] == event]

    def until(self, what: str, condition: Callable[[], T | None], seconds: float, *, pace: float = PACE) -> T:
        """What the condition gives once that is true; the test fails when the time is up or the program ends."""

        def look() -> T | None:
            ended = self.code
            found = condition()
            if not found and ended is not None:
                pytest.fail(f"{what}: the program ended with {ended}\n{self._tail()}")
            return found

        return until(what, look, seconds, pace=pace, why=self._tail)

    def wait(self, seconds: float) -> Finished:
        """Wait for its end; the test fails when the time is up."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the program did not end within {seconds:.0f} s\n{self._tail()}")
        return Finished(code, self.out, self.err)

    def interrupt(self, seconds: float) -> Finished:
        """Ctrl-C, then its end."""
        self._process.send_signal(signal.SIGINT)
        return self.wait(seconds)

    def kill(self) -> None:
        """End it and whatever it started, at once."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)

    def _tail(self) -> str:
        return f"{self.out[-1000:]}\n{self.err[-3000:]}"


def until(
    what: str,
    condition: Callable[[], T | None],
    seconds: float,
    *,
    pace: float = PACE,
    why: Callable[[], str] = str,
) -> T:
    """What the condition gives once that is true; the test fails when it is not so within `seconds`."""
    limit = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > limit:
            pytest.fail(f"{what}: not within {seconds:.0f} s\n{why()}")
        time.sleep(pace)
    return found


@contextmanager
def running(folder: Path, name: str, *command: str) -> Iterator[Program]:
    """A program that runs while the block does."""
    program = Program(folder, name, command, {})
    try:
        yield program
    finally:
        program.kill()


@contextmanager
def abr(folder: Path, *arguments: str, run: Sequence[str] = ("-m", "abr")) -> Iterator[Program]:
    """`abr …` while the block runs. Its state folder lies in `folder` unless the arguments say otherwise.

    `run` is what Python is told instead of `-m abr`: a program that breaks something first.
    """
    command = [sys.executable, *run, *arguments]
    env = {"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder / "state")}
    program = Program(folder, f"abr-{arguments[0]}", command, env)
    try:
        yield program
    finally:
        program.kill()


def run_abr(folder: Path, *arguments: str, seconds: float, run: Sequence[str] = ("-m", "abr")) -> Finished:
    """`abr …` from its start to its end."""
    with abr(folder, *arguments, run=run) as program:
        return program.wait(seconds)


def fetch(url: str) -> bytes | None:
    """What a server answers; None where it does not, or not with 200."""
    with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=5) as answer:
        return bytes(answer.read())
    return None


def free_port() -> int:
    """A port on which nobody listens now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def busy() -> bool:
    """Whether others keep this machine's processors from us: then frames may come late."""
    return os.getloadavg()[0] > (os.cpu_count() or 1)


def _quiet_environment() -> dict[str, str]:
    """Ours without what would configure abr."""
    return {key: value for key, value in os.environ.items() if not key.startswith("ABR_")}
