"""The way of the data, thread by thread: feed → decode → grid → scale → encode each rung → package."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

from abr.errors import MediaError
from abr.model.ladder import Ladder
from abr.model.media import Absent, EncodedPacket, Gap, Packet, Track
from abr.model.stage import Stage
from abr.transcode.audio import AudioEncoder
from abr.transcode.decode import Decoder
from abr.transcode.frame import Decoded, Placed, Sound
from abr.transcode.ladder import RungEncoder, RungFrame, ScaledLadder
from abr.worker.packager import Packager
from abr.worker.stage import Horizon, Inbox, Threads, run_stage

_DECODED = 2
_FRAMES = 1
_SOUNDS = 4
_PACKETS = 64
_TOGETHER = 32
"""Packets of a rendition that are handed on together, at most."""


class FeedBegin(NamedTuple):
    """A feed goes on air: what follows is decoded as these tracks."""

    tracks: tuple[Track, ...]
    again: bool = False
    """The feed on air goes on, on the same time line, with these tracks instead."""


class FeedEnd(NamedTuple):
    """The feed on air has ended; another may follow."""


Arrival = FeedBegin | FeedEnd | Sequence[Packet | Gap]


class Frames(NamedTuple):
    """What one arrival became. A feed that begins does so after these frames, one that ends too."""

    items: Sequence[Decoded]
    begin: FeedBegin | None = None
    end: bool = False


Sent = tuple[int, Frames]
"""The input that frames come from, and they."""


class Placer(Protocol):
    """Puts the frames of one or several inputs in their places: `transcode.mixer.Mixer`, or a film's.

    `place` says which input; the rest is as in `model.stage.Stage`.
    """

    @property
    def on_air(self) -> int | None:
        """The input that is on air."""
        ...

    def begin_feed(self, place: int, tracks: Sequence[Track], now: int) -> None: ...
    def change_tracks(self, place: int, tracks: Sequence[Track], now: int) -> None: ...
    def end_feed(self, place: int, now: int) -> None: ...
    def take(self, place: int, item: Decoded, now: int) -> list[Placed]: ...
    def tick(self, now: int) -> list[Placed]: ...
    def due(self) -> int | None: ...
    def flush(self) -> list[Placed]: ...


@dataclass(frozen=True, slots=True)
class Encoders:
    """The open encoders of a ladder, and what scales for them."""

    scaler: ScaledLadder | None
    """None for a ladder of sound alone."""
    rungs: tuple[RungEncoder, ...]
    sounds: Mapping[str, AudioEncoder]

    @classmethod
    def open(cls, ladder: Ladder, *, steady: bool) -> "Encoders":
        """Open all encoders; `steady` is live output, whose sound is measured. Raises EncoderMissing, ConfigError, MediaError."""
        return cls(
            ScaledLadder(ladder, steady=steady) if ladder.video else None,
            tuple(RungEncoder(target, steady=steady) for target in ladder.video),
            {target.name: AudioEncoder(target, measured=steady) for target in ladder.audio},
        )


Encoder = RungEncoder | AudioEncoder
Refused = Callable[[FeedBegin, MediaError], None]
RefusedAt = Callable[[int, FeedBegin, MediaError], None]
Packed = tuple[str, list[EncodedPacket] | Absent | None]
"""A rendition's name and its next packets, or the word that none come for a while; None when it has ended."""


