"""Four players in a real browser: hls.js, the browser's own HLS, dash.js and Shaka, one run each."""

import json
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.e2e.processes import Program, running

PLAYERS = Path(__file__).parent / "players"
START = 60.0
"""Seconds that a browser may take to start, show its first frame and end again."""


def needed() -> None:
    """The test needs a browser: without one it fails, unless somebody said that there is none (WITHOUT_BROWSER)."""
    if os.environ.get("WITHOUT_BROWSER"):
        pytest.skip("WITHOUT_BROWSER is set")
    missing = [program for program in ("node", "chromium") if _found(program) is None]
    if not (PLAYERS / "node_modules").is_dir():
        missing.append("the players' node_modules")
    if missing:
        pytest.fail(
            f"{' and '.join(missing)} missing: scripts/setup-browser installs it, WITHOUT_BROWSER=1 does without"
        )


def _found(program: str) -> str | None:
    """Where a program is: scripts/setup-browser puts its own Node.js beside Python."""
    return shutil.which(
        program, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    )


def _harness(script: str, *options: str) -> list[str]:
    """The command of a script of the players' folder."""
    return [_found("node") or "node", str(PLAYERS / script), *options]


class Player:
    """One run of one player, that has begun."""

    def __init__(self, program: Program, seconds: float) -> None:
        self._program, self._seconds = program, seconds

    def report(self) -> dict[str, Any]:
        """What it has seen, when it has ended; the test fails if that is not good."""
        report = self.told()
        assert report["ok"], report
        return report

    def told(self) -> dict[str, Any]:
        """The same, good or not."""
        done = self._program.wait(self._seconds + START)
        assert done.out, done.err
        report: dict[str, Any] = json.loads(done.out)
        return report


@contextmanager
def playing(folder: Path, player: str, url: str, seconds: int, *options: str) -> Iterator[Player]:
    """A player on its way through `url`."""
    command = _harness("play.mjs", "--player", player, "--url", url, "--seconds", str(seconds), *options)
    with running(folder, f"{player}-{url.rpartition('.')[2]}", *command) as program:
        yield Player(program, seconds)


def preview(folder: Path, url: str, shot: Path) -> dict[str, Any]:
    """What a browser finds on the worker's page; its picture goes to `shot`."""
    command = _harness("preview.mjs", "--url", url, "--shot", str(shot))
    with running(folder, "preview", *command) as program:
        return Player(program, 20).report()


def choosing(folder: Path, url: str, *answers: str) -> dict[str, Any]:
    """What the page asks and shows while its second input is taken by hand, as often as there are `answers` and once more."""
    command = _harness("choose.mjs", "--url", url, "--answers", ",".join(answers))
    with running(folder, "choose", *command) as program:
        return Player(program, 20).report()


class _Files(SimpleHTTPRequestHandler):
    extensions_map: ClassVar = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".m3u8": "application/vnd.apple.mpegurl",
        ".mpd": "application/dash+xml",
        ".m4s": "video/mp4",
    }

    def log_message(self, *_: object) -> None:
        """Requests are not logged."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A folder behind a plain HTTP server, as a CDN would have it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
