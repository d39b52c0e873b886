"""Orders to the worker over HTTP: which input is on air."""

import ipaddress
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from abr.config.secret import Secret

LONGEST = 1000
"""Bytes of an order."""

_OWN_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_USAGE = 'send {"input": 1} (or 2, …), or {"input": "auto"}, as application/json\n'

Answer = tuple[HTTPStatus, str]


@dataclass(frozen=True, slots=True)
class Control:
    """Who may choose among `inputs` inputs, and how it is done."""

    inputs: int
    choose: Callable[[int | None], None]
    """Takes an input's place, counted from 0, or None for the rules."""
    token: Secret | None = None
    """What must be shown; None: orders come from this machine alone."""

    def order(self, peer: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Obey or refuse one order. `headers` finds names in any case."""
        if not self._allowed(peer, headers):
            told = "show the token (Authorization: Bearer …)" if self.token else "this machine only"
            return HTTPStatus.FORBIDDEN, f"{told}\n"
        # A page of another site can post forms and text, but not this type.
        if headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _USAGE
        wanted = _wanted(body)
        if wanted is None:
            return HTTPStatus.BAD_REQUEST, _USAGE
        if not 0 <= wanted <= self.inputs:
            return HTTPStatus.BAD_REQUEST, f"there are inputs 1 to {self.inputs}\n"
        self.choose(wanted - 1 if wanted else None)
        return HTTPStatus.OK, f"input {wanted}\n" if wanted else "auto\n"

    def _allowed(self, peer: str, headers: Mapping[str, str]) -> bool:
        if self.token is not None:
            scheme, _, shown = headers.get("Authorization", "").partition(" ")
            return scheme.lower() == "bearer" and self.token.matches(shown.strip())
        # A foreign name that leads here (DNS rebinding) is a page of another site.
        host = headers.get("Host", "").lower().removesuffix(".")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        return ipaddress.ip_address(peer.partition("%")[0]).is_loopback and name in _OWN_NAMES


def _wanted(body: bytes) -> int | None:
    """The number of an input, 0 for "auto"; None for what is no order."""
    try:
        wanted = json.loads(body)["input"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if wanted == "auto":
        return 0
    plain = isinstance(wanted, int) and not isinstance(wanted, bool) and wanted
    return wanted if plain else None
