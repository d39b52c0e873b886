"""The life of a live channel: it waits for feeds, makes events of them, and ends them."""

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from abr.config.settings import LiveSettings
from abr.errors import AbrError, EncoderMissing, FeedUnreadable, StageFailed, UsageError
from abr.ingest.feed import Feed
from abr.model.state import FeedState, Phase
from abr.model.time import NANO
from abr.worker.delivery import Books, Delivery
from abr.worker.input import Input, Published
from abr.worker.live import LiveEvent

_REOPENED = 16
"""How often a feed may change its tracks: each time costs a new decoder."""


class Channel:
    """One channel. Feeds come in threads of their own (`take`), `run` lives in the main thread."""

    def __init__(self, settings: LiveSettings, books: Books, delivery: Delivery) -> None:
        self._settings, self._books, self._delivery = settings, books, delivery
        self._log = books.log
        self._air = threading.Lock()
        """Held by the feed that is on air: one at a time."""
        self._changed = threading.Condition()
        self._stopping = False
        self._lost_at: int | None = None
        self.failure: AbrError | None = None
        self._events = 0
        self._feed: Feed | None = None
        self._source: Input | None = None
        self.event: LiveEvent | None = None
        self.phase = Phase.WAITING
        self.feed: FeedState | None = None

    def take(self, feed: Feed) -> None:
        """Read a publisher's feed to its end, in its connection's thread."""
        with self._air:
            self._feed = feed
            try:
                self._read(feed)
            except AbrError as error:
                self._log.warning("feed unusable", feed=feed.name, reason=str(error))
                feed.abort(str(error))
            except Exception as error:  # noqa: BLE001 - whatever a publisher sends, the worker goes on
                self._log.error("feed failed", feed=feed.name, reason=f"{type(error).__name__}: {error}")
                feed.abort("it could not be read")
            finally:
                self._feed = None

    def carry(self, source: Input) -> None:
        """Put an opened input on air until it ends. Raises what keeps an event from beginning."""
        with self._changed:
            if self._stopping:
                return
            event = self.event or self._begin(source)
            self._lost_at = None
            self._source = source
            self.feed = seen = _described(source, self._books.clock.wall())
            self._phase(Phase.LIVE)
        self._log.info("feed connected", feed=source.name, video=seen.video, audio=seen.audio)
        try:
            event.carry(source)
        finally:
            self._log.info("feed ended", feed=source.name, reason=source.ended or "stopped")
            with self._changed:
                self.feed = self._source = None
                self._lost_at = self._books.clock.monotonic()
                if event is self.event:
                    self._phase(Phase.GRACE)

    def run(self, check: Callable[[], None]) -> None:
        """Wait for events and end them, until `stop`, or the first one's end with `once`.

        `check` raises what must end the worker. It is asked while no event runs: whoever fails calls `stop` too,
        so an event is ended first and nothing encoded is lost. Raises StageFailed.
        """
        while not self._finished():
            if self.event is None:
                check()
            with self._changed:
                self._changed.wait(self._pause())
                over = self.event is not None and self._is_over()
            if over:
                self._end()

    def stop(self) -> None:
        """End the event and then `run`. Called from any thread."""
        with self._changed:
            self._stopping = True
            feed = self._feed
            self._changed.notify_all()
        if feed is not None:
            feed.abort("the worker is stopping")

    def pause(self, seconds: float) -> bool:
        """Wait, and answer whether to stop: for a file that is read at its own pace."""
        with self._changed:
            return self._changed.wait_for(lambda: self._stopping or self._failed(), seconds)

    def over(self) -> bool:
        """Whether `run` ends, or has to."""
        return self._stopping or self.failure is not None or self._failed()

    def current_feed(self) -> FeedState | None:
        """The feed on air, with what it has received by now."""
        feed, source = self.feed, self._source
        return replace(feed, received=source.received) if feed and source else feed

    def lose(self, failure: AbrError) -> None:
        """Something without which no event can begin has failed."""
        with self._changed:
            self.failure = self.failure or failure
            self._changed.notify_all()

    def _read(self, feed: Feed) -> None:
        """A feed whose tracks change is opened again; the event goes on, on the same time line."""
        with closing(Published(feed)) as source:
            self.carry(source)
            for _ in range(_REOPENED):
                if not source.reopen:
                    return
                source.open_again()
                self.carry(source)
            feed.abort("its tracks change all the time")

    def _begin(self, source: Input) -> LiveEvent:
        try:
            event = LiveEvent(source.tracks, self._settings, self._books, self._delivery)
        except (UsageError, EncoderMissing) as error:
            self.lose(error)  # no other feed would change it
            raise
        event.threads.on_failure(self._wake)
        self._log.info("event began", id=event.session.event, rungs=", ".join(event.ladder.names))
        self.event = event
        return event

    def _end(self) -> None:
        event = self.event
        assert event is not None
        self._phase(Phase.ENDING)
        try:
            event.end()
        except StageFailed as failure:
            self.failure = failure
        if self._settings.pull is not None and not event.progress.released:
            self.lose(
                FeedUnreadable(f"--pull {self._settings.pull.name} gave too little media for one segment")
            )
        with self._changed:
            self.event = None
            self._events += 1
            self._phase(Phase.WAITING)
        self._log.info(
            "event ended",
            id=event.session.event,
            segments=event.progress.released,
            **event.counters(),
        )

    def _failed(self) -> bool:
        return self.event is not None and self.event.threads.failure is not None

    def _is_over(self) -> bool:
        if self._failed():
            return True
        if self.feed is not None:
            return False
        if self._stopping or self._settings.pull is not None:
            return True
        return self._grace_left() <= 0

    def _grace_left(self) -> float:
        if self._lost_at is None:
            return 1.0
        gone = self._books.clock.monotonic() - self._lost_at
        return float(self._settings.grace) - gone / NANO

    def _pause(self) -> float:
        return max(0.0, min(1.0, self._grace_left()))

    def _finished(self) -> bool:
        if self.event is not None:
            return False
        if self.failure is not None:
            raise self.failure
        return self._stopping or (self._settings.once and self._events > 0)

    def _phase(self, phase: Phase) -> None:
        with self._changed:
            self.phase = phase
            self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


def _described(source: Input, wall: int) -> FeedState:
    video = audio = ""
    for track in source.tracks:
        if track.width and not video:
            rate = f" {float(track.frame_rate):g} fps" if track.frame_rate else ""
            video = f"{track.codec} {track.width}x{track.height}{rate}"
        elif track.sample_rate and not audio:
            audio = f"{track.codec} {track.sample_rate / 1000:g} kHz"
    return FeedState(source.name, video, audio, 0, wall)
