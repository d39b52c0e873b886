"""Where settings come from: a channel file, under `ABR_…` variables, under the command's options."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abr.config.schema import Table, keys, parse_toml, root_key
from abr.errors import ConfigError

_INPUTS = frozenset({"listen", "pull"})
_LISTS = frozenset({"to", "listen"})
"""A path that is pulled may hold spaces."""
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
_NEVER = frozenset({"files", "once", "pull_private"})
"""Keys that belong to one call and not to a machine."""


@dataclass(frozen=True, slots=True)
class Layers:
    """The keys of each place, raw. Later places win: file, environment, options."""

    path: Path | None
    file: Mapping[str, Any]
    environment: Mapping[str, Any]
    options: Mapping[str, Any]

    def merged(self) -> dict[str, Any]:
        """One table. `listen` and `pull` are one choice: a later place's replaces both."""
        merged: dict[str, Any] = {}
        for layer in (self.file, self.environment, self.options):
            if _INPUTS & layer.keys():
                merged = {key: value for key, value in merged.items() if key not in _INPUTS}
            merged.update(layer)
        return merged

    def base(self, key: str) -> Path:
        """The folder that relative paths of a key start from: the file's, where the value stands in it."""
        return self.path.parent if self.path and self.in_file(key) else Path()

    def in_file(self, key: str) -> bool:
        """Whether the value of a key is the file's."""
        return key in self.file and key not in self.environment and key not in self.options

    def placed(self, error: ConfigError) -> ConfigError:
        """The mistake, with the file's name where the key stands in it."""
        if self.path and not error.hint and self.in_file(root_key(error.path)):
            error.hint = f"in {self.path.name}"
        return error


def read_layers(
    table: type[Table], path: Path | None, environ: Mapping[str, str], options: Mapping[str, Any]
) -> Layers:
    """The layers of a command whose keys are those of `table`. Raises ConfigError for an unreadable file."""
    return Layers(path, _file(path) if path else {}, _environment(table, environ), _given(options))


def _file(path: Path) -> dict[str, Any]:
    if _ADDRESS.match(str(path)):  # it may hold a key, and is not shown
        raise ConfigError(
            "", "what stands alone is a channel file; an address comes after --listen, --pull or --to"
        )
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError("", f"channel file {path} cannot be read: {reason}") from error
    return parse_toml(text, path.name)


def _environment(table: type[Table], environ: Mapping[str, str]) -> dict[str, Any]:
    """The keys that `ABR_LISTEN` and its like set; lists are separated by spaces."""
    values = {key: environ.get(f"ABR_{key.upper()}") for key in keys(table) if key not in _NEVER}
    return {key: value.split() if key in _LISTS else value for key, value in values.items() if value}


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that stood on the command line; click gives None, False or () for the others."""
    given = {key: value for key, value in options.items() if value is not None and value is not False}
    return {key: _plain(value) for key, value in given.items() if value not in ((), [])}


def _plain(value: Any) -> Any:
    """Paths as the text that a file would hold."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
