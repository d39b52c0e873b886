"""The life of a pulled source: opened, put on air, and opened again when it is lost."""

import math
import random
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from abr.clock import Clock
from abr.config.pull import PullAddress, parse_udp
from abr.errors import AbrError, EncoderMissing, FeedError, FeedLost, FeedRefused, MediaError
from abr.ingest.backoff import FIRST, GOOD, Backoff
from abr.ingest.feed import Feed
from abr.ingest.past import Past
from abr.ingest.source import Opener
from abr.ingest.udp import open_udp
from abr.log import Logger
from abr.model.time import NANO
from abr.worker.input import Input
from abr.worker.pulled import Pulled, Spawn

_CHANGES = 3
"""A live playlist is opened again behind its edge, where the new track may not be yet; but some can never be read."""

_LOOK = 1.0
"""Seconds of a pause between two looks at whether it is urgent."""


class Air(Protocol):
    """Where feeds go, and who says when it is over: `worker.channel.Channel`."""

    def take(self, feed: Feed) -> None: ...
    def carry(self, source: Input) -> None: ...
    def pause(self, seconds: float) -> bool: ...
    def urgency(self) -> float: ...
    def lose(self, failure: AbrError) -> None: ...
    def finish(self) -> None: ...


class _Lost(NamedTuple):
    """Why a source is not on air any more, and how long it was (ns)."""

    reason: str
    lasted: int = 0
    late: bool = False
    """Whether it is there, and only has another track."""


@dataclass(frozen=True, slots=True)
class _Pause:
    """What is waited for."""

    until: int
    attempt: int
    reason: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a puller is given. `private`: playlists may lead to private addresses."""

    clock: Clock
    log: Logger
    spawn: Spawn
    private: bool = False
    chance: Callable[[], float] = random.random


class Puller:
    """Keeps one source on air: a live one without limit, a file or film until its end."""

    def __init__(self, address: PullAddress, air: Air, around: Surroundings) -> None:
        self._address, self._air, self._around = address, air, around
        self._backoff = Backoff(around.chance)
        self._awaited = address.awaited
        """Whether it is live, as far as that is known by now."""
        self._pausing: _Pause | None = None
        self._past = Past()
        self._changes = 0
        """How many connections in a row ended because another track came."""
        self._opening = False
        self._opener = Opener(around.clock, air.pause, self._told, around.private)

    @property
    def state(self) -> str:
        """What is being waited for, for status; empty while it is on air."""
        pause = self._pausing
        left = 0 if pause is None else math.ceil((pause.until - self._around.clock.monotonic()) / NANO)
        if pause is None or left <= 0:
            return f"waiting for {self._address.name}" if self._opening else ""
        return f"reconnecting in {left} s, attempt {pause.attempt}, because {pause.reason}"

    def run(self) -> None:
        """Until the worker stops, the source ends at its end, or it can never be read."""
        self._around.log.info("pulling", source=self._address.name)
        while not self._air.pause(0.0):
            lost = self._try()
            if lost is None or (not lost.late and self._rest(lost)):
                return

    def _rest(self, lost: _Lost) -> bool:
        """Wait before the next attempt; whether to stop. What becomes urgent meanwhile waits no longer."""
        seconds = self._backoff.failed(lost.lasted, self._longest())
        self._told(seconds, self._backoff.attempt, lost.reason)
        now = self._around.clock.monotonic
        began, stopped = now(), False
        while not stopped and (left := min(seconds, self._longest()) - (now() - began) / NANO) > 0:
            stopped = self._air.pause(min(left, _LOOK))
        self._pausing = None
        return stopped

    def _longest(self) -> float:
        return max(float(FIRST), self._air.urgency())

    def _try(self) -> _Lost | None:
        """Open it and put it on air until it ends; None when it need not be opened again."""
        self._opening = True
        try:
            return self._take_feed() if self._address.scheme in {"srt", "udp"} else self._carry()
        except EncoderMissing as error:
            failure: AbrError = error
        except (FeedError, MediaError) as error:
            if self._awaited and not isinstance(error, FeedRefused):
                return _Lost(str(error))
            failure = error
        except AbrError as error:
            failure = error
        finally:
            self._opening = False
        self._air.lose(failure)
        return None

    def _take_feed(self) -> _Lost | None:
        feed = self._open_feed()
        self._opening = False
        began = self._around.clock.monotonic()
        try:
            self._air.take(feed)
        finally:
            feed.abort("it is not read any more")
        lasted = self._around.clock.monotonic() - began
        if self._address.scheme == "udp":
            lasted = max(lasted, GOOD)  # nobody is knocked at: its port should be open again soon
        return _Lost(feed.ended or "it ended", lasted)

    def _open_feed(self) -> Feed:
        around = self._around
        if self._address.scheme == "udp":
            address = parse_udp(self._address.location)
            return open_udp(
                address, clock=around.clock, spawn=around.spawn, stop=lambda: self._air.pause(0.0)
            )
        from abr.ingest.srt import open_srt_caller  # noqa: PLC0415 - libsrt is loaded when it is asked for

        try:
            return open_srt_caller(self._address.location, clock=around.clock)
        except FeedRefused as error:
            raise FeedLost(str(error)) from error  # the stream that is asked for may be there later

    def _carry(self) -> _Lost | None:
        spawn, watch = self._around.spawn, self._changes < _CHANGES
        with closing(Pulled(self._address, self._opener, spawn, self._past, watch=watch)) as source:
            self._opening, began = False, self._around.clock.monotonic()
            self._awaited = self._awaited or source.live
            self._air.carry(source)
            lasted = self._around.clock.monotonic() - began
            if self._air.pause(0.0):
                return None
            reason = source.ended or "it ended"
            self._changes = (self._changes if lasted < GOOD else 0) + 1 if source.late else 0
            if source.failed and source.live and not source.forbidden:
                return _Lost(reason, lasted, source.late)
            if source.failed:
                self._air.lose(FeedLost(f"--pull {self._address.name}: {reason}"))
            else:
                self._air.finish()
            return None

    def _told(self, seconds: float, attempt: int, reason: str) -> None:
        """Somebody waits for the source: one line, and what status shows until then."""
        until = self._around.clock.monotonic() + round(seconds * NANO)
        self._pausing = _Pause(until, attempt, reason)
        self._around.log.warning(
            "source lost",
            source=self._address.name,
            reason=reason,
            attempt=attempt,
            seconds=round(seconds, 1),
        )
