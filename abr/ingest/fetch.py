"""One HTTP answer after another, for what is pulled: guarded, time-limited, and to be ended from any thread."""

import base64
import http.client
import socket
import ssl
import threading
from contextlib import suppress
from email.message import Message
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from abr.config.secret import masked_url
from abr.errors import FeedLost, FeedRefused, FeedUnreadable
from abr.ingest.guard import Guard

_PATIENCE = 10.0
"""Seconds to connect, and to wait for the next bytes."""

_REDIRECTS = 5
_MOVED = frozenset((301, 302, 303, 307, 308))
_FOR_NOW = frozenset((408, 425, 429, 500, 502, 503, 504))
"""Answers after which the same request may succeed."""

_AS_IT_IS = "/%:=&?~#+!$,;'@()*[]"


class Place(NamedTuple):
    """What credentials are for."""

    scheme: str
    host: str
    port: int


class Answer:
    """The body of an answer, as it comes. One thread reads it."""

    def __init__(self, exchange: "_Exchange", url: str, start: int) -> None:
        response = exchange.response
        self.url = url
        """Where it came from after all redirects; not for logs."""
        self.start = start
        """The offset of its first byte in the whole."""
        self._exchange, self._response = exchange, response
        self.closed = False
        """Whether the connection was let go of."""
        whole = response.getheader("Content-Range", "").rpartition("/")[2]
        length = response.length
        self.size = int(whole) if whole.isdecimal() else None if length is None else start + length
        """Bytes of the whole, None where the server does not say."""
        self.ranges = response.status == 206 or response.getheader("Accept-Ranges", "") == "bytes"
        """Whether a part of it may be asked for."""
        self.validator = _validator(response.headers)
        self.encoding = response.getheader("Content-Encoding", "").strip().lower()
        self._left = length

    def read(self, size: int) -> bytes:
        """At least one byte and at most `size`; b"" at the end. Raises FeedLost where it broke off."""
        try:
            data = self._response.read1(size)
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            raise FeedLost(f"{masked_url(self.url)} broke off: {reason_of(error)}") from error
        if self._left is not None:
            self._left -= len(data)
            if not data and self._left > 0:
                raise FeedLost(f"{masked_url(self.url)} broke off: the connection was closed")
        return data

    def close(self) -> None:
        """Let go of the connection."""
        self.closed = True
        self._exchange.close()


