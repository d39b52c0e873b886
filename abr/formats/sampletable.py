"""The sample tables of a plain MP4 or MOV file: where each sample lies and when it is shown (ISO/IEC 14496-12, 8.6, 8.7)."""

import struct
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from abr.errors import RemoteProtocolError
from abr.formats.box import Box, children, find_box, need_box
from abr.formats.isobmff import read_media_header, read_track_header
from abr.model.columns import Column, Flags
from abr.model.time import rescale

_ENTRIES = {b"vide": ("avc1", "avc3", "hvc1", "hev1", "av01"), b"soun": ("mp4a",)}
"""Sample entries whose samples are packets, one each; those of raw sound, for one, are not."""
_FOREIGN = frozenset(("stz2", "stps", "senc", "saiz", "saio"))
"""Boxes of a sample table that change what the others say, or tell of encryption."""
_HARMLESS = (b"roll", b"prol")
"""Sample groups that change neither times nor key frames."""
_RATE_1 = 1 << 16
_MOST_EDITS = 16
_BOUND = 1 << 31
"""Of timescales, of sample counts, of a sample's ticks, and of a track's seconds: times stay below 2^62."""


class SampleTable(NamedTuple):
    """All samples of a track in decode order, column by column; times in ticks, shifted as the edit list says."""

    timescale: int
    offsets: Column
    """Bytes from the start of the file."""
    sizes: Column
    decode: Column
    shown: Column
    durations: Column
    keys: Flags


class _Edit(NamedTuple):
    """What of a track is shown, [start, end) of its own times, and how long after the film begins; ticks."""

    start: int
    end: int
    delay: int


class _NotPlain(Exception):
    """The track is lawful, and its sample table alone does not tell its packets."""


def read_sample_tables(moov: bytes, file_size: int) -> dict[int, SampleTable]:
    """The tracks of a moov box that can be read by their sample tables alone, by track_ID.

    Left out are tracks of other codecs, encrypted ones, those whose media is in another file, and those with
    several sample descriptions, negative composition offsets, or an edit list that does more than shift their
    times; all tracks of a fragmented file. Raises RemoteProtocolError for tables that are broken, that contradict
    each other or that reach beyond `file_size` bytes.
    """
    box = need_box(moov, "moov")
    if find_box(moov, "mvex", box) is not None:
        return {}
    scale = _movie_timescale(moov, need_box(moov, "mvhd", box))
    tracks = {
        read_track_header(moov, need_box(moov, "tkhd", track)).track: track
        for track in children(moov, box)
        if track.kind == "trak"
    }
    tables = {}
    for number, track in tracks.items():
        with suppress(_NotPlain):
            tables[number] = _read_track(moov, track, scale, file_size)
    return tables


def _read_track(data: bytes, track: Box, movie_scale: int, file_size: int) -> SampleTable:
    media = need_box(data, "mdia", track)
    stbl = need_box(data, "minf/stbl", media)
    handler = _body(data, need_box(data, "hdlr", media), 12)[8:12]
    _check_plain(data, need_box(data, "minf", media), stbl, handler)
    timescale = read_media_header(data, need_box(data, "mdhd", media)).timescale
    if not 0 < timescale < _BOUND:
        raise RemoteProtocolError(f"a track counts in ticks of 1/{timescale} s")
    sizes = _sizes(data, need_box(data, "stsz", stbl), file_size)
    offsets = _offsets(data, stbl, sizes, file_size)
    durations = _spread(_rows(data, need_box(data, "stts", stbl), 8, 2), len(sizes), "stts")
    decode = np.cumsum(durations) - durations
    if len(decode) and decode[-1] >= timescale * _BOUND:
        raise RemoteProtocolError(f"stts names {decode[-1]} ticks of 1/{timescale} s")
    table = SampleTable(
        timescale=timescale,
        offsets=offsets,
        sizes=sizes,
        decode=decode,
        shown=decode + _composition(data, find_box(data, "ctts", stbl), len(sizes)),
        durations=durations,
        keys=_keys(data, find_box(data, "stss", stbl), len(sizes)),
    )
    edit = _read_edit(data, find_box(data, "edts/elst", track), movie_scale, timescale)
    return table if edit is None else _edited(table, edit, sound=handler == b"soun")


