"""Strict tables: TOML in, typed values out, and every mistake as one ConfigError with its path."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_args

import msgspec

from abr.config.written import read, shown
from abr.errors import ConfigError


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of a TOML file: unknown keys are mistakes, and nothing is converted silently."""


T = TypeVar("T", bound=Table)
Place = tuple[str | int, ...]
"""A place in nested tables, counting from 0: ("video", 1, "bitrate")."""

_KINDS = {
    "str": "text; put it in quotes",
    "int": "a whole number",
    "int | float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "str | object": "text or a table",
    "object | str": "text or a table",
}
"""What the user calls the types that msgspec names."""


def parse_toml(text: str, name: str) -> dict[str, Any]:
    """The tables of a TOML text; `name` is the file's, for the error. Raises ConfigError."""
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError is one, and so is a number of too many digits
        raise ConfigError("", f"{name} is not TOML: {error}") from error


def parse_table(model: type[T], raw: Mapping[str, Any]) -> T:
    """A checked table. Raises ConfigError for the first mistake, its path as in `video[2].bitrate`.

    Places in lists count from 1: `video[1]` is the first `[[video]]`.
    """
    try:
        return msgspec.convert(raw, model, dec_hook=read)
    except msgspec.ValidationError as error:
        raise _config_error(model, raw, error) from None


def keys(model: type[Table]) -> tuple[str, ...]:
    """The keys that a table may hold."""
    return model.__struct_encode_fields__


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence: "; did you mean 'height'?" for a misspelt word, or the known words where none is near."""
    import difflib  # noqa: PLC0415 - for mistakes only

    words = sorted(known)
    close = difflib.get_close_matches(word, words, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(words)}"


def path_text(place: Sequence[int | str]) -> str:
    """A place in nested tables as the user would write it: ("video", 1, "bitrate") → `video[2].bitrate`."""
    text = ""
    for step in place:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def root_key(path: str) -> str:
    """The key that a path begins with: `to` of `to[2].region`."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _config_error(model: type[Table], raw: Mapping[str, Any], error: msgspec.ValidationError) -> ConfigError:
    message, place = _parts(str(error))
    if error.__cause__ is not None:  # `read` refused the value
        message = str(error.__cause__)
    elif message.startswith("Object contains unknown field"):
        # A key's name may look like a place; below the first table msgspec adds the true one behind it.
        place = () if raw.keys() - set(keys(model)) else place
        known = keys(_table_at(model, place))
        key = next(key for key in _value_at(raw, place) if key not in known)
        place, message = (*place, key), f"unknown key{nearest(key, known)}"
    elif missing := re.fullmatch(r"Object missing required field `(\w+)`", message):
        place, message = (*place, missing[1]), "is missing"
    else:
        expected = re.match(r"Expected `(.+?)(?: \| null)?`, got", message)
        kind = _KINDS.get(expected[1]) if expected else None
        message = f"{shown(_value_at(raw, place))}{f' is not {kind}' if kind else f': {message}'}"
    return ConfigError(path_text(place), message)


def _parts(text: str) -> tuple[str, Place]:
    """What msgspec says, and where: "Expected … - at `$.video[1].bitrate`"."""
    message, mark, path = text.rpartition(" - at `$")
    steps = re.findall(r"\.(\w+)|\[(\d+)\]", path)
    return message if mark else text, tuple(name or int(index) for name, index in steps)


def _table_at(model: type[Table], place: Place) -> type[Table]:
    """The table that a place lies in: ("video", 1) of the profile is the rung's."""
    for step in place:
        if isinstance(step, str):
            kind = next(field.type for field in msgspec.structs.fields(model) if field.encode_name == step)
            model = next(part for part in _inner(kind) if isinstance(part, type) and issubclass(part, Table))
    return model


def _inner(kind: Any) -> Iterator[Any]:
    """A type and all that it is made of: the table in `tuple[str | OriginTable, ...]`."""
    yield kind
    for part in get_args(kind):
        yield from _inner(part)


def _value_at(raw: Any, place: Place) -> Any:
    for step in place:
        raw = raw[step]
    return raw
