"""`latency`: from the last frame of a segment to the playlist that names it, at a folder, over real RTMP."""

import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path

from abr.config.ladder import resolve
from abr.config.profile import load_profile
from abr.config.settings import HOLD
from abr.demo.publisher import Broadcast, Publisher
from abr.model.ladder import Ladder
from abr.model.media import Kind, Track
from abr.model.time import NANO
from abr.transcode.ladder import RungEncoder

from .bench import Bench
from .measure import RunFailed
from .pairs import Spread, percentile
from .programs import ABR
from .report import Figure, Report

_PROFILE = "test"
_CHANNEL = "bench"
_LENGTH = 30
_POLL = 0.005
_PATIENCE = 15
"""Seconds that the worker may take to listen, and to end."""
_NUMBER = re.compile(r"^[^#\n].*?(\d+)\.m4s$", re.MULTILINE)

Seen = Mapping[str, Mapping[int, int]]
"""For each rendition, when its playlist named a number first (ns since the epoch)."""


def measure(bench: Bench) -> Report:
    """Publish the test picture, watch the playlists. Raises RunFailed."""
    ladder = _ladder()
    seen = _broadcast(bench.folder(), ladder.names, bench.seconds or _LENGTH)
    delays = latencies(seen, ladder.duration, HOLD)
    if not delays:
        raise RunFailed("no segment was named while the picture was published")
    milliseconds = [delay / 1e6 for delay in delays]
    low, high = min(milliseconds), max(milliseconds)
    figures = (
        Figure("last frame to playlist, median", Spread(percentile(milliseconds, 50), low, high), "ms"),
        Figure("last frame to playlist, 95th", Spread(percentile(milliseconds, 95), low, high), "ms"),
        Figure("of it inside the slowest encoder", Spread(*[_held(ladder) * 1000] * 3), "ms"),
    )
    facts = {"profile": _PROFILE, "segments": len(delays), "duration": float(ladder.duration)}
    return Report("latency", figures, facts=facts | {"hold": float(HOLD), "each": milliseconds})


def numbers(playlist: str) -> list[int]:
    """The numbers of the segments that a media playlist names."""
    return [int(number) for number in _NUMBER.findall(playlist)]


def latencies(seen: Seen, duration: Fraction, hold: Fraction) -> list[int]:
    """For each number: from its end on the grid, `hold` behind the clock, until all playlists name it, ns.

    Numbers that the first playlists name are left out: those appear three at a time.
    """
    first = max((min(named, default=0) for named in seen.values()), default=0)
    born = {name: named.get(first) for name, named in seen.items()}
    common = set.intersection(*(set(named) for named in seen.values())) if seen else set()
    delays = []
    for number in sorted(common):
        if any(seen[name][number] == born[name] for name in seen):
            continue
        end = int(((number + 1) * duration + hold) * NANO)
        delays.append(max(named[number] for named in seen.values()) - end)
    return delays


def _broadcast(folder: Path, names: Sequence[str], seconds: int) -> Seen:
    """A worker and a publisher; what the playlists named while the picture was published."""
    port = _free_port()
    url = f"rtmp://127.0.0.1:{port}/live/bench"
    publisher = Publisher(Broadcast(url, seconds=seconds))
    with _worker(folder, url, port):
        publisher.start()
        try:
            return _watch([(name, folder / "origin" / _CHANNEL / name) for name in names], publisher)
        finally:
            publisher.stop()


def _watch(folders: Sequence[tuple[str, Path]], publisher: Publisher) -> Seen:
    seen: dict[str, dict[int, int]] = {name: {} for name, _ in folders}
    marks: dict[str, int] = {}
    while publisher.wait(_POLL) is None:
        for name, folder in folders:
            path = folder / "index.m3u8"
            with suppress(FileNotFoundError):
                mark = path.stat().st_ino
                if marks.get(name) == mark:
                    continue
                now, marks[name] = time.time_ns(), mark
                for number in numbers(path.read_text()):
                    seen[name].setdefault(number, now)
    return seen


@contextmanager
def _worker(folder: Path, url: str, port: int) -> Iterator[None]:
    """`abr live`, listening. Raises RunFailed when it does not."""
    words = ["--listen", url, "--profile", _PROFILE, "--channel", _CHANNEL, "--once", "--grace", "1s"]
    folders = ["--to", str(folder / "origin"), "--state", str(folder / "state")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*ABR, "live", *words, *folders], stdout=log, stderr=log)
        try:
            _await_port(port, process, folder / "log")
            yield
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RunFailed(f"abr live does not listen: {log.read_text()[-400:]}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _ladder() -> Ladder:
    """What the worker makes of the publisher's feed."""
    shown = Broadcast("")
    picture = Track(
        index=0,
        kind=Kind.VIDEO,
        codec="h264",
        time_base=Fraction(1, 1000),
        width=shown.width,
        height=shown.height,
        frame_rate=Fraction(shown.rate),
        bit_rate=shown.bitrate,
    )
    sound = Track(1, Kind.AUDIO, "aac", Fraction(1, 1000), sample_rate=48_000, channels=2)
    return resolve(load_profile(_PROFILE), [picture, sound], cores=1).ladder


def _held(ladder: Ladder) -> float:
    """Seconds of pictures that the slowest encoder keeps back."""
    encodings = [RungEncoder(target).encoding for target in ladder.video]
    return max(encoding.held / encoding.timescale for encoding in encodings)
