"""CMAF segments: the samples of a cut in, styp + moof + mdat out (ISO/IEC 23000-19, 7.3).

Encryption would enter here: a protection record beside the cut changes the samples' bytes and adds senc to traf.
"""

from typing import NamedTuple

import numpy as np

from abr.errors import MediaError
from abr.formats.isobmff import (
    NOT_SYNC,
    SYNC,
    Run,
    make_brands,
    make_moof,
    make_prft,
    mdat_header,
)
from abr.model.columns import Column, Samples
from abr.model.media import Data
from abr.model.segment import Part, Rendition, Segment
from abr.package.cutter import Cut

_STYP = make_brands("styp", "msdh", ("msdh", "cmfs", "cmff", "cmfc"))
_CHUNKED_STYP = make_brands("styp", "msdh", ("msdh", "cmfs", "cmff", "cmfl", "cmfc"))


class _Table(NamedTuple):
    """All samples of a segment, column by column; one more decode time than samples: the end."""

    decode: Column
    run: Run


def make_segment(rendition: Rendition, cut: Cut, *, produced: int | None = None) -> Segment:
    """The segment of a cut: one moof and mdat a part.

    Decode times are the sorted presentation times less the rendition's delay, so that each segment begins at
    start − delay, ends where the next begins (RFC 8216bis 3.1.2), and no composition offset is negative
    (DESIGN 3.6). `produced`
    (nanoseconds since 1970) writes a prft before the first moof. Raises MediaError for samples that the delay
    cannot put in order.
    """
    parts = [Samples.of(part) for part in cut.parts]
    table = _table(rendition, cut, Samples.joined(parts))
    pieces: list[Data] = [_STYP if len(parts) == 1 else _CHUNKED_STYP]
    if produced is not None:
        pieces.append(make_prft(produced, cut.start))
    moof_offset = sum(map(len, pieces))
    made: list[Part] = []
    first_sample_end = at = 0
    for samples in parts:
        rows = slice(at, at + len(samples))
        run = table.run if len(parts) == 1 else Run._make(column[rows] for column in table.run)
        moof = make_moof(cut.number, int(table.decode[at]), run)
        size = int(run.sizes.sum())
        at += len(samples)
        pieces += (moof, mdat_header(size), *samples.data)
        first_sample_end = first_sample_end or moof_offset + len(moof) + 8 + len(samples.data[0])
        before = 0 if made else moof_offset
        duration = int(table.decode[at] - table.decode[rows.start])
        made.append(Part(duration, before + len(moof) + 8 + size, bool(samples.keys[0])))
    return Segment(
        rendition=rendition.name,
        number=cut.number,
        start=cut.start,
        duration=cut.end - cut.start,
        data=b"".join(pieces),
        moof_offset=moof_offset,
        first_sample_end=first_sample_end,
        parts=tuple(made),
    )


def decode_times(pts: Column, end: int, delay: int) -> Column:
    """Decode times of samples in decode order, and behind them that of the end.

    The sorted presentation times less `delay`; where frames of uneven length make that later than a frame's
    own presentation, as late as its presentation allows. They grow by at least one tick.
    """
    if (pts[1:] > pts[:-1]).all():  # shown as decoded: sound, and video without B-frames
        return np.append(pts, end) - delay
    places = np.arange(len(pts))
    latest = np.minimum.accumulate(pts[::-1])[::-1]
    times = np.minimum(np.sort(pts) - delay, latest) - places
    grown = np.minimum.accumulate(times[::-1])[::-1] + places
    return np.concatenate((grown, (end - delay,)))


def _table(rendition: Rendition, cut: Cut, samples: Samples) -> _Table:
    decode = decode_times(samples.pts, cut.end, rendition.delay)
    durations = decode[1:] - decode[:-1]
    if decode[0] != cut.start - rendition.delay or durations.min() <= 0:
        raise MediaError(
            f"rendition {rendition.name}: the frames of segment {cut.number} cannot be put in order with a reorder"
            f" delay of {rendition.delay} ticks of 1/{rendition.timescale} s"
        )
    if decode[0] < 0:
        raise MediaError(
            f"rendition {rendition.name}: segment {cut.number} starts at tick {cut.start}, before its reorder delay"
        )
    sizes = np.fromiter(map(len, samples.data), np.int64, len(samples))
    flags = np.where(samples.keys, SYNC, NOT_SYNC)
    return _Table(decode, Run(durations, sizes, flags, samples.pts - decode[:-1]))
