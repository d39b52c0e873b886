"""Encoder options of a rung: what the encoder always gets, with the profile's own laid over it."""

from collections.abc import Mapping

from abr.config.encoder import Encoder
from abr.errors import ConfigError

_REASON = "the timeline or a key of the rung sets it"


def option_texts(raw: Mapping[str, object], path: str) -> dict[str, str]:
    """The `options` table as FFmpeg wants it: text, true as 1, false as 0. Raises ConfigError.

    `path` is the table's own: `video[1].options`.
    """
    return {key: _text(value, f"{path}.{key}") for key, value in raw.items()}


def check_options(encoder: Encoder, options: Mapping[str, str], path: str) -> None:
    """Refuse options that would break the timeline or that a rung's own key sets. Raises ConfigError."""
    for key, value in options.items():
        if key in encoder.fixed:
            raise ConfigError(f"{path}.{key}", f"cannot be set for {encoder.name}: {_REASON}")
        if key == encoder.params_key:
            _check_params(encoder, value, f"{path}.{key}")


def encoder_options(
    encoder: Encoder, own: Mapping[str, str], *, threads: int, level: str | None
) -> dict[str, str]:
    """All options of an encoder: what it always gets, then the profile's, then threads and level."""
    options = {**encoder.options, **own}
    params = {**encoder.params, **_params(own.get(encoder.params_key, ""))}
    if encoder.threads_param:
        params[encoder.threads_param] = str(threads)
    if encoder.level_param and level:
        params[encoder.level_param] = level
    if params:
        options[encoder.params_key] = ":".join(
            f"{key}={value}" if value else key for key, value in params.items()
        )
    return options


def _check_params(encoder: Encoder, text: str, path: str) -> None:
    for key in _params(text):
        plain = key.replace("_", "-").removeprefix("no-")
        if plain in encoder.fixed_params:
            raise ConfigError(path, f"{key!r} cannot be set for {encoder.name}: {_REASON}")


def _params(text: str) -> dict[str, str]:
    """`a=1:b=2:c` as a mapping; a parameter without a value has ""."""
    return {key: value for key, _, value in (item.partition("=") for item in text.split(":")) if key}


def _text(value: object, path: str) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value)
    raise ConfigError(path, "an encoder option is text, a number, true or false")