def _check_plain(data: bytes, info: Box, stbl: Box, handler: bytes) -> None:
    """Raises _NotPlain for what has to be read otherwise, or not at all."""
    entries = children(data, need_box(data, "stsd", stbl))
    if len(entries) != 1 or entries[0].kind not in _ENTRIES.get(handler, ()):
        raise _NotPlain
    for reference in children(data, need_box(data, "dinf/dref", info)):
        if not _body(data, reference, 4)[3] & 1:  # the media is not in this file (8.7.2)
            raise _NotPlain
    for box in children(data, stbl):
        if box.kind in _FOREIGN or (box.kind == "sbgp" and _body(data, box, 8)[4:8] not in _HARMLESS):
            raise _NotPlain


def _sizes(data: bytes, box: Box, file_size: int) -> Column:
    """The size of each sample (8.7.3.2)."""
    size, count = struct.unpack_from(">II", _body(data, box, 12), 4)
    if not size:
        return _rows(data, box, 12, 1)[:, 0]
    if count >= _BOUND or count * size > file_size:
        raise RemoteProtocolError(f"stsz names {count} samples of {size} bytes in {file_size} bytes")
    return np.full(count, size, dtype=np.int64)


def _offsets(data: bytes, stbl: Box, sizes: Column, file_size: int) -> Column:
    """Where each sample lies: one behind the other within a chunk (8.7.4, 8.7.5)."""
    narrow = find_box(data, "stco", stbl)
    chunks = _rows(data, narrow, 8, 1) if narrow else _rows(data, need_box(data, "co64", stbl), 8, 1, ">u8")
    counts = _samples_of_chunks(_rows(data, need_box(data, "stsc", stbl), 8, 3), len(chunks))
    if int(counts.sum()) != len(sizes):
        raise RemoteProtocolError(f"stsc names {counts.sum()} samples, stsz {len(sizes)}")
    ends = np.cumsum(sizes)
    before = np.append(0, ends)[np.cumsum(counts) - counts]
    offsets = np.repeat(chunks[:, 0] - before, counts) + ends - sizes
    if len(sizes) and not (chunks.min() >= 0 and chunks.max() <= file_size >= (offsets + sizes).max()):
        raise RemoteProtocolError(f"a sample reaches beyond the {file_size} bytes of the file")
    return offsets


def _samples_of_chunks(runs: Column, chunks: int) -> Column:
    """How many samples each chunk has; each row of stsc holds up to the next."""
    if not chunks:
        return np.zeros(0, dtype=np.int64)
    firsts, counts, descriptions = runs.T
    lengths = np.diff(firsts, append=chunks + 1)
    if not len(runs) or firsts[0] != 1 or lengths.min() <= 0:
        raise RemoteProtocolError(f"stsc does not tell the samples of {chunks} chunks, one after another")
    if descriptions.min() != 1 or descriptions.max() != 1:
        raise _NotPlain
    if counts.max() >= _BOUND:
        raise RemoteProtocolError(f"stsc names a chunk of {counts.max()} samples")
    return np.repeat(counts, lengths)


def _composition(data: bytes, box: Box | None, count: int) -> Column:
    """What is added to each decode time (8.6.1.3)."""
    if box is None:
        return np.zeros(count, dtype=np.int64)
    rows = _rows(data, box, 8, 2)
    if len(rows) and rows[:, 1].max() >= _BOUND:
        raise _NotPlain  # negative, in either version: QuickTime writes them as version 0
    return _spread(rows, count, "ctts")


def _keys(data: bytes, box: Box | None, count: int) -> Flags:
    """Which samples decoding can start at: all, where no box names them (8.6.2)."""
    if box is None:
        return np.ones(count, dtype=np.bool_)
    numbers = _rows(data, box, 8, 1)[:, 0]
    if len(numbers) and not (numbers.min() >= 1 and numbers.max() <= count):
        raise RemoteProtocolError(f"stss names a sample that is none of {count}")
    keys = np.zeros(count, dtype=np.bool_)
    keys[numbers - 1] = True
    return keys


