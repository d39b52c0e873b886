"""The way of the data, thread by thread: feed → decode → grid → scale → encode each rung → package."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

from abr.errors import MediaError
from abr.model.ladder import Ladder
from abr.model.media import EncodedPacket, Gap, Packet, Track
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


class Placer(Stage[Decoded, Placed], Protocol):
    """Puts frames in their places: `transcode.grid.LiveGrid` or `transcode.film.Film`."""

    def begin_feed(self, tracks: Sequence[Track]) -> None: ...
    def change_tracks(self, tracks: Sequence[Track]) -> None: ...
    def end_feed(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Encoders:
    """The open encoders of a ladder, and what scales for them."""

    scaler: ScaledLadder | None
    """None for a ladder of sound alone."""
    rungs: tuple[RungEncoder, ...]
    sounds: Mapping[str, AudioEncoder]

    @classmethod
    def open(cls, ladder: Ladder, *, steady: bool) -> "Encoders":
        """Open all encoders. Raises EncoderMissing, ConfigError, MediaError."""
        return cls(
            ScaledLadder(ladder, steady=steady) if ladder.video else None,
            tuple(RungEncoder(target, steady=steady) for target in ladder.video),
            {target.name: AudioEncoder(target) for target in ladder.audio},
        )


Encoder = RungEncoder | AudioEncoder
Refused = Callable[[FeedBegin, MediaError], None]
Packed = tuple[str, list[EncodedPacket] | None]
"""A rendition's name and its next packets; None when it has ended."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Everything between a feed and the journal."""

    decoder: Callable[[Sequence[Track]], Decoder]
    placer: Placer
    encoders: Encoders
    packager: Callable[[], Packager]
    """Called with the first packet: by then the placer knows where the stream begins."""
    horizon: Horizon
    room: int
    """Arrivals that may wait for the decoder."""
    refused: "Refused | None" = None
    """Told of a feed that cannot be decoded, of which nothing more is taken; without it that ends the pipeline."""

    def start(self, threads: Threads) -> Inbox[Arrival]:
        """Start all threads; answer where a feed's packets go in. Its end ends them, one after another."""
        arriving: Inbox[Arrival] = threads.inbox(self.room)
        decoded: Inbox[Frames] = threads.inbox(_DECODED)
        rungs: list[Inbox[RungFrame]] = [threads.inbox(_FRAMES) for _ in self.encoders.rungs]
        sounds: dict[str, Inbox[Sound]] = {name: threads.inbox(_SOUNDS) for name in self.encoders.sounds}
        packed: Inbox[Packed] = threads.inbox(_PACKETS)

        threads.spawn("decode", lambda: self._decode(arriving, decoded))
        threads.spawn("grid", lambda: self._place(decoded, rungs, sounds))
        for rung, frames in zip(self.encoders.rungs, rungs, strict=True):
            threads.spawn(f"encode {rung.encoding.name}", partial(_encode, rung, frames, packed))
        for name, sound in self.encoders.sounds.items():
            threads.spawn(f"encode {name}", partial(_encode, sound, sounds[name], packed))
        threads.spawn("package", lambda: self._package(packed, len(rungs) + len(sounds)))
        return arriving

    def _decode(self, arriving: Inbox[Arrival], decoded: Inbox[Frames]) -> None:
        decoding = _Decoding(self.decoder, self.refused)
        try:
            while (items := arriving.get(None)) is not None:
                for arrival in items:
                    decoded.put(decoding.take(arrival))
        finally:
            decoding.rest()
        decoded.end()

    def _place(
        self, decoded: Inbox[Frames], rungs: Sequence[Inbox[RungFrame]], sounds: Mapping[str, Inbox[Sound]]
    ) -> None:
        scaler = self.encoders.scaler

        def hand_on(placed: Sequence[Placed]) -> None:
            for item in placed:
                if isinstance(item, Sound):
                    sounds[item.rendition].put(item)
                elif scaler is not None:
                    give(scaler.scale(item))

        def give(frames: Sequence[RungFrame]) -> None:
            for frame in frames:
                rungs[frame.rung].put(frame)

        run_stage(_Feeds(self.placer, self.horizon), decoded, hand_on, self.horizon.now)
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
    """The placer as a stage over whole arrivals, so that the horizon advances with each."""

    def __init__(self, placer: Placer, horizon: Horizon) -> None:
        self._placer = placer
        self._horizon = horizon

    def push(self, item: Frames, now: int) -> list[Placed]:
        placed = [output for frame in item.items for output in self._placer.push(frame, now)]
        if item.end:
            self._placer.end_feed()
        if item.begin is not None:
            self._begin(item.begin)
        self._horizon.leave()
        return placed

    def _begin(self, feed: FeedBegin) -> None:
        if feed.again:
            self._placer.change_tracks(feed.tracks)
        else:
            self._placer.begin_feed(feed.tracks)

    def tick(self, now: int) -> list[Placed]:
        return self._placer.tick(now)

    def due(self) -> int | None:
        return self._placer.due()

    def flush(self) -> list[Placed]:
        return self._placer.flush()


def _encode(encoder: Encoder, inbox: Inbox[Any], packed: Inbox[Packed]) -> None:
    """Packets are handed on when a key frame is among them: until then no segment can end."""
    name = encoder.encoding.name
    waiting: list[EncodedPacket] = []

    def hand_on(packets: list[EncodedPacket]) -> None:
        nonlocal waiting
        waiting += packets
        if len(waiting) >= _TOGETHER or any(packet.key for packet in packets):
            packed.put((name, waiting))
            waiting = []

    run_stage(encoder, inbox, hand_on, _no_clock)
    packed.put((name, waiting))
    packed.put((name, None))


def _no_clock() -> int:
    """An encoder knows no time but that of its frames."""
    return 0
