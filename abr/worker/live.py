"""A live event: the encoders of its ladder, fed by whichever feed is on air, until it is ended."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from abr.clock import MediaClock
from abr.config.ladder import resolve
from abr.config.settings import LiveSettings
from abr.errors import FeedRefused, MediaError
from abr.model.media import Track
from abr.model.segment import Release
from abr.model.time import NANO
from abr.transcode import load
from abr.transcode.decode import Decoder
from abr.transcode.filler import OnSlate
from abr.transcode.grid import LiveGrid
from abr.transcode.mixer import Mixer, Switch
from abr.transcode.selector import Condition, Rules, Selector
from abr.transcode.slate import Slate
from abr.transcode.source import Source
from abr.worker.delivery import Books, Delivery
from abr.worker.event import begin_session, end_session, live_cutters, open_session
from abr.worker.input import Input
from abr.worker.packager import Marks, Packager, Tally
from abr.worker.pipeline import Arrival, Encoders, FeedBegin, FeedEnd, Pipeline
from abr.worker.relief import Relief, relief_levels
from abr.worker.stage import Closed, Horizon, Inbox, Threads

_ROOM = 512
"""Packets that may wait for the decoder: some seconds of a feed; then its connection waits."""

_ALWAYS = ("repeated", "dropped")

SHOWN = ("repeated", "dropped", "surplus", "unused", "idle", "moved", "silence", "late", "early", "cut")
"""Counters of the grid that an operator reads: all that was lost, and what stands in its place."""


@dataclass(slots=True)
class Progress:
    """The newest release, for status."""

    sequence: int = -1
    released: int = 0
    end: int = 0
    """Its end, ns since the epoch."""


def _refuse_the_past(channel: str, books: Books) -> None:
    """Media time never goes back, even where the machine's clock does (DESIGN 3.7)."""
    ahead = books.journal.last_end(channel) - books.clock.wall()
    if ahead > 0:
        raise FeedRefused(
            f"the clock went back: the channel's last event ended {ahead / NANO:.1f} s from now",
            hint="set the clock, or publish again after that",
        )


def _rules(settings: LiveSettings) -> Rules:
    backup = settings.backup
    seconds = settings.loss.hold, backup.black, backup.frozen, backup.back
    return Rules(*(int(length * NANO) for length in seconds))


def _refused(decoder: Decoder) -> dict[str, int]:
    counts = decoder.stats()
    return {"refused": counts["errors"], "damaged": counts["corrupt"]}


