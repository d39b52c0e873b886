"""Inits and segments as facts: each object is fetched and read once, whoever names it."""

from collections.abc import Callable
from typing import NamedTuple

from abr.errors import RemoteProtocolError
from abr.verify.fragment import Media, parse_segment
from abr.verify.init import Init, parse_init
from abr.verify.source import Answer, Source, Span


class Fault(NamedTuple):
    """Why an object cannot be judged: it is not there, or it is there and broken."""

    missing: bool
    text: str


class Library:
    """Facts of immutable objects. `seen` is called once for each object that was fetched (a progress bar)."""

    def __init__(self, source: Source, seen: Callable[[], None] = lambda: None) -> None:
        self.source = source
        self._seen = seen
        self._inits: dict[tuple[str, Span | None], Init | Fault] = {}
        self._media: dict[tuple[str, Span | None], Media | Fault] = {}
        self.answers: dict[str, Answer] = {}
        """The last answer for each object, without its bytes: status, headers, redirects."""

    def init(self, url: str, span: Span | None = None) -> Init | Fault:
        """The init at an address."""
        key = (url, span)
        if key not in self._inits:
            self._inits[key] = self._read_init(url, span)
        return self._inits[key]

    def segment(self, url: str, span: Span | None, init: Init, *, cut: bool = False) -> Media | Fault:
        """The segment at an address, read with its init; `cut` allows that the range ends within mdat."""
        key = (url, span)
        if key not in self._media:
            self._media[key] = self._read_segment(url, span, init, cut=cut)
        return self._media[key]

    def fault(self, url: str, span: Span | None = None) -> Fault | None:
        """Why a segment that was asked for could not be read; None if it was."""
        result = self._media.get((url, span))
        return result if isinstance(result, Fault) else None

    def _fetch(self, url: str, span: Span | None) -> Answer:
        answer = self.source.read(url, span, immutable=True)
        self.answers[url] = answer._replace(body=b"")
        self._seen()
        return answer

    def _read_init(self, url: str, span: Span | None) -> Init | Fault:
        answer = self._fetch(url, span)
        if not answer.ok:
            return Fault(missing=True, text=answer.problem)
        try:
            return parse_init(answer.body)
        except RemoteProtocolError as error:
            return Fault(missing=False, text=str(error))

    def _read_segment(self, url: str, span: Span | None, init: Init, *, cut: bool) -> Media | Fault:
        answer = self._fetch(url, span)
        if not answer.ok:
            return Fault(missing=True, text=answer.problem)
        try:
            return parse_segment(answer.body, init, cut=cut)
        except RemoteProtocolError as error:
            return Fault(missing=False, text=str(error))
