"""Strict tables: TOML in, typed values out, and every mistake as one ConfigError with its path."""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from abr.config import units
from abr.config.rate import RungRate, parse_rate
from abr.errors import ConfigError
from abr.log import redact


class Table(BaseModel):
    """One table of a TOML file: unknown keys are mistakes, and nothing is converted silently."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)


def _reader(expected: type, parse: Callable[[object], object]) -> BeforeValidator:
    """A validator that leaves values alone that have their type already (defaults)."""
    return BeforeValidator(lambda value: value if isinstance(value, expected) else parse(value))


def _number_text(value: object) -> object:
    """Numbers as text, for keys like `preset` and `level` that are names made of digits."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Bitrate = Annotated[int, BeforeValidator(units.bitrate)]
Duration = Annotated[Fraction, _reader(Fraction, units.duration)]
SizeText = Annotated[units.Size, _reader(units.Size, units.size)]
Rate = Annotated[RungRate, _reader(RungRate, parse_rate)]
Word = Annotated[str, BeforeValidator(_number_text)]

T = TypeVar("T", bound=BaseModel)

_MESSAGES = {
    "string_type": "{value} is not text; put it in quotes",
    "int_type": "{value} is not a whole number",
    "bool_type": "{value} is not true or false",
    "list_type": "{value} is not a list",
    "tuple_type": "{value} is not a list",
    "dict_type": "{value} is not a table",
    "model_type": "{value} is not a table",
}
"""What is said instead of pydantic's words, which name Python types."""


def parse_toml(text: str, name: str) -> dict[str, Any]:
    """The tables of a TOML text; `name` is the file's, for the error. Raises ConfigError."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("", f"{name} is not TOML: {error}") from error


def parse_table(model: type[T], raw: Mapping[str, Any]) -> T:
    """A checked table. Raises ConfigError for the first mistake, its path as in `video[2].bitrate`.

    Places in lists count from 1: `video[1]` is the first `[[video]]`.
    """
    try:
        return model.model_validate(_tuples(raw))
    except ValidationError as error:
        raise _config_error(model, error.errors()[0]) from None


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence: "; did you mean 'height'?" for a misspelt word, or the known words where none is near."""
    words = sorted(known)
    close = difflib.get_close_matches(word, words, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(words)}"


def _tuples(value: Any) -> Any:
    """TOML's lists as tuples, so that checked tables are frozen all the way down."""
    if isinstance(value, Mapping):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _config_error(model: type[BaseModel], mistake: ErrorDetails) -> ConfigError:
    place = tuple(mistake["loc"])
    kind, value = mistake["type"], mistake["input"]
    if kind == "extra_forbidden":
        fields = _table_at(model, place[:-1]).model_fields
        known = [field.alias or name for name, field in fields.items()]
        message = f"unknown key{nearest(str(place[-1]), known)}"
    elif kind == "missing":
        message = "is missing"
    elif kind == "value_error":
        message = str(mistake["ctx"]["error"])
    else:
        message = _MESSAGES.get(kind, f"{{value}}: {mistake['msg']}").format(value=_shown(value))
    return ConfigError(path_text(place), message)


def path_text(place: Sequence[int | str]) -> str:
    """A place in nested tables as the user would write it: ("video", 1, "bitrate") → `video[2].bitrate`."""
    text = ""
    for step in place:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def root_key(path: str) -> str:
    """The key that a path begins with: `to` of `to[2].region`."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _table_at(model: type[BaseModel], place: Sequence[int | str]) -> type[BaseModel]:
    """The table that a place lies in: ("video", 1) of the profile is the rung's."""
    for step in place:
        if isinstance(step, str):
            inner = [model.model_fields[step].annotation, *get_args(model.model_fields[step].annotation)]
            model = next(kind for kind in inner if isinstance(kind, type) and issubclass(kind, BaseModel))
    return model


def _shown(value: object) -> str:
    text = redact(repr(value))
    return text if len(text) <= 40 else f"{text[:37]}…"
