"""Where the judged objects lie: a folder or an HTTP server."""

import http.client
import urllib.error
import urllib.request
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from email.message import Message
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urldefrag, urljoin, urlsplit
from urllib.request import Request, url2pathname

from abr.errors import UsageError
from abr.log import redact

_LARGEST = 512 * 1024 * 1024
"""No object of a stream is larger; a longer answer is cut off and reported."""

_OK = frozenset({200, 206})


class Span(NamedTuple):
    """A byte range: `size` bytes from `start`."""

    start: int
    size: int


class Answer(NamedTuple):
    """What a store or server said. `status` 0 means no answer at all, with `reason`."""

    url: str
    status: int
    headers: Mapping[str, str]
    """By lower-case name; empty for files."""
    body: bytes
    reason: str = ""
    landed: str = ""
    """The address after redirects, where there were any."""

    @property
    def ok(self) -> bool:
        """Whether the object is there."""
        return self.status in _OK

    @property
    def problem(self) -> str:
        """Why it is not there, for a person."""
        return f"HTTP {self.status}" if self.status and not self.url.startswith("file:") else self.reason


class Source:
    """Reads objects of one target, and keeps the immutable ones for a second look.

    `timeout` is in seconds for each read of an HTTP connection, `keep` the bytes that are kept.
    """

    def __init__(self, *, timeout: int = 10, keep: int = 256 * 1024 * 1024) -> None:
        self._timeout = timeout
        self._keep = keep
        self._kept: OrderedDict[tuple[str, Span | None], Answer] = OrderedDict()
        self._size = 0
        self._opener = _opener()

    def read(self, url: str, span: Span | None = None, *, immutable: bool = False) -> Answer:
        """The object as it is now, or, if `immutable`, as it was at the first look."""
        if not immutable:
            return self._fetch(url, span, method="GET")
        known = self._kept.get((url, span))
        if known is not None:
            self._kept.move_to_end((url, span))
            return known
        answer = self._fetch(url, span, method="GET")
        if answer.ok:
            self._remember((url, span), answer)
        return answer

    def probe(self, url: str) -> Answer:
        """Whether the object is there now, without its bytes."""
        return self._fetch(url, None, method="HEAD")

    def _fetch(self, url: str, span: Span | None, *, method: str) -> Answer:
        scheme = _scheme(url)
        if scheme == "file":
            return _read_file(url, span, whole=method == "GET")
        if scheme in {"http", "https"}:
            return self._request(url, span, method)
        return Answer(url, 0, {}, b"", f"{redact(url[:80])!r} is not an address that a player fetches")

    def _request(self, url: str, span: Span | None, method: str) -> Answer:
        headers = {"Accept-Encoding": "gzip", "User-Agent": "abr-verify"}
        if span is not None:
            headers = {"Range": f"bytes={span.start}-{span.start + span.size - 1}"}
        try:
            with self._opener.open(
                Request(url, headers=headers, method=method),  # noqa: S310 - the opener has no file handler
                timeout=self._timeout,
            ) as response:
                landed = response.geturl()
                body = _unpacked(response.read(_LARGEST), response.headers.get("Content-Encoding", ""))
                if span is not None and response.status == http.HTTPStatus.OK:
                    body = body[span.start : span.start + span.size]
                return Answer(
                    url, response.status, _lower(response.headers), body, "", landed if landed != url else ""
                )
        except urllib.error.HTTPError as error:
            with error:
                return Answer(url, error.code, _lower(error.headers), b"", str(error.reason))
        except (OSError, http.client.HTTPException, ValueError, zlib.error) as error:
            return Answer(url, 0, {}, b"", redact(f"{error}" or type(error).__name__))

    def _remember(self, key: tuple[str, Span | None], answer: Answer) -> None:
        self._kept[key] = answer
        self._size += len(answer.body)
        while self._size > self._keep:
            _, dropped = self._kept.popitem(last=False)
            self._size -= len(dropped.body)


def base_of(target: str) -> str:
    """The target as an address: an http(s) URL as it is, a path as file URL (a folder ends with /).

    Raises UsageError for other schemes and for paths that do not exist.
    """
    scheme = _scheme(target)
    if scheme in {"http", "https"}:
        return urldefrag(target).url
    if "://" in target:
        raise UsageError(f"{redact(target)}: only folders, files and http(s) addresses can be judged")
    path = Path(target).absolute()
    if not path.exists():
        raise UsageError(f"{target}: there is no such folder or file")
    return path.as_uri() + ("/" if path.is_dir() else "")


def resolve(base: str, reference: str) -> str:
    """The absolute address of a reference (RFC 3986 5.2). A server cannot point at this machine's files."""
    try:
        joined = urldefrag(urljoin(base, reference)).url
        scheme = urlsplit(joined).scheme
    except ValueError:
        return "invalid:" + reference
    return "refused:" + joined if scheme == "file" and not base.startswith("file:") else joined


def short(url: str, base: str) -> str:
    """The address as a person wants it in a report: relative to the entry point where it lies below."""
    folder = base.rsplit("/", 1)[0] + "/"
    return redact(url.removeprefix(folder))


def _scheme(url: str) -> str:
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""


def _read_file(url: str, span: Span | None, *, whole: bool) -> Answer:
    try:
        path = Path(url2pathname(urlsplit(url).path))
        if not path.is_file():
            return Answer(url, 404, {}, b"", "no such file")
        if not whole:
            return Answer(url, 200, {}, b"")
        with path.open("rb") as file:
            if span is None:
                return Answer(url, 200, {}, file.read(_LARGEST))
            file.seek(span.start)
            return Answer(url, 206, {}, file.read(min(span.size, _LARGEST)))
    except (OSError, ValueError, OverflowError) as error:
        return Answer(url, 0, {}, b"", str(error))


def _opener() -> urllib.request.OpenerDirector:
    """An opener without urllib's handlers for files and FTP: an answer cannot redirect there."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding.lower() != "gzip" or not body:
        return body
    return zlib.decompressobj(wbits=31).decompress(body, _LARGEST)


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
