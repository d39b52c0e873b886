"""The worker's page in a real browser: its buttons obey whoever knows the token."""

from pathlib import Path

import pytest

from abr.clock import SystemClock
from abr.config.secret import Secret
from abr.metrics import Metrics
from abr.model.state import InputState, Phase, State
from abr.status.control import Control
from abr.status.http import Site, StatusServer
from abr.worker.stage import Threads
from tests.e2e import browser

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

INPUTS = tuple(
    InputState(name, "", "good", on_air=name == "main", chosen=False) for name in ("main", "spare")
)


def test_the_buttons_ask_for_the_token_once_and_again_when_it_was_wrong(tmp_path: Path) -> None:
    browser.needed()
    chosen: list[int | None] = []
    control = Control(2, chosen.append, Secret("hunter2hunter2"))
    state = State("main", Phase.WAITING, inputs=INPUTS)
    site = Site("main", lambda: state, Metrics(), SystemClock(), None, control)
    server, threads = StatusServer("127.0.0.1", 0, site), Threads()
    server.start(threads.spawn)
    try:
        report = browser.choosing(tmp_path, f"{server.url}/", "wrong", "hunter2hunter2")
    finally:
        server.close()
    assert len(report["asked"]) == 2
    refused, obeyed = [403, "show the token (Authorization: Bearer …)\n"], [200, "input 2\n"]
    assert report["told"] == [refused, obeyed, obeyed]
    assert chosen == [1, 1]
