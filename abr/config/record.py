"""Where the feeds of a channel are recorded as they come, and how much of them is kept."""

from dataclasses import dataclass
from pathlib import Path

from abr.config.units import volume_text
from abr.errors import ConfigError

QUOTA = 50_000_000_000
"""Bytes that are kept unless asked otherwise: 11 h of 10 Mb/s."""

_LEAST, _MOST = 10_000_000, 1_000_000_000_000_000


@dataclass(frozen=True, slots=True)
class Record:
    """`record_feed` and `record_quota`, checked."""

    folder: Path
    quota: int
    """Bytes; the oldest files go first."""


def make_record(folder: Path | None, quota: int) -> Record | None:
    """The record of a channel; None for none. Raises ConfigError."""
    if not _LEAST <= quota <= _MOST:
        low, high, own = (volume_text(size) for size in (_LEAST, _MOST, quota))
        raise ConfigError("record_quota", f"{own} is out of range; {low} to {high}")
    if folder is not None and folder.exists() and not folder.is_dir():
        raise ConfigError("record_feed", f"{str(folder)!r} is not a folder")
    return None if folder is None else Record(folder, quota)
