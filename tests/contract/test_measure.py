"""Measuring: a command's own cost, its failure, what it wrote."""

import sys

import pytest

from scripts.benchmark.measure import RunFailed, run, written


def test_the_processor_time_of_grandchildren_counts():
    burn = "import time\nwhile time.process_time() < 0.15: pass"
    cost = run(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"]
    )
    assert 0.15 <= cost.cpu < 5
    assert cost.wall >= 0.15


def test_memory_is_the_commands_own_and_not_that_of_who_measures():
    ballast = bytearray(b"x") * (96 << 20)
    assert 1024 < run(["/bin/true"]).memory < 40 * 1024
    assert len(ballast) == 96 << 20


def test_a_failure_is_told_with_the_programs_last_words():
    with pytest.raises(RunFailed, match=r"ended with code 3:\nno such film"):
        run([sys.executable, "-c", "import sys; print('no such film', file=sys.stderr); sys.exit(3)"])


def test_inits_and_playlists_are_no_segments(tmp_path):
    for name in ("v/init.mp4", "v/1.m4s", "v/2.m4s", "init-stream0.m4s", "index.m3u8"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    assert written(tmp_path) == (2, 25)
