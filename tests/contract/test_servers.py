"""What the servers of the contract tests promise: no run waits for them longer than agreed, none outlives it."""

import os
import time
from pathlib import Path

import pytest

from tests.contract import servers

pytestmark = [pytest.mark.contract, pytest.mark.timeout(30)]


def test_a_grandchild_that_keeps_the_output_open_holds_nobody_up(tmp_path: Path) -> None:
    """A command's end is the end of the command, whatever it left running; that dies too."""
    with servers._host(tmp_path) as host:
        host.run("sh", "-c", "sleep 600 & echo $!")
        child = int((tmp_path / "sh.log").read_text())
        assert _ends(child)


def test_a_server_that_never_listens_is_given_up(tmp_path: Path) -> None:
    with servers._host(tmp_path) as host:
        host.deadline = time.monotonic()
        process = host.serve("sleep", "600")
        with pytest.raises(servers.Unavailable, match="not ready"):
            host.wait("sleep", lambda: False, process)
    assert process.returncode is not None


def test_a_command_that_hangs_is_given_up(tmp_path: Path) -> None:
    with servers._host(tmp_path) as host:
        host.deadline = time.monotonic()
        with pytest.raises(servers.Unavailable, match="took longer"):
            host.run("sleep", "600")


def test_a_failing_test_leaves_no_server(tmp_path: Path) -> None:
    """The whole group goes: what the server started as well."""
    started = []

    def fail() -> None:
        with servers._host(tmp_path) as host:
            started.append(process := host.serve("sh", "-c", "sleep 600 & echo $!; wait"))
            host.wait("sh", lambda: (tmp_path / "sh.log").read_bytes().endswith(b"\n"), process)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert started[0].returncode is not None
    assert _ends(int((tmp_path / "sh.log").read_text()))


def test_a_failing_start_is_a_reason(tmp_path: Path) -> None:
    with servers._host(tmp_path) as host:
        with pytest.raises(servers.Unavailable, match="no such bank"):
            host.run("sh", "-c", "echo no such bank; exit 3")
        with pytest.raises(servers.Unavailable, match="ended at once"):
            host.wait("true", lambda: False, host.serve("true"))


def _ends(pid: int) -> bool:
    """Whether a killed process is gone, or a zombie that waits for init, within some seconds."""
    limit = time.monotonic() + 5
    while time.monotonic() < limit:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False
