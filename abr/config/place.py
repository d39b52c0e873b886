"""A place on this machine as the user writes it: `~` is his home, relative paths start somewhere."""

from pathlib import Path

from abr.errors import ConfigError


def parse_path(text: str, base: Path, key: str) -> Path:
    """The path of `text`, from `base` on where it is relative. Raises ConfigError for a home that nobody has."""
    try:
        return base / Path(text).expanduser()
    except RuntimeError:
        raise ConfigError(
            key, f"{text!r} begins with a home that is not known; write the path in full"
        ) from None
