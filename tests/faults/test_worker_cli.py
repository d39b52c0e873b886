"""`abr live` as a user starts it, when something is wrong: one sentence, the right exit code, and an end in time."""

import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.processes import ROOT, Finished, Program, abr, free_port, run_abr
from tests.fakes.publisher import write_clip

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]
SOON = 40
"""Seconds for what takes one or two on a machine that has nothing else to do."""
KEY = "hunter2"


def listen(port: int) -> tuple[str, str]:
    return "--listen", f"rtmp://127.0.0.1:{port}/live/{KEY}"


@contextmanager
def worker(folder: Path, *arguments: str) -> Iterator[tuple[Program, int]]:
    """A worker that listens, and its port; it has shown no traceback and no key when it is left."""
    port = free_port()
    with abr(
        folder, "live", *listen(port), "--profile", "test", "--to", "public", "--log-json", *arguments
    ) as it:
        it.until("listening", lambda: it.log("listening"), SOON)
        yield it, port
        assert "Traceback" not in it.err
        assert KEY not in it.err + it.out


def refusal(done: Finished, code: int) -> str:
    """The one line that a worker that does not start says."""
    assert (done.code, done.out) == (code, ""), done.err
    (line,) = done.err.splitlines()
    assert KEY not in line
    return line


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A film of a minute, small enough to be made at once."""
    path = tmp_path / "clip.flv"
    write_clip(str(path), 25 * 60)
    return path


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--profile", "nosuch"), 2, "abr: profile: there is no profile and no file 'nosuch'; known: "),
        (("--channel", "../up"), 2, "abr: channel: '../up' is no channel name; "),
        (("--to", "file"), 2, "abr: {}/file: {}/file is a file (name a folder)"),
        (("--to", "file/below"), 2, "abr: {}/file/below: cannot make the folder: Not a directory"),
        (("--state", "file"), 2, "abr: {}/file/live: the channel's folder cannot be locked: Not a directory"),
        (("--pull", "clip.flv"), 2, "abr: pull: there is no file 'clip.flv'"),
        (("--to", "public"), 2, "abr: to[2]: {}/public is named twice"),
        (("--hold", "1h"), 2, "abr: hold: 1h is out of range; "),
    ],
)
def test_what_cannot_work_is_refused_with_one_sentence(tmp_path, arguments, code, sentence):
    (tmp_path / "file").write_bytes(b"")
    done = run_abr(tmp_path, "live", *listen(free_port()), "--to", "public", *arguments, seconds=SOON)
    assert refusal(done, code).startswith(sentence.replace("{}", str(tmp_path)))


@pytest.mark.parametrize("option", ["--listen", "--http"])
def test_a_port_that_is_taken_is_named(tmp_path, option):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        where = (
            listen(port) if option == "--listen" else (*listen(free_port()), "--http", f"127.0.0.1:{port}")
        )
        done = run_abr(tmp_path, "live", *where, "--to", "public", seconds=SOON)
    line = refusal(done, 2)
    assert line.startswith("abr: ")
    assert f"127.0.0.1:{port}" in line


def test_a_channel_has_one_worker(tmp_path):
    """The second one is refused and the first goes on."""
    with worker(tmp_path, "--channel", "tv") as (first, _):
        second = tmp_path / "second"
        arguments = ("--to", "public", "--channel", "tv", "--state", str(tmp_path / "state" / "abr"))
        done = run_abr(second, "live", *listen(free_port()), *arguments, seconds=SOON)
        assert refusal(done, 2).startswith("abr: channel tv: another worker runs it from ")
        assert first.code is None
        assert first.interrupt(5).code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_that_waits_ends_at_once_when_asked(tmp_path, number):
    with worker(tmp_path, "--http", "127.0.0.1:0") as (it, _):
        it._process.send_signal(number)
        assert it.wait(5).code == 0


def test_a_wrong_key_is_refused_and_the_right_one_is_taken(tmp_path):
    """The event that the right one begins ends with Ctrl-C: its playlists end, exit code 0."""
    with worker(tmp_path) as (it, port):
        with publisher(tmp_path, "wrong", f"rtmp://127.0.0.1:{port}/live/swordfish") as wrong:
            assert wrong.wait(SOON).code != 0
        assert [line["reason"] for line in it.log("publisher refused")] == ["wrong stream key"]
        assert "swordfish" not in it.err
        assert it.code is None
        with publisher(tmp_path, "right", f"rtmp://127.0.0.1:{port}/live/{KEY}"):
            it.until("feed", lambda: it.log("feed connected"), SOON)
            playlist = tmp_path / "public" / "live" / "144p" / "index.m3u8"
            it.until("playlist", playlist.is_file, SOON)
            assert it.interrupt(SOON).code == 0
        assert playlist.read_text().endswith("#EXT-X-ENDLIST\n")


def test_an_origin_that_is_deleted_stops_and_the_other_gets_everything(tmp_path, clip):
    origins = ("--to", "gone", "--to", "kept")
    arguments = ("--pull", str(clip), "--profile", "test", "--channel", "tv", *origins, "--log-json")
    with abr(tmp_path, "live", *arguments) as it:
        it.until("playlist", (tmp_path / "gone" / "tv" / "index.m3u8").is_file, SOON)
        shutil.rmtree(tmp_path / "gone")
        (line,) = it.until("stop", lambda: it.log("origin stopped"), SOON)
        done = it.interrupt(SOON)
    folder = tmp_path / "gone"
    assert (
        line["reason"] == f"{folder}: the folder {folder} is gone (make or mount it again, then start again)"
    )
    assert done.code == 1
    assert done.err.splitlines()[-1].startswith("abr: ")
    assert "Traceback" not in done.err
    assert not folder.exists()
    assert (tmp_path / "kept" / "tv" / "144p" / "index.m3u8").read_text().endswith("#EXT-X-ENDLIST\n")
    waiting = list((tmp_path / "state" / "abr" / "tv" / "spool").rglob("*.m4s"))
    assert waiting, "what the stopped origin lacks was thrown away"


def test_a_second_interrupt_leaves_what_a_dead_origin_has_not(tmp_path, clip, monkeypatch):
    """The first one waits for it, and tells; the second one says what is left and where."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
    dead = f"s3://tv-bucket?endpoint=http://127.0.0.1:{free_port()}"
    arguments = ("--pull", str(clip), "--profile", "test", "--channel", "tv", "--to", dead, "--to", "kept")
    with abr(tmp_path, "live", *arguments, "--log-json") as it:
        playlist = tmp_path / "kept" / "tv" / "index.m3u8"
        it.until("playlist", playlist.is_file, SOON)
        it._process.send_signal(signal.SIGINT)
        it.until("the end of the event", lambda: it.log("event ended"), SOON)
        recording = tmp_path / "kept" / "tv" / "recordings"
        it.until("recording", lambda: list(recording.glob("*/index.m3u8")), SOON)
        assert it.code is None
        done = it.interrupt(15)
    assert done.code == 1
    assert done.err.splitlines()[-1].startswith(f"abr: not everything was delivered: {dead} lacks ")
    assert "Traceback" not in done.err
    assert KEY not in done.err


@contextmanager
def publisher(folder: Path, name: str, url: str) -> Iterator[Program]:
    """A publisher of a minute, as fast as it is taken."""
    command = [sys.executable, "-m", "tests.fakes.publisher", url, "1500"]
    program = Program(folder / name, name, command, {"PYTHONPATH": str(ROOT)})
    try:
        yield program
    finally:
        program.kill()