def _spread(rows: Column, count: int, kind: str) -> Column:
    """The value of each sample, from rows of a count and a value that holds for so many."""
    counts, values = rows.T
    if int(counts.sum()) != count:
        raise RemoteProtocolError(f"{kind} names {counts.sum()} samples, stsz {count}")
    if len(values) and values.max() >= _BOUND:
        raise RemoteProtocolError(f"{kind} names {values.max()} ticks for one sample")
    return np.repeat(values, counts)


def _read_edit(data: bytes, box: Box | None, movie_scale: int, timescale: int) -> _Edit | None:
    """The one edit of a track, behind any number of empty ones (8.6.6); None where it has none."""
    if box is None:
        return None
    body = _body(data, box, 8)
    layout, count = struct.Struct(">QqI" if body[0] == 1 else ">IiI"), int.from_bytes(body[4:8])
    if 8 + count * layout.size > len(body):
        raise RemoteProtocolError(f"elst names {count} edits and has no room for them")
    if count > _MOST_EDITS:
        raise _NotPlain
    delay = 0
    media: list[tuple[int, int, int]] = []
    for at in range(count):
        duration, start, rate = layout.unpack_from(body, 8 + at * layout.size)
        duration = rescale(duration, movie_scale, timescale)
        if start == -1 and not media:
            delay += duration
        else:
            media.append((start, duration, rate))
    if not count:
        return None
    if len(media) != 1 or media[0][0] < 0 or not media[0][1] or media[0][2] != _RATE_1:
        raise _NotPlain
    start, duration, _ = media[0]
    if max(start + duration, delay) >= timescale * _BOUND:
        raise RemoteProtocolError(
            f"elst names an edit of {duration} ticks at {start}, {delay} after the start"
        )
    return _Edit(start, start + duration, delay)


def _edited(table: SampleTable, edit: _Edit, *, sound: bool) -> SampleTable:
    """The samples at the times that the edit gives them.

    Sound before the edit is kept, at negative times: a decoder needs it. Raises _NotPlain when the edit begins within
    the pictures or far within the sound, or ends more than a frame before the end of either.
    """
    if not len(table.sizes):
        return table
    ends = table.shown + table.durations >= edit.end
    if sound:
        whole = not (ends[:-1].any() or (table.decode[1:] <= edit.start - table.timescale).any())
    else:
        starts = np.flatnonzero(table.keys & (table.decode <= edit.start)).tolist() == [0]
        whole = starts and table.shown.min() == edit.start and not (ends & table.keys)[:-1].any()
    if not whole:
        raise _NotPlain
    shift = edit.delay - edit.start
    return table._replace(decode=table.decode + shift, shown=table.shown + shift)


def _movie_timescale(data: bytes, box: Box) -> int:
    """Ticks a second of edit durations, from mvhd (8.2.2)."""
    body = _body(data, box, 100)
    scale = int.from_bytes(body[20:24] if body[0] == 1 else body[12:16])
    if not scale:
        raise RemoteProtocolError("the movie counts in ticks of no length")
    return scale


def _rows(data: bytes, box: Box, head: int, width: int, form: str = ">u4") -> Column:
    """The rows of a table of `width` numbers each; their count stands before them, at the end of the head."""
    count = int.from_bytes(_body(data, box, head)[head - 4 : head])
    kind = np.dtype(form)
    if box.body + head + count * width * kind.itemsize > box.end:
        raise RemoteProtocolError(
            f"{box.kind} at byte {box.start} names {count} rows and has no room for them"
        )
    values = np.frombuffer(data, kind, count * width, box.body + head)
    return values.astype(np.int64).reshape(count, width)


def _body(data: bytes, box: Box, least: int) -> bytes:
    """The body of a box that needs `least` bytes."""
    if box.end - box.body < least:
        raise RemoteProtocolError(f"box {box.kind!r} at byte {box.start} has only {box.size} bytes")
    return data[box.body : box.end]
