"""A moov box of one track, table by table, so that a test can spoil one of them."""

import struct
from typing import Any

from abr.formats.box import make_box, make_full_box

TICKS = 1000
"""Of the track and of the movie, a second."""


def table(kind: str, width: int, *rows: tuple[int, ...], version: int = 0) -> bytes:
    """A full box of rows of 32-bit numbers, their count before them."""
    numbers = [number & 0xFFFF_FFFF for row in rows for number in row]
    assert all(len(row) == width for row in rows)
    return make_full_box(kind, version, 0, struct.pack(f">{1 + len(numbers)}I", len(rows), *numbers))


def sizes(*of: int) -> bytes:
    """An stsz box of sizes that differ."""
    return make_full_box("stsz", 0, 0, struct.pack(f">{2 + len(of)}I", 0, len(of), *of))


def equal_sizes(size: int, count: int) -> bytes:
    """An stsz box of samples of one size."""
    return make_full_box("stsz", 0, 0, struct.pack(">II", size, count))


def edits(*rows: tuple[int, int], rate: int = 1) -> bytes:
    """An edts box: duration in ticks of the movie, media time."""
    body = b"".join(struct.pack(">IiI", duration, start, rate << 16) for duration, start in rows)
    return make_box("edts", make_full_box("elst", 0, 0, struct.pack(">I", len(rows)), body))


def movie(*, entry: str = "avc1", sound: bool = False, edit: bytes = b"", **tables: bytes) -> bytes:
    """A moov box. Four samples of 10, 20, 30 and 40 bytes in two chunks at 100 and 500; each table may be replaced.

    `tables` are boxes by name; b"" leaves one out. Names that the table box does not have by itself are added.
    """
    inside: dict[str, bytes] = {
        "stsd": make_full_box("stsd", 0, 0, struct.pack(">I", 1), make_box(entry, bytes(78))),
        "stts": table("stts", 2, (4, 40)),
        "stsc": table("stsc", 3, (1, 3, 1), (2, 1, 1)),
        "stsz": sizes(10, 20, 30, 40),
        "stco": table("stco", 1, (100,), (500,)),
    }
    outside: dict[str, Any] = {
        "dref": make_full_box("dref", 0, 0, struct.pack(">I", 1), make_full_box("url ", 0, 1)),
        "mdhd": make_full_box("mdhd", 0, 0, struct.pack(">8xIIHH", TICKS, 0, 0x55C4, 0)),
    }
    outside |= {name: tables.pop(name) for name in list(tables) if name in outside}
    stbl = make_box("stbl", *(inside | tables).values())
    minf = make_box("minf", make_box("dinf", outside["dref"]), stbl)
    handler = make_full_box("hdlr", 0, 0, bytes(4), b"soun" if sound else b"vide", bytes(13))
    media = make_box("mdia", outside["mdhd"], handler, minf)
    header = make_full_box("tkhd", 0, 3, struct.pack(">8xI", 7), bytes(68))
    return make_box("moov", _movie_header(), make_box("trak", header, edit, media))


def _movie_header() -> bytes:
    return make_full_box("mvhd", 0, 0, struct.pack(">8xII", TICKS, 0), bytes(80))
