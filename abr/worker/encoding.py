"""A film encoded: decoded, placed on the ladder's rhythm, encoded to every rung and packaged."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from abr.clock import Clock
from abr.ingest.demux import Demuxer
from abr.ingest.normalise import Normaliser
from abr.model.ladder import Ladder
from abr.model.media import Gap, Kind, Packet, Track
from abr.transcode.decode import Decoder
from abr.transcode.film import Film
from abr.transcode.frame import Decoded, Placed
from abr.transcode.source import Source
from abr.worker.event import Opening, open_session
from abr.worker.packager import Packager
from abr.worker.pipeline import Arrival, Encoders, FeedBegin, FeedEnd, Pipeline
from abr.worker.stage import Closed, Horizon, Threads

_ROOM = 4
"""Batches of packets that may wait for the decoder: the file can wait too."""
_BATCH = 16
"""Packets that are handed on together, at most: one of a picture, and the sound before it."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """A film that is ready to be encoded."""

    opening: Opening
    encoders: Encoders
    ladder: Ladder
    demuxer: Demuxer

    def run(self, packager: Packager, progress: Callable[[Packet], None]) -> None:
        """Encode and package everything. Raises StageFailed."""
        threads, horizon = Threads(), Horizon(_still)
        pipeline = Pipeline(
            decoder=self._decoder,
            placer=_Placer(self.ladder, self.demuxer.tracks),
            encoders=self.encoders,
            packager=lambda: packager,
            horizons=(horizon,),
            room=_ROOM,
        )
        self._read(pipeline, threads, progress)
        threads.check()

    def _decoder(self, _: int, tracks: Sequence[Track]) -> Decoder:
        """Where the encoders fill the cores, more than one thread for decoding only costs memory."""
        busy = len(self.ladder.video) >= (os.cpu_count() or 1)
        return Decoder(tracks, live=False, uses=Source(tracks, self.ladder).uses, threads=1 if busy else 0)

    def _read(self, pipeline: Pipeline, threads: Threads, progress: Callable[[Packet], None]) -> None:
        (arriving,) = pipeline.start(threads)
        (horizon,) = pipeline.horizons
        try:
            for arrival in self._arrivals(progress):
                horizon.enter()
                arriving.put(arrival)
        except Closed:
            threads.check()
        arriving.end()
        threads.join()

    def _arrivals(self, progress: Callable[[Packet], None]) -> Iterator[Arrival]:
        """The film as one feed, its packets in batches."""
        tracks = self.demuxer.tracks
        normaliser = Normaliser(tracks, film=True)
        pictures = {track.index for track in tracks if track.kind is Kind.VIDEO}
        batch: list[Packet | Gap] = []
        yield FeedBegin(tracks)
        for packet in self.demuxer.packets():
            batch += normaliser.push(packet)
            if packet.track in pictures or len(batch) >= _BATCH:
                yield batch
                batch = []
            progress(packet)
        yield batch
        yield FeedEnd()


def open_encoding(channel: str, ladder: Ladder, demuxer: Demuxer, clock: Clock) -> Encoding:
    """Open all encoders and make a session of them. Raises EncoderMissing, ConfigError, MediaError."""
    encoders = Encoders.open(ladder, steady=False)
    opening = open_session(channel, ladder, encoders, clock.wall(), hold=None)
    return Encoding(opening, encoders, ladder, demuxer)


class _Placer(Film):
    """A film is one feed, whose tracks are known before it begins."""

    on_air = 0

    def begin_feed(self, place: int, tracks: Sequence[Track], now: int) -> None:
        """It was made for these tracks."""

    def change_tracks(self, place: int, tracks: Sequence[Track], now: int) -> None:
        """A file's tracks stay."""

    def end_feed(self, place: int, now: int) -> None:
        """Its flush follows."""

    def take(self, place: int, item: Decoded, now: int) -> list[Placed]:  # noqa: ARG002 - the placer's shape
        """A film is the only input."""
        return self.push(item, now)


def _still() -> int:
    """A film has no clock."""
    return 0