class Fetcher:
    """Asks for URLs. What stands before "@" in `url` goes to that server alone."""

    def __init__(self, url: str, guard: Guard) -> None:
        parts = urlsplit(url)
        self._home = _place(parts)
        self._authorization = _basic(parts)
        self._guard = guard
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._answers: list[Answer] = []
        self._stopped = ""
        self._tls: ssl.SSLContext | None = None

    def get(self, url: str, start: int = 0, validator: str = "") -> Answer:
        """The answer for `url` from byte `start` on, redirects followed.

        With `validator` only the same version of it is taken. Raises FeedLost (again may help), FeedRefused
        (not allowed), FeedUnreadable (the server said no).
        """
        for _ in range(_REDIRECTS + 1):
            exchange = self._ask(url, start, validator)
            response = exchange.response
            target = response.getheader("Location") if response.status in _MOVED else None
            if target is None:
                return self._accepted(exchange, url, start)
            exchange.close()
            url = joined(url, target)
        raise FeedUnreadable(f"{masked_url(url)} redirects again and again")

    def abort(self, reason: str) -> None:
        """End all answers and allow no more; from any thread."""
        with self._lock:
            self._stopped = self._stopped or reason
            for connection in self._sockets:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of all connections, in the thread that reads."""
        for answer in self._answers:
            answer.close()

    def _ask(self, url: str, start: int, validator: str) -> "_Exchange":
        check_url(url)
        parts = urlsplit(url)
        place = _place(parts)
        headers = {"User-Agent": "abr", "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}
        if self._authorization and place == self._home:
            headers["Authorization"] = self._authorization
        if start:
            headers["Range"] = f"bytes={start}-"
        if start and validator:
            headers["If-Range"] = validator
        path = quote(parts.path or "/", _AS_IT_IS) + (
            f"?{quote(parts.query, _AS_IT_IS)}" if parts.query else ""
        )
        connection: _Connection | None = None
        try:
            connection = _Connection(place, self._open(place))
            connection.request("GET", path, headers=headers)
            return _Exchange(connection, connection.getresponse())
        except ssl.SSLCertVerificationError as error:
            raise FeedUnreadable(
                f"{place.host}: the certificate is not valid: {error.verify_message}"
            ) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            if connection is not None:
                connection.close()
            raise FeedLost(
                f"{masked_url(url)} did not answer: {self._stopped or reason_of(error)}"
            ) from error

    def _open(self, place: Place) -> socket.socket:
        connection = self._guard.connect(place.host, place.port, _PATIENCE)
        connection.settimeout(_PATIENCE)
        if place.scheme == "https":
            self._tls = self._tls or ssl.create_default_context()
            try:
                connection = self._tls.wrap_socket(connection, server_hostname=place.host)
            except BaseException:
                connection.close()
                raise
        with self._lock:
            self._sockets = {known for known in self._sockets if known.fileno() >= 0} | {connection}
            if self._stopped:
                connection.close()
                raise FeedLost(self._stopped)
        return connection

    def _accepted(self, exchange: "_Exchange", url: str, start: int) -> Answer:
        response = exchange.response
        status, name = response.status, masked_url(url)
        if status == 200 or (status == 206 and start):
            answer = Answer(exchange, url, start if status == 206 else 0)
            if status == 206 and not response.getheader("Content-Range", "").startswith(f"bytes {start}-"):
                answer.close()
                raise FeedUnreadable(f"{name} answered with another part than was asked for")
            self._answers = [*(known for known in self._answers if not known.closed), answer]
            return answer
        exchange.close()
        text = f"{name} answered {status} {response.reason[:80]}".rstrip()
        raise FeedLost(text) if status in _FOR_NOW else FeedUnreadable(text)


class _Connection(http.client.HTTPConnection):
    """A connection over a socket that is open already."""

    def __init__(self, place: Place, opened: socket.socket) -> None:
        super().__init__(place.host, place.port)
        self.default_port = _default_port(place.scheme)
        self.sock = opened


class _Exchange(NamedTuple):
    """A connection and what came over it. A server that would keep it open is not waited for."""

    connection: _Connection
    response: http.client.HTTPResponse

    def close(self) -> None:
        with suppress(OSError):
            self.response.close()
        self.connection.close()


def joined(base: str, target: str) -> str:
    """`target` as seen from `base`, checked. Raises FeedRefused."""
    try:
        url = urljoin(base, target.strip())
    except ValueError:
        raise FeedRefused(f"{masked_url(base)} leads to what is no URL") from None
    check_url(url, base)
    return url


def check_url(url: str, base: str = "") -> None:
    """Raise FeedRefused unless it is http:// or https:// and a host."""
    scheme = url.partition(":")[0].lower()
    where = f"{masked_url(base)} leads to" if base else "there is"
    if scheme not in {"http", "https"}:
        raise FeedRefused(f"{where} {scheme[:20]}: where only http and https may be followed")
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or any(letter <= " " or letter == "\x7f" for letter in url):
        raise FeedRefused(f"{where} what is no URL")


def reason_of(error: BaseException) -> str:
    """Why an exchange failed, without addresses."""
    if isinstance(error, TimeoutError):
        return f"nothing came for {_PATIENCE:.0f} s"
    if isinstance(error, http.client.HTTPException):
        return (
            "it is no HTTP"
            if not isinstance(error, http.client.IncompleteRead)
            else "the connection was closed"
        )
    return str(getattr(error, "strerror", "") or str(error) or type(error).__name__)


def _place(parts: SplitResult) -> Place:
    scheme = parts.scheme.lower()
    return Place(scheme, parts.hostname or "", parts.port or _default_port(scheme))


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _basic(parts: SplitResult) -> str:
    if parts.username is None:
        return ""
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _validator(headers: Message) -> str:
    """What If-Range takes: a strong ETag, else the date (RFC 9110 13.1.5)."""
    tag = str(headers.get("ETag", ""))
    return tag if tag.startswith('"') else str(headers.get("Last-Modified", ""))
