"""`abr live` with an SRT publisher, as a user starts it."""

import json
import sys
import urllib.request
from pathlib import Path

import pytest

from abr.errors import UsageError
from abr.ingest.libsrt import load
from tests.e2e.processes import ROOT, Program, abr, free_port
from tests.fakes.srt_caller import PASSPHRASE

try:
    load()
except UsageError as missing:
    pytest.skip(f"{missing}", allow_module_level=True)

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]
SOON = 60
STREAM_ID = "hunter2"


def publisher(folder: Path, port: int, stream_id: str) -> Program:
    command = [sys.executable, "-m", "tests.fakes.srt_caller", str(port), stream_id, "40"]
    return Program(folder / stream_id, stream_id, command, {"PYTHONPATH": str(ROOT)})


def test_an_srt_publisher_becomes_a_stream_and_no_secret_is_shown(tmp_path):
    """Who has the wrong stream id is told; the readings are in the state; Ctrl-C ends the event properly."""
    port, page = free_port(), free_port()
    query = f"streamid={STREAM_ID}&passphrase={PASSPHRASE.replace(' ', '%20')}&latency=60ms"
    where = ("--listen", f"srt://127.0.0.1:{port}?{query}", "--http", f"127.0.0.1:{page}")
    with abr(tmp_path, "live", *where, "--profile", "test", "--to", "public", "--log-json") as it:
        it.until("listening", lambda: it.log("listening"), SOON)
        wrong, right = publisher(tmp_path, port, "swordfish"), None
        try:
            assert wrong.wait(SOON).code != 0
            it.until("refusal", lambda: it.log("publisher refused"), SOON)
            right = publisher(tmp_path, port, STREAM_ID)
            it.until("feed", lambda: it.log("feed connected"), SOON)
            playlist = tmp_path / "public" / "live" / "144p" / "index.m3u8"
            it.until("playlist", playlist.is_file, SOON)
            with urllib.request.urlopen(f"http://127.0.0.1:{page}/api/state", timeout=5) as answer:
                state = json.load(answer)
            done = it.interrupt(SOON)
        finally:
            wrong.kill()
            if right is not None:
                right.kill()
    assert [line["reason"] for line in it.log("publisher refused")] == ["unknown stream id"]
    assert state["feed"]["link"]["latency"] == 60
    assert state["feed"]["link"]["packets"] > 0
    assert done.code == 0
    assert playlist.read_text().endswith("#EXT-X-ENDLIST\n")
    said = it.err + it.out + json.dumps(state)
    for secret in (STREAM_ID, PASSPHRASE, "swordfish", "Traceback"):
        assert secret not in said
