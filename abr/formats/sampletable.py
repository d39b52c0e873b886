"""The sample tables of a plain MP4 or MOV file: where each sample lies and when it is shown (ISO/IEC 14496-12, 8.6, 8.7)."""

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from abr.errors import RemoteProtocolError
from abr.formats.box import Box, children, find_box, need_box
from abr.formats.isobmff import Column, read_media_header, read_track_header

_ENTRIES = {"vide": ("avc1", "avc3", "hvc1", "hev1", "av01"), "soun": ("mp4a",)}
"""Sample entries whose samples are packets, one each; raw sound, for one, is not."""
_FOREIGN = frozenset(("stz2", "stps", "sbgp", "senc", "saiz", "saio"))
"""Boxes of a sample table that change what the others say, or tell of encryption."""
_WHOLE = 0x1_0000
"""Rate 1 of an edit, 16.16."""
_MOST = 1 << 31
"""Times of a track stay below 2^62: samples are fewer than this, and each lasts less than 2^31 ticks."""


class SampleTable(NamedTuple):
    """All samples of a track in decode order, column by column; times in ticks, as the edit list shifts them."""

    timescale: int
    offsets: Column
    """Bytes from the start of the file."""
    sizes: Column
    decode: Column
    shown: Column
    durations: Column
    keys: NDArray[np.bool_]


class _Edit(NamedTuple):
    """Which part of a track is shown, and when: ticks of the track."""

    start: int
    end: int
    delay: int


class _NotPlain(Exception):  # noqa: N818 - never leaves this module
    """The track is lawful and needs more than its sample table to be read."""


def read_sample_tables(moov: bytes, file_size: int) -> dict[int, SampleTable]:
    """The tracks of a moov box that can be read by their sample table alone, by track_ID.

    Left out are tracks of other codecs, encrypted ones, those in another file, and those with more than one
    edit, an edit that cuts pictures off, several sample descriptions or negative composition offsets; all tracks
    of a fragmented file. Raises RemoteProtocolError for tables that are broken or reach beyond `file_size`.
    """
    box = need_box(moov, "moov")
    tracks = [child for child in children(moov, box) if child.kind == "trak"]
    if find_box(moov, "mvex", box) is not None:
        return {}
    scale = _movie_timescale(moov, need_box(moov, "mvhd", box))
    tables = {}
    for track in tracks:
        try:
            table = _read_track(moov, track, scale, file_size)
        except _NotPlain:
            continue
        tables[read_track_header(moov, need_box(moov, "tkhd", track)).track] = table
    return tables


def _read_track(data: bytes, track: Box, scale: int, file_size: int) -> SampleTable:
    media = need_box(data, "mdia", track)
    stbl = need_box(data, "minf/stbl", media)
    handler = _body(data, need_box(data, "hdlr", media), 12)[8:12].decode("latin-1")
    _check_plain(data, need_box(data, "minf", media), stbl, handler)
    timescale = read_media_header(data, need_box(data, "mdhd", media)).timescale
    if not timescale:
        raise RemoteProtocolError("a track counts in ticks of 0 s")
    sizes = _sizes(data, need_box(data, "stsz", stbl), file_size)
    offsets = _offsets(data, stbl, sizes)
    if len(sizes) and int((offsets + sizes).max()) > file_size:
        raise RemoteProtocolError(f"a sample reaches beyond the {file_size} bytes of the file")
    durations = _durations(data, need_box(data, "stts", stbl), len(sizes))
    decode = np.cumsum(durations) - durations
    shown = decode + _composition(data, find_box(data, "ctts", stbl), len(sizes))
    table = SampleTable(
        timescale, offsets, sizes, decode, shown, durations, _keys(data, stbl, len(sizes))
    )
    edit = _edit(data, find_box(data, "edts/elst", track), Fraction_(scale, timescale))
    return _shifted(table, edit, sound=handler == "soun") if edit else table
