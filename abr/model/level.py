"""Levels of H.264 and HEVC: which one a rendition needs, and whether a stated one can hold it."""

import math
from fractions import Fraction
from typing import NamedTuple


class Demand(NamedTuple):
    """What a rendition asks of a decoder. Sizes in pixels, rates in bits/s, `bufsize` in bits."""

    width: int
    height: int
    rate: Fraction
    maxrate: int
    bufsize: int
    pictures: int = 4
    """Pictures that a decoder keeps: reference frames, four with a B-pyramid."""


class _H264Level(NamedTuple):
    name: str
    blocks_rate: int
    """MaxMBPS, macroblocks a second."""
    blocks: int
    """MaxFS, macroblocks of a picture."""
    kept: int
    """MaxDpbMbs, macroblocks of all pictures that are kept."""
    bitrate: int
    """MaxBR in 1000 bits/s, and with it MaxCPB below in 1000 bits, for Baseline and Main."""
    buffer: int


# ISO/IEC 14496-10 table A-1. Level 1b is left out: players spell it in two ways and level 1.1 holds it.
_H264 = tuple(
    _H264Level(*row)
    for row in (
        ("1.0", 1_485, 99, 396, 64, 175),
        ("1.1", 3_000, 396, 900, 192, 500),
        ("1.2", 6_000, 396, 2_376, 384, 1_000),
        ("1.3", 11_880, 396, 2_376, 768, 2_000),
        ("2.0", 11_880, 396, 2_376, 2_000, 2_000),
        ("2.1", 19_800, 792, 4_752, 4_000, 4_000),
        ("2.2", 20_250, 1_620, 8_100, 4_000, 4_000),
        ("3.0", 40_500, 1_620, 8_100, 10_000, 10_000),
        ("3.1", 108_000, 3_600, 18_000, 14_000, 14_000),
        ("3.2", 216_000, 5_120, 20_480, 20_000, 20_000),
        ("4.0", 245_760, 8_192, 32_768, 20_000, 25_000),
        ("4.1", 245_760, 8_192, 32_768, 50_000, 62_500),
        ("4.2", 522_240, 8_704, 34_816, 50_000, 62_500),
        ("5.0", 589_824, 22_080, 110_400, 135_000, 135_000),
        ("5.1", 983_040, 36_864, 184_320, 240_000, 240_000),
        ("5.2", 2_073_600, 36_864, 184_320, 240_000, 240_000),
        ("6.0", 4_177_920, 139_264, 696_320, 240_000, 240_000),
        ("6.1", 8_355_840, 139_264, 696_320, 480_000, 480_000),
        ("6.2", 16_711_680, 139_264, 696_320, 800_000, 800_000),
    )
)

_H264_FACTOR = {"baseline": 1000, "main": 1000, "high": 1250}
"""cpbBrVclFactor, ISO/IEC 14496-10 table A-2."""


class _HevcLevel(NamedTuple):
    name: str
    samples: int
    """MaxLumaPs, luma samples of a picture."""
    samples_rate: int
    """MaxLumaSr, luma samples a second."""
    bitrate: int
    """MaxBR of the Main tier in 1000 bits/s, and with it MaxCPB in 1000 bits."""


# ISO/IEC 23008-2 tables A.8 and A.9, Main tier. MaxCPB is the same number as MaxBR but at level 1 (350),
# where the smaller one is used for both.
_HEVC = tuple(
    _HevcLevel(*row)
    for row in (
        ("1.0", 36_864, 552_960, 128),
        ("2.0", 122_880, 3_686_400, 1_500),
        ("2.1", 245_760, 7_372_800, 3_000),
        ("3.0", 552_960, 16_588_800, 6_000),
        ("3.1", 983_040, 33_177_600, 10_000),
        ("4.0", 2_228_224, 66_846_720, 12_000),
        ("4.1", 2_228_224, 133_693_440, 20_000),
        ("5.0", 8_912_896, 267_386_880, 25_000),
        ("5.1", 8_912_896, 534_773_760, 40_000),
        ("5.2", 8_912_896, 1_069_547_520, 60_000),
        ("6.0", 35_651_584, 1_069_547_520, 60_000),
        ("6.1", 35_651_584, 2_139_095_040, 120_000),
        ("6.2", 35_651_584, 4_278_190_080, 240_000),
    )
)

_H264_BY_NAME = {level.name: level for level in _H264}
_HEVC_BY_NAME = {level.name: level for level in _HEVC}

H264_LEVELS = tuple(_H264_BY_NAME)
HEVC_LEVELS = tuple(_HEVC_BY_NAME)


def h264_level(demand: Demand, profile: str = "high") -> str | None:
    """The smallest H.264 level that holds the demand: "3.1". None where no level does."""
    return next((level for level in H264_LEVELS if not h264_excess(level, demand, profile)), None)


def h264_excess(level: str, demand: Demand, profile: str = "high") -> str | None:
    """Why an H.264 level cannot hold the demand, as the words after "level 3.0 holds …"; None if it can.

    Raises KeyError for a level that is not in `H264_LEVELS`. Limits: ISO/IEC 14496-10 A.3.1 and A.3.2.
    """
    limit = _H264_BY_NAME[level]
    factor = _H264_FACTOR[profile]
    wide, high = -(-demand.width // 16), -(-demand.height // 16)
    longest = math.isqrt(8 * limit.blocks)
    return _first_excess(
        ("macroblocks a picture", wide * high, limit.blocks),
        ("macroblocks a side", max(wide, high), longest),
        ("macroblocks a second", math.ceil(wide * high * demand.rate), limit.blocks_rate),
        ("macroblocks in all kept pictures", wide * high * demand.pictures, limit.kept),
        ("bits/s of maxrate", demand.maxrate, limit.bitrate * factor),
        ("bits of bufsize", demand.bufsize, limit.buffer * factor),
    )


def hevc_excess(level: str, demand: Demand) -> str | None:
    """Why an HEVC level (Main tier) cannot hold the demand; None if it can.

    Raises KeyError for a level that is not in `HEVC_LEVELS`. Limits: ISO/IEC 23008-2 A.4.1 and A.4.2.
    """
    limit = _HEVC_BY_NAME[level]
    wide, high = -(-demand.width // 8) * 8, -(-demand.height // 8) * 8  # MinCbSizeY of all encoders here
    samples = wide * high
    longest = math.isqrt(8 * limit.samples)
    return _first_excess(
        ("samples a picture", samples, limit.samples),
        ("samples a side", max(wide, high), longest),
        ("samples a second", math.ceil(samples * demand.rate), limit.samples_rate),
        ("bits/s of maxrate", demand.maxrate, limit.bitrate * 1000),
        ("bits of bufsize", demand.bufsize, limit.bitrate * 1000),
    )


def _first_excess(*rules: tuple[str, int, int]) -> str | None:
    for unit, asked, allowed in rules:
        if asked > allowed:
            return f"{allowed} {unit}, not {asked}"
    return None
