"""A film packaged without encoding: its own packets, cut at its own key frames."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from abr.clock import Clock
from abr.errors import FeedUnreadable, MediaError
from abr.ingest.demux import Demuxer
from abr.model.identity import session_id
from abr.model.ladder import AudioTarget, Ladder, VideoTarget
from abr.model.media import Kind, Packet, Track
from abr.model.segment import Session
from abr.package.copy import Copier, copy_start
from abr.package.header import make_init, rendition_of_copy
from abr.worker.event import Opening
from abr.worker.packager import Packager

_HEAD = Fraction(2)
"""Seconds of media that are read before anything is decided: frame lengths and reorder delay come from them."""
_HEAD_PACKETS = 2000
_BATCH = 64
"""Packets of a track that are handed on together."""


@dataclass(frozen=True, slots=True)
class Copying:
    """A film that is ready to be copied."""

    opening: Opening
    copiers: tuple[Copier, ...]
    head: Sequence[Packet]
    """What was read already, to be packaged first."""
    rest: Iterator[Packet]

    def run(self, packager: Packager, progress: Callable[[Packet], None]) -> None:
        """Package everything. Raises MediaError, SpoolError, JournalError, StageFailed."""
        waiting: list[list[Packet]] = [[] for _ in self.copiers]
        for packets in (self.head, self.rest):
            for packet in packets:
                batch = waiting[packet.track]
                batch.append(packet)
                if len(batch) >= _BATCH:
                    self._give(packager, packet.track, batch)
                    progress(packet)
                    batch.clear()
        for track, batch in enumerate(waiting):
            self._give(packager, track, batch)
        packager.flush()

    def _give(self, packager: Packager, track: int, batch: Sequence[Packet]) -> None:
        copier = self.copiers[track]
        packager.push(copier.encoding.name, copier.push(batch))


def open_copy(channel: str, ladder: Ladder, demuxer: Demuxer, clock: Clock) -> Copying:
    """Read the film's head and make a session of it. Raises MediaError for what cannot be copied."""
    targets = _targets(ladder, demuxer.tracks)
    packets = (packet for packet in demuxer.packets() if packet.track in targets)
    head = _read_head(packets, demuxer.tracks, targets)
    if not head:
        raise FeedUnreadable(f"{demuxer.name} has no packets")
    leader = min(targets)
    shift = ladder.duration - copy_start(demuxer.tracks[leader], _of(head, leader))
    copiers = {
        track: Copier(demuxer.tracks[track], target.name, _of(head, track), shift)
        for track, target in targets.items()
    }
    opening = _opening(channel, ladder, demuxer, copiers, clock.wall())
    order = sorted(copiers)
    places = {track: place for place, track in enumerate(order)}
    return Copying(
        opening,
        tuple(copiers[track] for track in order),
        [packet._replace(track=places[packet.track]) for packet in head],
        packets if order == list(range(len(order))) else (p._replace(track=places[p.track]) for p in packets),
    )


def _targets(ladder: Ladder, tracks: Sequence[Track]) -> dict[int, VideoTarget | AudioTarget]:
    """Which track becomes which rendition: the first of each kind."""
    chosen: dict[int, VideoTarget | AudioTarget] = {}
    for kind, targets in ((Kind.VIDEO, ladder.video), (Kind.AUDIO, ladder.audio)):
        track = next((track for track in tracks if track.kind is kind), None)
        if track is None or not targets:
            continue
        if targets[0].codec != "copy":
            raise MediaError(
                f"the {track.codec} sound cannot be copied into CMAF; use a profile that encodes"
            )
        chosen[track.index] = targets[0]
    return chosen


def _read_head(
    packets: Iterator[Packet], tracks: Sequence[Track], targets: dict[int, VideoTarget | AudioTarget]
) -> list[Packet]:
    head: list[Packet] = []
    first: dict[int, int] = {}
    ready: set[int] = set()
    for packet in packets:
        head.append(packet)
        if packet.pts is not None:
            start = first.setdefault(packet.track, packet.pts)
            if (packet.pts - start) * tracks[packet.track].time_base >= _HEAD:
                ready.add(packet.track)
        if ready >= targets.keys() or len(head) >= _HEAD_PACKETS:
            break
    return head


def _of(packets: Sequence[Packet], track: int) -> list[Packet]:
    return [packet for packet in packets if packet.track == track]


def _opening(
    channel: str, ladder: Ladder, demuxer: Demuxer, copiers: dict[int, Copier], wall: int
) -> Opening:
    inits: dict[str, bytes] = {}
    renditions = []
    for index in sorted(copiers):
        track, encoding = demuxer.tracks[index], copiers[index].encoding
        init = inits[encoding.name] = make_init(encoding)
        renditions.append(rendition_of_copy(encoding, track, init))
    identity = session_id(wall, secrets.token_bytes(8))
    session = Session(
        id=identity,
        channel=channel,
        renditions=tuple(renditions),
        duration=ladder.duration,
        live=False,
        window=ladder.window,
        media_start=ladder.duration,
        event=identity,
    )
    return Opening(session, inits)
