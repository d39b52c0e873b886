"""Log lines: an event and its keys. Text for a person, JSON for a machine; never a secret."""

import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

_SECRETS = re.compile(
    r"(?i)((?:passphrase|streamid|password|secret|token|signature|x-amz-[a-z-]+)=)[^&\s]+"
    # The key of an RTMP address is all that follows the application, also behind a user and password.
    r"|(?<=rtmp://)((?:[^/@\s]+@)?[^/\s]+/[^/\s]+/)[^\s?]+"
    r"|(?<=rtmps://)((?:[^/@\s]+@)?[^/\s]+/[^/\s]+/)[^\s?]+"
)
_USER = re.compile(r"(?<=://)[^/\s]+(?=@)")
"""To the last @ before the path: a password may hold one itself."""


def redact(text: str) -> str:
    """The text without user names, passwords, passphrases, signatures and stream keys of addresses.

    >>> redact("rtmp://127.0.0.1:1935/live/hunter2 and srt://a:9000?passphrase=hunter2&latency=1")
    'rtmp://127.0.0.1:1935/live/*** and srt://a:9000?passphrase=***&latency=1'
    """
    text = _SECRETS.sub(lambda match: f"{next((kept for kept in match.groups() if kept), '')}***", text)
    return _USER.sub("***", text)


class Logger:
    """A named source of log lines. structlog is loaded with the first line, not with the program."""

    def __init__(self, name: str, **bound: object) -> None:
        self._name = name
        self._bound = bound

    def bind(self, **values: object) -> "Logger":
        """The same logger with keys that stand in each line."""
        return Logger(self._name, **{**self._bound, **values})

    def info(self, event: str, **values: object) -> None:
        """What an operator reads to follow the event."""
        self._write("info", event, values)

    def warning(self, event: str, **values: object) -> None:
        """What an operator should look at today."""
        self._write("warning", event, values)

    def error(self, event: str, **values: object) -> None:
        """What an operator should look at now."""
        self._write("error", event, values)

    def debug(self, event: str, **values: object) -> None:
        """What only a developer wants; hidden unless asked for."""
        self._write("debug", event, values)

    def _write(self, level: str, event: str, values: dict[str, object]) -> None:
        if _LEVELS[level] < _state.level:
            return
        logger = _state.logger()
        getattr(logger, level)(event, part=self._name, **{**self._bound, **values})


_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class _State:
    """How lines are written; set once by `configure`."""

    def __init__(self) -> None:
        self.level = _LEVELS["info"]
        self.json = False
        self.stream: TextIO | None = None
        self._logger: Any = None

    def logger(self) -> Any:
        if self._logger is None:
            self._logger = _make_logger(json=self.json, stream=self.stream or sys.stderr)
        return self._logger

    def reset(self) -> None:
        self._logger = None


_state = _State()


def configure(*, json: bool = False, level: str = "info", stream: TextIO | None = None) -> None:
    """Choose the form of log lines. Called once, by the command line (and by tests)."""
    _state.level, _state.json, _state.stream = _LEVELS[level], json, stream
    _state.reset()


def _make_logger(*, json: bool, stream: TextIO) -> Any:
    import structlog  # noqa: PLC0415 - half of a short command's start-up

    renderer: Any = structlog.processors.JSONRenderer()
    if not json:
        renderer = structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=28
        )
    return structlog.wrap_logger(
        structlog.PrintLogger(stream),
        wrapper_class=structlog.BoundLogger,
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _redact_values,
            structlog.processors.format_exc_info,
            renderer,
        ],
    )


def _redact_values(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = redact(value)
        elif isinstance(value, Exception):
            event[key] = redact(str(value))
    return event
