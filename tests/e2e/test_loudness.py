"""`abr live` with a profile that asks for a loudness: the sound is brought to it and stays with the picture."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from abr.transcode.loudness import Meter
from tests.e2e import air
from tests.e2e.playback import lip_sync, renditions
from tests.e2e.processes import abr, fetch, free_port
from tests.e2e.verdict import findings

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

TARGET = -20.0
LIP_SYNC = Fraction(5, 1000)
SECONDS = 30
PROFILE = """
[[video]]
size = "256x144"
bitrate = "145k"

[[audio]]
loudness = "-20 LUFS"
"""


def test_a_corrected_event(tmp_path: Path) -> None:
    (tmp_path / "loud.toml").write_text(PROFILE)
    url, http = f"rtmp://127.0.0.1:{free_port()}/live/key1", free_port()
    options = (
        "--listen",
        url,
        "--profile",
        "loud.toml",
        "--to",
        "a",
        "--once",
        "--grace",
        "1s",
        "--log-json",
    )
    with abr(tmp_path, "live", *options, "--http", f"127.0.0.1:{http}") as worker:
        air.listening(worker)
        with air.publishing(url, SECONDS):
            page = f"http://127.0.0.1:{http}"
            found = worker.until("a gain", lambda: corrected(page), 60, pace=0.5)
            metrics = (fetch(f"{page}/metrics") or b"").decode()
            done = worker.wait(60)
    assert done.code == 0, done.err
    assert found["rendition"] == "audio"
    assert 'abr_audio_gain_db{channel="live",rendition="audio"}' in metrics
    (entry,) = (tmp_path / "a/live").glob("recordings/*/index.m3u8")
    film = renditions(entry)
    heard, shown = film["audio"].sound(), film["144p"].pictures(air.look)
    late = lip_sync(shown, heard)
    assert late is not None
    assert abs(late) <= LIP_SYNC, float(late)
    assert loudness(heard.samples[-8 * heard.rate :]) == pytest.approx(TARGET, abs=1.0)
    assert findings(entry.parent, tmp_path) == []


def corrected(page: str) -> dict[str, object] | None:
    """The state of the sound once its gain has moved by a decibel."""
    answer = fetch(f"{page}/api/state")
    sounds = json.loads(answer)["loudness"] if answer else []
    return next((sound for sound in sounds if abs(sound["gain"]) >= 1), None)


def loudness(samples: NDArray[np.float32]) -> float | None:
    """LUFS of sound whose two channels were mixed to one as FFmpeg does it: with the energy of both."""
    meter = Meter(1)
    meter.push(samples[np.newaxis])
    return meter.read().integrated
