"""The life of a live channel: it waits for feeds, makes events of them, and ends them."""

import math
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial

from abr.config.settings import LiveSettings
from abr.errors import AbrError, EncoderMissing, FeedUnreadable, UsageError
from abr.ingest.feed import Feed
from abr.ingest.tap import Recorder
from abr.model.state import FeedState, InputState, Phase
from abr.model.time import NANO
from abr.transcode.slate import Slate
from abr.worker.delivery import Books, Delivery
from abr.worker.input import Input, Published
from abr.worker.live import LiveEvent
from abr.worker.place import Place, described
from abr.worker.puller import Puller

_ATTEMPTS = 6
"""How often a source that is away is asked for within the grace."""


class Channel:
    """One channel. Feeds come in threads of their own (`take`), `run` lives in the main thread."""

    def __init__(self, settings: LiveSettings, books: Books, delivery: Delivery, slate: Slate) -> None:
        self._settings, self._books, self._delivery = settings, books, delivery
        self._slate = slate
        self._log = books.log
        self._places = [Place() for _ in settings.inputs]
        self._changed = threading.Condition()
        self._stopping = False
        self._done = False
        """Whether no feed comes any more."""
        self._chosen: int | None = None
        self._lost_at: int | None = None
        self.failure: AbrError | None = None
        self._events = 0
        self.event: LiveEvent | None = None
        self.phase = Phase.WAITING
        self.recorder: Recorder | None = None
        """Keeps what publishers send."""

    def entry(self, place: int) -> "Entry":
        """Where the feeds of an input go."""
        return Entry(self, place)

    def take(self, feed: Feed, place: int = 0) -> None:
        """Read an input's feed to its end, in its connection's thread."""
        with self._places[place].lock:
            self._places[place].feed = feed
            try:
                self._read(feed, place)
            except AbrError as error:
                self._log.warning("feed unusable", feed=feed.name, reason=str(error))
                feed.abort(str(error))
            except Exception as error:  # noqa: BLE001 - whatever a publisher sends, the worker goes on
                self._log.error("feed failed", feed=feed.name, reason=f"{type(error).__name__}: {error}")
                feed.abort("it could not be read")
            finally:
                self._places[place].feed = None

    def carry(self, source: Input, place: int = 0) -> None:
        """Give the event an input's feed until that ends; while an event ends, wait and begin the next.

        Raises what keeps an event from beginning, and what makes the feed unusable.
        """
        own = self._places[place]
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self.phase is not Phase.ENDING)
            if self._stopping or (self.event is None and self._closed()):
                return
            event = self.event or self._begin(source)
            self._lost_at = None
            own.source = source
            own.seen = seen = described(source, self._books.clock.wall())
            self._phase(Phase.LIVE)
        self._log.info("feed connected", feed=source.name, video=seen.video, audio=seen.audio)
        try:
            event.carry(source, place, partial(self._see_again, own, source, seen.since))
        finally:
            self._log.info("feed ended", feed=source.name, reason=source.ended or "stopped")
            with self._changed:
                own.mended = own.repairs()
                own.source = own.seen = None
                self._lost_at = self._books.clock.monotonic()
                if self.phase is Phase.LIVE and not self._fed():
                    self._phase(Phase.GRACE)

    def _see_again(self, own: Place, source: Input, since: int) -> None:
        """A feed goes on with other tracks."""
        own.seen = seen = described(source, since)
        self._log.info("feed changed", feed=source.name, video=seen.video, audio=seen.audio)

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
                if over:  # under the lock: no feed comes in between
                    self._phase(Phase.ENDING)
            if over:
                self._end()

    def stop(self) -> None:
        """End the event and then `run`. Called from any thread."""
        with self._changed:
            self._stopping = True
            feeds = [own.feed for own in self._places]
            self._changed.notify_all()
        for feed in feeds:
            if feed is not None:
                feed.abort("the worker is stopping")

    def pause(self, seconds: float) -> bool:
        """Wait, and answer whether to stop: for a file that is read at its own pace."""
        with self._changed:
            return self._changed.wait_for(lambda: self._stopping or self._failed(), seconds)

    def urgency(self) -> float:
        """Seconds between two attempts at a source that is away: several fall into the grace of an event."""
        waiting = self.phase is Phase.GRACE and self._grace_left() > 0
        return float(self._settings.grace) / _ATTEMPTS if waiting else math.inf

    def over(self) -> bool:
        """Whether `run` ends, or has to."""
        return self._stopping or self._done or self.failure is not None or self._failed()

    def current_feed(self) -> FeedState | None:
        """The feed on air, with what it has received by now; while none is, the first that there is."""
        event = self.event
        on_air = event.mixer.on_air if event is not None else None
        places = self._places if on_air is None else [self._places[on_air], *self._places]
        return next(filter(None, (own.now() for own in places)), None)

    def repairs(self) -> dict[str, int]:
        """What was wrong with the feeds of all inputs and was repaired since the worker began."""
        return dict(sum((own.repairs() for own in self._places), Counter[str]()))

    def inputs(self) -> tuple[InputState, ...]:
        """All inputs, the preferred one first; none where there is only one."""
        if len(self._places) == 1:
            return ()
        event = self.event
        return tuple(
            InputState(
                address.name,
                own.puller.state if own.puller else "",
                str(event.condition(place)) if event and own.seen else "away",
                on_air=event is not None and event.mixer.on_air == place,
                chosen=self._chosen == place,
                link=own.link(),
            )
            for place, (address, own) in enumerate(zip(self._settings.inputs, self._places, strict=True))
        )

    def pulled_by(self, place: int, puller: Puller) -> None:
        """Whom to ask what an input waits for."""
        self._places[place].puller = puller

    @property
    def pull(self) -> str:
        """What the only input waits for, where it is pulled."""
        own = self._places[0]
        return own.puller.state if own.puller and len(self._places) == 1 else ""

    def choose(self, place: int | None) -> None:
        """Put an input on air by hand, now and in later events, or leave it to the rules again (None)."""
        with self._changed:
            self._chosen = place
            if self.event is not None:
                self.event.selector.choose(place)
        self._log.info("input chosen", input="auto" if place is None else place + 1)

    def lose(self, failure: AbrError) -> None:
        """Something without which no event can begin has failed."""
        with self._changed:
            self.failure = self.failure or failure
            self._changed.notify_all()

    def finish(self, place: int = 0) -> None:
        """What was pulled has come to its end. When all inputs have, the event ends, and no other begins."""
        with self._changed:
            self._places[place].over = True
            self._done = all(own.over for own in self._places)
            self._changed.notify_all()

    def give_up(self, place: int, failure: AbrError) -> None:
        """An input can never be read: without another one the worker ends."""
        others = any(not own.over for other, own in enumerate(self._places) if other != place)
        if not others or isinstance(failure, EncoderMissing):
            self.lose(failure)
        else:
            self._log.warning("input given up", input=place + 1, reason=str(failure))
            self.finish(place)

    def _fed(self) -> bool:
        return any(own.seen for own in self._places)

    def _read(self, feed: Feed, place: int) -> None:
        clock, past = self._books.clock, self._places[place].past
        with self._recorded(feed) as tapped:
            source = Published(tapped, clock, past, returning=self.event is not None)
            with closing(source):
                self.carry(source, place)

    def _recorded(self, feed: Feed) -> AbstractContextManager[Feed]:
        return nullcontext(feed) if self.recorder is None else self.recorder.tapped(feed)

    def _begin(self, source: Input) -> LiveEvent:
        try:
            event = LiveEvent(source.tracks, self._settings, self._books, self._delivery, self._slate)
        except (UsageError, EncoderMissing) as error:
            self.lose(error)  # no other feed would change it
            raise
        event.threads.on_failure(self._wake)
        event.selector.choose(self._chosen)
        self._log.info("event began", id=event.session.event, rungs=", ".join(event.ladder.names))
        self.event = event
        return event

    def _end(self) -> None:
        event = self.event
        assert event is not None
        try:
            event.end()
        except AbrError as failure:
            self.failure = failure
        if self._done and not event.progress.released:
            names = ", ".join(address.name for address in self._settings.inputs)
            self.lose(FeedUnreadable(f"--pull {names} gave too little media for one segment"))
        with self._changed:
            self.event = None
            self._events += 1
            self._phase(Phase.WAITING)
        self._log.info(
            "event ended",
            id=event.session.event,
            segments=event.progress.released,
            **event.summary(),
        )

    def _failed(self) -> bool:
        return self.event is not None and self.event.threads.failure is not None

    def _is_over(self) -> bool:
        if self._failed():
            return True
        if self._fed():
            return False
        if self._stopping or self._done or self.failure is not None:
            return True
        return self._settings.loss.ends and self._grace_left() <= 0

    def _grace_left(self) -> float:
        if self._lost_at is None:
            return 1.0
        gone = self._books.clock.monotonic() - self._lost_at
        return float(self._settings.grace) - gone / NANO

    def _pause(self) -> float:
        return max(0.0, min(1.0, self._grace_left())) if self._settings.loss.ends else 1.0

    def _finished(self) -> bool:
        if self.event is not None:
            return False
        if self.failure is not None:
            raise self.failure
        return self._closed()

    def _closed(self) -> bool:
        """Whether no event begins any more."""
        one = self._settings.once and self._events > 0
        return self._stopping or self._done or self.failure is not None or one

    def _phase(self, phase: Phase) -> None:
        with self._changed:
            self.phase = phase
            self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


class Entry:
    """One input of a channel, for whoever brings its feeds (`worker.puller.Air`)."""

    def __init__(self, channel: Channel, place: int) -> None:
        self._channel, self._place = channel, place

    def take(self, feed: Feed) -> None:
        """Read a feed to its end."""
        self._channel.take(feed, self._place)

    def carry(self, source: Input) -> None:
        """Give the event an opened input until that ends."""
        self._channel.carry(source, self._place)

    def pause(self, seconds: float) -> bool:
        """Wait, and answer whether to stop."""
        return self._channel.pause(seconds)

    def urgency(self) -> float:
        """Seconds between two attempts at what is away."""
        return self._channel.urgency()

    def lose(self, failure: AbrError) -> None:
        """It can never be read."""
        self._channel.give_up(self._place, failure)

    def finish(self) -> None:
        """It has come to its end."""
        self._channel.finish(self._place)

    def pulled_by(self, puller: Puller) -> None:
        """Whom to ask what is waited for."""
        self._channel.pulled_by(self._place, puller)