class Relieving(Protocol):
    """Takes work from rungs when the machine is too slow: `worker.relief.Relief`."""

    clock: Callable[[], int]

    def admit(self, frame: RungFrame) -> RungFrame | Absent | None: ...
    def see(self, due: int | None) -> None: ...
    def worked(self, frame: RungFrame, work: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Everything between a feed and the journal."""

    decoder: Callable[[int, Sequence[Track]], Decoder]
    """For an input and its tracks."""
    placer: Placer
    encoders: Encoders
    packager: Callable[[], Packager]
    """Called with the first packet: by then the placer knows where the stream begins."""
    horizons: Sequence[Horizon]
    """One an input."""
    room: int
    """Arrivals that may wait for the decoder of an input."""
    refused: RefusedAt | None = None
    """Told of an input's feed that cannot be decoded, of which nothing more is taken; without it that ends the pipeline."""
    relief: Relieving | None = None
    """Asked about every frame of live output; a film takes its time."""

    def start(self, threads: Threads) -> list[Inbox[Arrival]]:
        """Start all threads; answer where the packets of each input go in. Their ends end them, one after another."""
        arriving: list[Inbox[Arrival]] = [threads.inbox(self.room) for _ in self.horizons]
        decoded: Inbox[Sent] = threads.inbox(_DECODED)
        running = list(range(len(arriving)))
        rungs: list[Inbox[RungFrame | Absent]] = [threads.inbox(_FRAMES) for _ in self.encoders.rungs]
        sounds: dict[str, Inbox[Sound]] = {name: threads.inbox(_SOUNDS) for name in self.encoders.sounds}
        packed: Inbox[Packed] = threads.inbox(_PACKETS)

        for place, inbox in enumerate(arriving):
            name = f"decode {place + 1}" if place else "decode"
            threads.spawn(name, partial(self._decode, place, inbox, decoded, running))
        threads.spawn("grid", lambda: self._place(decoded, rungs, sounds))
        for rung, frames in zip(self.encoders.rungs, rungs, strict=True):
            threads.spawn(f"encode {rung.encoding.name}", partial(_encode, rung, frames, packed, self.relief))
        for name, sound in self.encoders.sounds.items():
            threads.spawn(f"encode {name}", partial(_encode, sound, sounds[name], packed))
        threads.spawn("package", lambda: self._package(packed, len(rungs) + len(sounds)))
        return arriving

    def _decode(self, place: int, arriving: Inbox[Arrival], decoded: Inbox[Sent], running: list[int]) -> None:
        refused = partial(self.refused, place) if self.refused else None
        decoding = _Decoding(partial(self.decoder, place), refused)
        try:
            while (items := arriving.get(None)) is not None:
                for arrival in items:
                    decoded.put((place, decoding.take(arrival)))
        finally:
            decoding.rest()
        running.remove(place)
        if not running:
            decoded.end()

    def _place(
        self,
        decoded: Inbox[Sent],
        rungs: Sequence[Inbox[RungFrame | Absent]],
        sounds: Mapping[str, Inbox[Sound]],
    ) -> None:
        scaler, relief = self.encoders.scaler, self.relief

        def hand_on(placed: Sequence[Placed]) -> None:
            for item in placed:
                if isinstance(item, Sound):
                    sounds[item.rendition].put(item)
                elif scaler is not None:
                    give(scaler.scale(item))

        def give(frames: Sequence[RungFrame]) -> None:
            for rung, item in _admitted(frames, relief):
                rungs[rung].put(item)

        feeds = _Feeds(self.placer, self.horizons, relief)
        run_stage(feeds, decoded, hand_on, feeds.now)
        if scaler is not None:
            give(scaler.flush())
        for frames in rungs:
            frames.end()
        for sound in sounds.values():
            sound.end()

    def _package(self, packed: Inbox[Packed], running: int) -> None:
        packager: Packager | None = None
        while running:
            for name, packets in packed.get(None) or ():
                if packets is None:
                    running -= 1
                    continue
                packager = packager or self.packager()
                if isinstance(packets, Absent):
                    packager.skip(name, packets.until)
                else:
                    packager.push(name, packets)
        if packager is not None:
            packager.flush()


class _Decoding:
    """The decoder of the feed on air."""

    def __init__(self, make: Callable[[Sequence[Track]], Decoder], refused: Refused | None = None) -> None:
        self._make = make
        self._refused = refused
        self._feed = FeedBegin(())
        self._decoder: Decoder | None = None

    def take(self, arrival: Arrival) -> Frames:
        try:
            return self._decoded(arrival)
        except MediaError as error:
            if self._refused is None:
                raise
            rest, self._decoder = self.rest(), None
            self._refused(self._feed, error)
            return Frames(rest)

    def _decoded(self, arrival: Arrival) -> Frames:
        if isinstance(arrival, FeedBegin):
            rest, self._decoder = self.rest(), None
            self._feed = arrival
            self._decoder = self._make(arrival.tracks)
            return Frames(rest, begin=arrival)
        if isinstance(arrival, FeedEnd):
            return Frames(self.rest(), end=True)
        decoder = self._decoder
        return Frames([frame for packet in arrival for frame in decoder.push(packet)] if decoder else ())

    def rest(self) -> list[Decoded]:
        """What is still inside.

        A decoder is never let go of with work in its threads: PyAV frees it with the interpreter's lock held and
        waits for them, and they need the lock to give back their packets.
        """
        return self._decoder.flush() if self._decoder else []


class _Feeds:
    """The placer as a stage over whole arrivals, so that their input's horizon advances with each."""

    def __init__(self, placer: Placer, horizons: Sequence[Horizon], relief: Relieving | None = None) -> None:
        self._placer, self._relief = placer, relief
        self._horizons = horizons

    def now(self) -> int:
        """How far time has come for the input on air: one that waits in the background holds nothing up."""
        return self._horizons[self._placer.on_air or 0].now()

    def push(self, item: Sent, now: int) -> list[Placed]:
        place, frames = item
        placed = [output for frame in frames.items for output in self._placer.take(place, frame, now)]
        if frames.end:
            self._placer.end_feed(place, now)
        if frames.begin is not None:
            self._begin(place, frames.begin, now)
        self._horizons[place].leave()
        return placed

    def _begin(self, place: int, feed: FeedBegin, now: int) -> None:
        if feed.again:
            self._placer.change_tracks(place, feed.tracks, now)
        else:
            self._placer.begin_feed(place, feed.tracks, now)

    def tick(self, now: int) -> list[Placed]:
        return self._placer.tick(now)

    def due(self) -> int | None:
        due = self._placer.due()
        if self._relief is not None:
            self._relief.see(due)
        return due

    def flush(self) -> list[Placed]:
        return self._placer.flush()


def _admitted(
    frames: Sequence[RungFrame], relief: Relieving | None
) -> Iterator[tuple[int, RungFrame | Absent]]:
    """What the encoders get, each with its rung."""
    for frame in frames:
        item = frame if relief is None else relief.admit(frame)
        if item is not None:
            yield frame.rung, item


def _encode(
    encoder: Encoder, inbox: Inbox[Any], packed: Inbox[Packed], relief: Relieving | None = None
) -> None:
    """Packets are handed on when a key frame is among them: until then no segment can end."""
    name = encoder.encoding.name
    waiting: list[EncodedPacket] = []

    def hand_on(packets: Sequence[EncodedPacket | Absent]) -> None:
        nonlocal waiting
        absent = None
        for packet in packets:
            if isinstance(packet, Absent):
                absent = packet
            else:
                waiting.append(packet)
        if absent or len(waiting) >= _TOGETHER or any(packet.key for packet in waiting):
            packed.put((name, waiting))
            waiting = []
        if absent:
            packed.put((name, absent))

    stage: Stage[Any, Any] = encoder if relief is None else _Timed(encoder, relief)
    run_stage(stage, inbox, hand_on, _no_clock)
    if waiting:  # an event may end without a single frame
        packed.put((name, waiting))
    packed.put((name, None))


class _Timed:
    """A rung's encoder that tells how long each frame took."""

    def __init__(self, stage: Stage[Any, Any], relief: Relieving) -> None:
        self._stage, self._relief = stage, relief
        self.tick, self.due, self.flush = stage.tick, stage.due, stage.flush

    def push(self, item: RungFrame | Absent, now: int) -> list[EncodedPacket | Absent]:
        begun = self._relief.clock()
        packets = self._stage.push(item, now)
        if isinstance(item, RungFrame):
            self._relief.worked(item, self._relief.clock() - begun)
        return packets


def _no_clock() -> int:
    """An encoder knows no time but that of its frames."""
    return 0
