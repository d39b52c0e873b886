"""`abr live --record-feed` with a real publisher: its feed on disk, in files that `abr vod` packages frame by frame."""

import re
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from tests.e2e import air
from tests.e2e.playback import renditions
from tests.e2e.processes import abr, free_port, run_abr

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

RATE, SECONDS = 25, 16


def numbers(path: Path) -> list[int]:
    """The counters of a file's pictures, in order."""
    with av.open(str(path)) as film:
        return [
            air.read_counter(frame.to_ndarray(format="gray8").astype(np.float32))
            for frame in film.decode(video=0)
        ]


def test_a_feed_is_kept_whole_and_each_file_is_a_film(tmp_path: Path) -> None:
    """Files end at an eighth of the quota; no picture is lost between them, and none in `abr vod`."""
    url = f"rtmp://127.0.0.1:{free_port()}/live/key1"
    options = ("--listen", url, "--profile", "test", "--to", "a", "--once", "--grace", "1s", "--log-json")
    record = ("--record-feed", "feeds", "--record-quota", "10M", "--channel", "tv")
    with abr(tmp_path, "live", *options, *record) as worker:
        air.listening(worker)
        with air.publishing(url, SECONDS):
            done = worker.wait(90)
    assert done.code == 0, done.err
    kept = sorted((tmp_path / "feeds").iterdir(), key=lambda path: int(path.stem.rpartition("-")[2]))
    assert all(re.fullmatch(r"tv-\d{8}T\d{6}Z-\d+\.flv", path.name) for path in kept)
    shown = [numbers(path) for path in kept]
    assert len(kept) > 1
    assert [number for part in shown for number in part] == list(range(RATE * SECONDS))
    assert all(after[0] == before[-1] + 1 for before, after in pairwise(shown))
    for path, expected in zip(kept, shown, strict=True):
        assert packaged(tmp_path, path) == expected


def packaged(folder: Path, film: Path) -> list[int]:
    """The counters of the pictures that `abr vod` makes of a file."""
    done = run_abr(folder, "vod", str(film), "--profile", "test", "--to", "films", seconds=60)
    assert done.code == 0, done.err
    (entry,) = (folder / "films").glob(f"{film.stem.lower()}/recordings/*/index.m3u8")
    return [item.number for item in renditions(entry)["234p"].pictures(air.look)]
