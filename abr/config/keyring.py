"""The stream keys of a channel: who may publish. Of each key only its SHA-256 is kept."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from abr.config.secret import Secret
from abr.errors import ConfigError

MAX_FILE = 1 << 20
"""Bytes of a keys file: some ten thousand keys. A larger one is another file."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KEY = re.compile(r"[!-~]{1,256}")
_HASHED = "sha256:"
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_EXAMPLE = "studio sha256:…"


@dataclass(frozen=True, slots=True)
class Keyring:
    """Publishers' names and their keys' digests. A name may have several keys, an old one and a new one."""

    entries: tuple[tuple[str, bytes], ...] = field(repr=False)
    written_out: tuple[str, ...] = ()
    """Names whose key stands in the file itself."""

    def name_of(self, candidate: str) -> str | None:
        """Whose key this is, None for nobody's. Takes equally long whichever it is, and for a near miss."""
        digest = _digest(candidate)
        found: str | None = None
        for name, own in self.entries:
            if hmac.compare_digest(own, digest):
                found = name
        return found


def keyring_of(key: Secret) -> Keyring:
    """The one key of an address; its publisher has no name ("")."""
    return Keyring((("", _digest(key.reveal())),))


def read_keys(path: Path, option: str = "keys") -> Keyring:
    """The keys in a file. Raises ConfigError, with the line's number and without what may be a key."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise ConfigError(option, f"{str(path)!r} cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_FILE:
        raise ConfigError(option, f"{str(path)!r} has more than {MAX_FILE} bytes; it is no list of keys")
    try:
        return parse_keys(data.decode("utf-8-sig").splitlines())
    except (ValueError, UnicodeDecodeError) as error:
        reason = "it is no text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise ConfigError(option, f"{str(path)!r} {reason}") from None


def parse_keys(lines: Iterable[str]) -> Keyring:
    """Keys, one a line: `name sha256:digest`, or `name key`; `#` begins a remark. Raises ValueError."""
    entries: list[tuple[str, bytes]] = []
    written_out: list[str] = []
    names: dict[bytes, str] = {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2:
            raise ValueError(f"line {number} is not a name and a key; write {_EXAMPLE}")
        name, digest = _checked_name(words[0], number), _read_digest(words[1], number)
        if names.setdefault(digest, name) != name:
            raise ValueError(f"line {number}: {name!r} has the key of {names[digest]!r}; each has its own")
        entries.append((name, digest))
        if not words[1].startswith(_HASHED):
            written_out.append(name)
    if not entries:
        raise ValueError(f"holds no key; write a line {_EXAMPLE}")
    return Keyring(tuple(entries), tuple(written_out))


def _checked_name(text: str, number: int) -> str:
    # A line that lacks its name begins with the key: it is not repeated here.
    if not _NAME.fullmatch(text):
        raise ValueError(f"line {number} has no usable name; letters, digits, '.', '_' and '-', at most 64")
    return text


def _read_digest(text: str, number: int) -> bytes:
    if text.startswith(_HASHED):
        digest = text.removeprefix(_HASHED)
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"line {number}: {_HASHED} is followed by 64 hexadecimal digits")
        return bytes.fromhex(digest)
    if not _KEY.fullmatch(text) or set(text) & set("/?#"):
        raise ValueError(f"line {number} has a key with letters that encoders change; no '/', '?' or '#'")
    return _digest(text)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