class LiveEvent:
    """Made with its first feed's tracks, which fix the ladder; everything runs until `end`."""

    def __init__(
        self,
        tracks: Sequence[Track],
        settings: LiveSettings,
        books: Books,
        delivery: Delivery,
        slate: Slate,
    ) -> None:
        """Open the encoders and start. Raises ConfigError, EncoderMissing, MediaError, JournalError, SpoolError."""
        self._books, self._delivery = books, delivery
        _refuse_the_past(settings.channel, books)
        resolved = resolve(
            settings.profile, tracks, cores=os.cpu_count() or 1, silence=True, language=settings.language
        )
        for note in resolved.notes:
            books.log.info("rung left out" if "larger" in note else "ladder", note=note)
        self.ladder = resolved.ladder
        encoders = Encoders.open(self.ladder, steady=True)
        self.levels = {name: encoder.level for name, encoder in encoders.sounds.items()}
        opening = open_session(
            settings.channel, self.ladder, encoders, books.clock.wall(), hold=settings.hold
        )
        self.session = opening.session
        self.progress = Progress()
        self._forms: dict[int, str] = {}
        """The form of each input's pictures, in words."""
        self._made: Packager | None = None
        begin_session(opening, books, delivery)
        self.grid = self._grid(settings, slate)
        self._inputs = [item.name for item in settings.inputs]
        self.selector = Selector(len(self._inputs), _rules(settings))
        self.mixer = Mixer(self.grid, self.selector, self._switched)
        self._start(encoders, patience=int(settings.relief_after * NANO))

    def _grid(self, settings: LiveSettings, slate: Slate) -> LiveGrid:
        video = self.ladder.video
        return LiveGrid(
            self.ladder,
            hold=int(settings.hold * NANO),
            slate=slate.picture((video[0].width, video[0].height)) if video else None,
            slate_after=int(settings.loss.hold * NANO),
            slated=self._slated,
        )

    def _start(self, encoders: Encoders, *, patience: int) -> None:
        self.threads = Threads()
        self._scaler = encoders.scaler
        self._refused: dict[int, tuple[FeedBegin, MediaError]] = {}
        self._decoders: dict[int, Decoder] = {}
        self._undecodable: Counter[str] = Counter()
        """What decoders counted that are not used any more."""
        self.clock = MediaClock(self._books.clock, self._stepped)
        self._horizons = tuple(Horizon(self.clock) for _ in self._inputs)
        self.relief: Relief | None = None
        if self.ladder.video:
            levels, rules = relief_levels(self.ladder, encoders), load.Rules(patience=patience)
            self.relief = Relief(self.ladder, levels, self.clock, self._books.log, rules)
        pipeline = Pipeline(
            decoder=self._decoder,
            placer=self.mixer,
            encoders=encoders,
            packager=self._packager,
            horizons=self._horizons,
            room=_ROOM,
            refused=self._refuse,
            relief=self.relief,
        )
        self._arriving: list[Inbox[Arrival]] = pipeline.start(self.threads)

    def carry(self, feed: Input, place: int, changed: Callable[[], None]) -> None:
        """Read an input's feed to its end, in the calling thread; `changed` is told of each time it has other tracks.

        Raises MediaError for one that cannot be decoded, FeedUnreadable for one that cannot be opened again.
        """
        try:
            with self._ending(place):
                self._bring(feed, place, FeedBegin(feed.tracks))
                while feed.open_again():
                    changed()
                    self._bring(feed, place, FeedBegin(feed.tracks, again=True))
        except Closed:
            self.threads.check()

    @contextmanager
    def _ending(self, place: int) -> Iterator[None]:
        """However a feed ends, the input learns of it: else it stayed on air, dead."""
        try:
            yield
        finally:
            self._give(place, FeedEnd())

    def _bring(self, feed: Input, place: int, begin: FeedBegin) -> None:
        """What a feed brings with these tracks. Raises MediaError, Closed."""
        self._give(place, begin)
        for packets in feed.items():
            self._give(place, packets)
            self._check_refused(place, begin)
        self._check_refused(place, begin)

    def end(self) -> None:
        """Flush everything, then journal and origins learn that it is over. Raises StageFailed."""
        for arriving in self._arriving:
            arriving.end()
        self.threads.join()
        end_session(self.session, self._books, self._delivery)
        self.threads.check()

    def _decoder(self, place: int, tracks: Sequence[Track]) -> Decoder:
        uses = Source(tracks, self.ladder).uses
        decoder = Decoder(tracks, live=True, uses=uses, note=partial(self._see, place))
        if place in self._decoders:
            self._undecodable.update(_refused(self._decoders[place]))
        self._decoders[place] = decoder
        return decoder

    def undecodable(self) -> dict[str, int]:
        """Packets and frames that could not be decoded or converted, and frames that were damaged, since the event began."""
        total = Counter(self._undecodable)
        total["refused"] += self.grid.stats()["refused"] + (self._scaler.refused if self._scaler else 0)
        for decoder in tuple(self._decoders.values()):
            total.update(_refused(decoder))
        return dict(total)

    def _stepped(self, by: int) -> None:
        """The machine's clock was set: told by the clock."""
        self._books.log.warning(
            "clock set", seconds=round(by / NANO, 3), hint="the event follows it by 100 ppm"
        )

    def _see(self, place: int, form: str) -> None:
        """An input's pictures have another form: told by the decoder."""
        self._forms[place] = form
        self._books.log.info("pictures", form=form, **self._said(place))

    @property
    def pictures(self) -> str:
        """The form of the pictures on air, in words."""
        return self._forms.get(self.mixer.on_air or 0, "")

    def _said(self, place: int) -> dict[str, str | int]:
        """Which input, for the log where there are several."""
        return {"input": place + 1, "address": self._inputs[place]} if len(self._inputs) > 1 else {}

    def condition(self, place: int) -> Condition:
        """How an input is now, for status."""
        return self.selector.condition(place, self._horizons[place].now())

    def _switched(self, switch: Switch) -> None:
        """Another input is on air: told by the mixer."""
        if len(self._inputs) > 1 and switch.now is not None:
            self._books.log.info("input on air", reason=self._why(switch), **self._said(switch.now))

    def _why(self, switch: Switch) -> str:
        if self.selector.chosen == switch.now:
            return "chosen by hand"
        if switch.before is None:
            return "no other was on air"
        if switch.condition is Condition.GOOD:
            return "it is preferred and good again"
        return f"input {switch.before + 1} is {switch.condition}"

    def _refuse(self, place: int, begin: FeedBegin, error: MediaError) -> None:
        self._refused[place] = begin, error

    def _check_refused(self, place: int, begin: FeedBegin) -> None:
        """Raise the latest refusal of an input, if it is that of this feed and not of the one before."""
        refused = self._refused.get(place)
        if refused is not None and refused[0] is begin:
            raise refused[1]

    def tallies(self) -> Mapping[str, Tally]:
        """What each rendition has given so far; empty before the first packet."""
        return self._made.tallies if self._made else {}

    def counters(self) -> dict[str, int]:
        """What the grid had to mend since the event began."""
        counts = self.grid.stats()
        return {name: counts[name] for name in SHOWN}

    def summary(self) -> dict[str, int]:
        """What an event's last line says: frames repeated and dropped, and whatever else there was."""
        counts = self.counters() | self.undecodable()
        return {name: count for name, count in counts.items() if count or name in _ALWAYS}

    def _slated(self, slate: OnSlate) -> None:
        """The slate comes, or goes: told by the grid."""
        if slate.since is not None:
            self._books.log.warning("slate on air", reason="no picture")
        else:
            self._books.log.info("slate off air", total=round(slate.total / NANO, 1))

    def _first(self) -> int:
        first = self.grid.start
        assert first is not None  # the first packet comes after the grid's first picture
        return first

    def _give(self, place: int, arrival: Arrival) -> None:
        self._horizons[place].enter()
        self._arriving[place].put(arrival)

    def _packager(self) -> Packager:
        """Made with the first packet: then the grid knows where it begins."""
        cutters = live_cutters(self.session, self._first())
        books = self._books.journal, self._books.spool
        marks = Marks(slated=self.grid.filler.holds)
        if self.relief is not None:
            marks = marks._replace(shed=self.relief.shed)
        self._made = Packager(self.session, cutters, books, self._released, marks=marks)
        return self._made

    def _released(self, releases: Sequence[Release]) -> None:
        self._delivery.release(releases)
        newest = releases[-1]
        self.progress.released += len(releases)
        self.progress.sequence = newest.sequence
        self.progress.end = int((newest.number + 1) * self.session.duration * NANO)
