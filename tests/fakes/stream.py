"""Encoded packets of a session in which there is no picture and no sound: only times, key frames and sizes."""

from collections.abc import Iterator

from abr.model.media import EncodedPacket, Kind
from abr.model.segment import Rendition, Session
from abr.model.time import AAC_FRAME, Grid

Batch = tuple[str, list[EncodedPacket]]


def packets(session: Session, rendition: Rendition, first: int, count: int) -> list[EncodedPacket]:
    """All packets of a rendition that start in segments `first` to `first + count`, the last one left out."""
    grid = Grid(session.duration)
    begin, end = (grid.start(number, rendition.timescale) for number in (first, first + count))
    if rendition.kind is Kind.AUDIO:
        times, length = range(-(-begin // AAC_FRAME) * AAC_FRAME, end, AAC_FRAME), AAC_FRAME
    else:
        assert rendition.frame_rate is not None
        length = int(rendition.timescale / rendition.frame_rate)
        times = range(begin, end, length)
    starts = {grid.start(number, rendition.timescale) for number in range(first, first + count)}
    return [
        EncodedPacket(time, length, rendition.kind is Kind.AUDIO or time in starts, _data(rendition, time))
        for time in times
    ]


def batches(session: Session, first: int, count: int) -> Iterator[Batch]:
    """A batch of every rendition for each segment, in the session's order."""
    for number in range(first, first + count):
        for rendition in session.renditions:
            yield rendition.name, packets(session, rendition, number, 1)


def _data(rendition: Rendition, time: int) -> bytes:
    """Bytes that no other packet has."""
    return f"{rendition.name} {time} ".encode() * 3
