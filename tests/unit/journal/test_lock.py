"""One worker a channel."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from abr.errors import ChannelBusy, StateUnusable
from abr.journal.lock import ChannelLock


def test_the_second_worker_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    with ChannelLock(folder):
        with pytest.raises(ChannelBusy, match="channel news: another worker runs it") as caught:
            ChannelLock(folder).acquire()
        assert "--channel" in caught.value.hint
        with ChannelLock(tmp_path / "sport"):
            pass
    with ChannelLock(folder) as lock:
        lock.release()
        lock.release()


def test_a_killed_worker_holds_nothing(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from abr.journal.lock import ChannelLock
ChannelLock(Path(sys.argv[1])).acquire()
print('held', flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-S", "-c", code, str(tmp_path / "news")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(ChannelBusy):
            ChannelLock(tmp_path / "news").acquire()
        other.send_signal(signal.SIGKILL)
        other.wait(10)
    with ChannelLock(tmp_path / "news"):
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateUnusable, match="cannot be locked"):
        ChannelLock(tmp_path / "file" / "news").acquire()


def test_a_lock_file_that_was_removed_is_made_again(tmp_path: Path) -> None:
    with ChannelLock(tmp_path / "news"):
        (tmp_path / "news" / "lock").unlink()
        with ChannelLock(tmp_path / "news"), pytest.raises(ChannelBusy):
            ChannelLock(tmp_path / "news").acquire()
