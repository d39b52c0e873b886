"""A film packaged without encoding: its own packets, cut at its own key frames."""

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from abr.clock import Clock
from abr.errors import FeedUnreadable
from abr.ingest.demux import Demuxer
from abr.model.columns import MISSING, Packets
from abr.model.ladder import AudioTarget, Ladder, VideoTarget
from abr.model.media import Kind, Packet, Track
from abr.package.copy import Copier, copy_start
from abr.package.header import make_init, rendition_of_copy
from abr.worker.event import Opening, new_session
from abr.worker.packager import Packager

_HEAD = Fraction(2)
"""Seconds of media that are read before anything is decided: frame lengths and reorder delay come from them."""
_HEAD_PACKETS = 2000


@dataclass(frozen=True, slots=True)
class Copying:
    """A film that is ready to be copied."""

    opening: Opening
    copiers: Mapping[int, Copier]
    """By track."""
    head: Sequence[Packets]
    """What was read already, to be packaged first."""
    rest: Iterator[Packets]

    def run(self, packager: Packager, progress: Callable[[Packet], None]) -> None:
        """Package everything. Raises MediaError, SpoolError, JournalError, StageFailed."""
        for packets in itertools.chain(self.head, self.rest):
            copier = self.copiers[packets.track]
            packager.push(copier.encoding.name, copier.push(packets))
            progress(packets[-1])
        packager.flush()


def open_copy(channel: str, ladder: Ladder, demuxer: Demuxer, clock: Clock) -> Copying:
    """Read the film's head and make a session of it. Raises MediaError for what cannot be copied."""
    targets = _targets(ladder, demuxer.tracks)
    batches = (batch for batch in demuxer.batches() if batch.track in targets)
    head = _read_head(batches, demuxer.tracks, targets)
    if not head:
        raise FeedUnreadable(f"{demuxer.name} has no packets")
    leader = min(targets)
    shift = ladder.duration - copy_start(demuxer.tracks[leader], _of(head, leader))
    copiers = {
        track: Copier(demuxer.tracks[track], target.name, _of(head, track), shift)
        for track, target in targets.items()
    }
    return Copying(_opening(channel, ladder, demuxer, copiers, clock.wall()), copiers, head, batches)


def _targets(ladder: Ladder, tracks: Sequence[Track]) -> dict[int, VideoTarget | AudioTarget]:
    """Which track becomes which rendition: the first picture, and the sound that the ladder names."""
    pictures = [track for track in tracks if track.kind is Kind.VIDEO]
    sounds = [track for track in tracks if track.kind is Kind.AUDIO]
    chosen: dict[int, VideoTarget | AudioTarget] = {
        track.index: target for track, target in zip(pictures, ladder.video, strict=False)
    }
    return chosen | {sounds[target.track].index: target for target in ladder.audio}


def _read_head(
    batches: Iterator[Packets], tracks: Sequence[Track], targets: Collection[int]
) -> list[Packets]:
    """The first batches, until each track has enough of them."""
    head: list[Packets] = []
    first: dict[int, int] = {}
    ready: set[int] = set()
    for batch in batches:
        head.append(batch)
        times = batch.pts[batch.pts != MISSING]
        if len(times):
            start = first.setdefault(batch.track, int(times[0]))
            if (int(times.max()) - start) * tracks[batch.track].time_base >= _HEAD:
                ready.add(batch.track)
        if len(ready) == len(targets) or sum(map(len, head)) >= _HEAD_PACKETS:
            break
    return head


def _of(batches: Sequence[Packets], track: int) -> list[Packet]:
    return [packet for batch in batches if batch.track == track for packet in batch]


def _opening(
    channel: str, ladder: Ladder, demuxer: Demuxer, copiers: Mapping[int, Copier], wall: int
) -> Opening:
    inits: dict[str, bytes] = {}
    renditions = []
    for index in sorted(copiers):
        track, encoding = demuxer.tracks[index], copiers[index].encoding
        init = inits[encoding.name] = make_init(encoding)
        renditions.append(rendition_of_copy(encoding, track, init))
    return Opening(new_session(channel, ladder, renditions, wall, lag=None), inits)
