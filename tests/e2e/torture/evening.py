"""The script, played: publishers come and go, players watch, and a diary is kept."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from tests.e2e import browser
from tests.e2e.processes import ROOT, Finished, Program, abr, free_port
from tests.e2e.torture import programme
from tests.e2e.torture.diary import Diary
from tests.e2e.torture.programme import Files
from tests.e2e.torture.publisher import Plan, clock, pause
from tests.e2e.torture.script import Feed, Script, Watch
from tests.fakes.srt_caller import PASSPHRASE

LOOK = 1.0
"""Seconds from one look to the next."""
_SOON = 1.0
"""Until the camera's clock begins."""


class Moment(NamedTuple):
    """Something that is done at an instant of the camera's clock."""

    at: float
    what: str
    do: Callable[[], None]


@dataclass
class Evening:
    """One run. `folder` holds it all: the programme, the plans, what programs wrote, the origin `a`."""

    script: Script
    folder: Path
    began: float = 0.0
    """Monotonic clock."""
    began_wall: float = 0.0
    """The same instant of the wall clock."""
    publishers: dict[str, Program] = field(default_factory=dict)
    reports: list[dict[str, Any]] = field(default_factory=list)
    """Of the players, in order."""

    def __post_init__(self) -> None:
        self.rtmp, self.srt, self.http = free_port(), free_port(), free_port()
        self.channel = self.folder / "a" / "torture"
        self.diary = Diary(self.channel, f"http://127.0.0.1:{self.http}")
        self._players: list[browser.Player] = []

    def play(self) -> tuple[Program, Finished]:
        """All of it, until the worker has ended."""
        files = programme.make(self.script, self.folder)
        with ExitStack() as stack:
            site = stack.enter_context(browser.served(self.folder / "a"))
            worker = stack.enter_context(abr(self.folder, "live", *self._options()))
            stack.callback(self._end_publishers)
            worker.until("listening", lambda: len(worker.log("listening")) >= 2, 20)
            self.began, self.began_wall = time.monotonic() + _SOON, time.time() + _SOON
            for moment in sorted(self._moments(files, stack, site), key=lambda moment: moment.at):
                self._watch_until(moment.at, worker)
                self.note("moment", [round(clock(self.began), 2), moment.what])
                moment.do()
            self._watch_until(self.script.length, worker)
            self.diary.look()
            self.reports = [player.told() for player in self._players]
            done = worker.interrupt(60)
        return worker, done

    def _options(self) -> Iterator[str]:
        query = f"streamid=spare&passphrase={quote(PASSPHRASE)}&latency=120"
        yield from ("--listen", f"rtmp://127.0.0.1:{self.rtmp}/live/main")
        yield from ("--listen", f"srt://127.0.0.1:{self.srt}?{query}")
        yield from ("--profile", "test", "--to", "a", "--channel", "torture", "--grace", "5min")
        yield from ("--http", f"127.0.0.1:{self.http}", "--log-json")

    def _moments(self, files: Files, stack: ExitStack, site: str) -> Iterator[Moment]:
        script = self.script
        for feed in script.feeds:
            yield from self._visit(feed, partial(self._publish, feed, files))
        yield from self._visit(script.spare, partial(self._publish_spare, script.spare, files))
        stranger = Feed("stranger", script.stranger, key="guessed")
        yield Moment(stranger.begin, "stranger", partial(self._publish, stranger, files))
        for watch in script.watches:
            yield Moment(watch.span.begin, watch.player, partial(self._watch, watch, stack, site))

    def _visit(self, feed: Feed, begin: Callable[[], None]) -> Iterator[Moment]:
        yield Moment(feed.begin, feed.name, begin)
        if feed.killed is not None:
            yield Moment(feed.killed, f"{feed.name} killed", partial(self._kill, feed.name))

    def _kill(self, name: str) -> None:
        self.publishers[name].kill()

    def _publish(self, feed: Feed, files: Files) -> None:
        plan = self.folder / f"{feed.name}.json"
        Plan.of(self.script, feed, port=self.rtmp, began=self.began, files=(files.usual, files.other)).write(
            plan
        )
        self._start(feed.name, "tests.e2e.torture.publisher", str(plan))

    def _publish_spare(self, feed: Feed, files: Files) -> None:
        place = (str(self.srt), feed.key, str(files.stream), str(self.began))
        self._start(feed.name, "tests.e2e.torture.spare", *place)

    def _start(self, name: str, module: str, *arguments: str) -> None:
        command = [sys.executable, "-m", module, *arguments]
        folder = self.folder / "publishers"
        self.publishers[name] = Program(folder, name, command, {"PYTHONPATH": str(ROOT)})

    def _watch(self, watch: Watch, stack: ExitStack, site: str) -> None:
        url = f"{site}/torture/{watch.entry}"
        length = int(watch.span.end - watch.span.begin)
        run = stack.enter_context(browser.playing(self.folder, watch.player, url, length))
        self._players.append(run)

    def _watch_until(self, at: float, worker: Program) -> None:
        """Look at everything each second, until the camera's time `at`."""
        while clock(self.began) < at:
            pause(min(at, clock(self.began) + LOOK), self.began)
            assert worker.code is None, worker.err[-3000:]
            if self.channel.is_dir():
                self.diary.look()

    def _end_publishers(self) -> None:
        for publisher in self.publishers.values():
            publisher.kill()

    def note(self, name: str, what: object) -> None:
        """Leave a figure in the run's folder."""
        with (self.folder / "figures.jsonl").open("a") as file:
            file.write(json.dumps({name: what}, default=str) + "\n")
