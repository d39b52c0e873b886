"""Values with a unit, as people write them: rates, durations, frame rates and sizes.

Each function takes what TOML or the command line gives (text or a number) and raises ValueError with one
sentence: the value, what it is not, and an example. Callers add the key's path.
"""

import re
from fractions import Fraction
from typing import NamedTuple

_NUMBER = r"(?:\d{1,12}(?:\.\d{1,9})?|\.\d{1,9})"
_BITRATE = re.compile(rf"({_NUMBER})\s*([kKmMgG]?)(?:bit/s|bps)?")
_DURATION = re.compile(rf"({_NUMBER})\s*(ms|s|min|h)?")
_LOUDNESS = re.compile(r"([-−]\d{1,2}(?:\.\d)?)\s*(?:LUFS|LKFS)?", re.IGNORECASE)
_RATE = re.compile(r"(\d{1,9})/(\d{1,9})|" + f"({_NUMBER})")
_SIZE = re.compile(r"(\d{1,5})\s*[xX×]\s*(\d{1,5})")

_THOUSANDS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000, "t": 1_000_000_000_000}
_SECONDS = {"ms": Fraction(1, 1000), "s": Fraction(1), "min": Fraction(60), "h": Fraction(3600)}

_VOLUME = re.compile(rf"({_NUMBER})\s*([kKmMgGtT]?)[bB]?")

HIGHEST_BITRATE = 1_000_000_000
"""Bits/s. Above it a value is a slip of the keyboard; encoders take 31 bits."""

HIGHEST_RATE = Fraction(300)
"""Frames a second, the most that a level of H.264 allows at any size (ISO/IEC 14496-10 A.3.1: 172, HEVC 300)."""

LOUDNESSES = -40.0, -5.0
"""LUFS that a programme can sensibly have: EBU R128 says -23, streaming services -14 to -18."""

_NTSC = {
    Fraction(text): Fraction(number * 1000, 1001)
    for text, number in (("23.976", 24), ("23.98", 24), ("29.97", 30), ("47.952", 48), ("59.94", 60))
} | {Fraction("119.88"): Fraction(120_000, 1001)}
"""What people write for rates that are a fraction of 1001."""


class Size(NamedTuple):
    """Width and height of a picture in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


def bitrate(value: object) -> int:
    """Bits/s of "800k", "2.5M", 800000. Raises ValueError."""
    match = _BITRATE.fullmatch(_text(value))
    if match is None:
        raise ValueError(f"{_shown(value)} is not a bitrate; write 800k, 2.5M or bits a second")
    bits = Fraction(match[1]) * _THOUSANDS[match[2].lower()]
    if bits.denominator != 1 or not 1 <= bits <= HIGHEST_BITRATE:
        raise ValueError(f"{_shown(value)} is no bitrate that an encoder takes; write 1 bit/s to 1G")
    return int(bits)


def volume(value: object) -> int:
    """Bytes of "50G", "500 MB", 1000000. Raises ValueError."""
    match = _VOLUME.fullmatch(_text(value))
    if match is None:
        raise ValueError(f"{_shown(value)} is not a size; write 500M, 50G or bytes")
    return int(Fraction(match[1]) * _THOUSANDS[match[2].lower()])


def duration(value: object) -> Fraction:
    """Seconds of "2s", "1500ms", "5min", "4h", 2 or 1.92. Raises ValueError."""
    match = _DURATION.fullmatch(_text(value))
    if match is None:
        raise ValueError(f"{_shown(value)} is not a duration; write 2s, 1500ms, 5min or seconds")
    return Fraction(match[1]) * _SECONDS[match[2] or "s"]


def loudness(value: object) -> float:
    """LUFS of "-23 LUFS", "-16" or -23. Raises ValueError."""
    match = _LOUDNESS.fullmatch(_text(value))
    if match is None:
        raise ValueError(f"{_shown(value)} is not a loudness; write -23 LUFS")
    level = float(match[1].replace("−", "-"))
    low, high = LOUDNESSES
    if not low <= level <= high:
        raise ValueError(f"{_shown(value)} is out of range; write {low:g} LUFS to {high:g} LUFS")
    return level


def rate(value: object) -> Fraction:
    """Frames a second of "25", "30000/1001", "29.97" (which means 30000/1001). Raises ValueError."""
    match = _RATE.fullmatch(_text(value))
    if match is None or match[2] == "0" * len(match[2] or "-"):
        raise ValueError(f"{_shown(value)} is not a frame rate; write 25, 29.97 or 30000/1001")
    exact = Fraction(int(match[1]), int(match[2])) if match[1] else Fraction(match[3])
    exact = _NTSC.get(exact, exact)
    if not 1 <= exact <= HIGHEST_RATE:
        raise ValueError(f"{_shown(value)} is no frame rate; write one from 1 to {HIGHEST_RATE}")
    return exact


def size(value: object) -> Size:
    """Pixels of "1280x720". Raises ValueError."""
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{_shown(value)} is not a size; write width and height, for example 1280x720")
    return Size(int(match[1]), int(match[2]))


def bitrate_text(bits: int) -> str:
    """Bits/s as a profile writes them: 2500000 → "2.5M", 800000 → "800k"."""
    for letter, unit in (("M", 1_000_000), ("k", 1_000)):
        if bits >= unit and bits % (unit // 1000) == 0:
            return f"{decimal(Fraction(bits, unit))}{letter}"
    return str(bits)


def volume_text(size: int) -> str:
    """Bytes as a person writes them: 50000000000 → "50G"."""
    for letter, unit in (("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if size >= unit:
            return f"{decimal(Fraction(round(Fraction(size, unit) * 10), 10))}{letter}"
    return str(size)


def duration_text(seconds: Fraction) -> str:
    """Seconds for a person: 300 → "5min", 1.92 → "1.92s", 2002/1000 → "2.002s"."""
    for unit, name in ((3600, "h"), (60, "min")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds // unit}{name}"
    return f"{decimal(seconds)}s"


def rate_text(exact: Fraction) -> str:
    """A frame rate as a profile writes it: "25", "12.5", "30000/1001"."""
    return decimal(exact) if (exact * 1000).denominator == 1 else str(exact)


def decimal(value: Fraction) -> str:
    """Decimal digits with at most six places, without trailing zeros."""
    digits = f"{round(value * 1_000_000):07d}"
    return f"{digits[:-6]}.{digits[-6:]}".rstrip("0").rstrip(".")


def _text(value: object) -> str:
    """Numbers as they were written, text as it is; "" for what has no unit (a boolean, a list)."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}…"
