"""A file behind a URL, as FFmpeg reads it: it may be sought in, and it goes on after its connection broke."""

from contextlib import suppress
from typing import Protocol

from abr.errors import FeedError, FeedLost, FeedUnreadable
from abr.ingest.fetch import Answer

_NEAR = 1 << 18
"""A step forward of so many bytes is read over rather than asked for."""


class Asking(Protocol):
    """Who asks for parts of the file, and says how long to try."""

    def get(self, url: str, start: int = 0, validator: str = "") -> Answer: ...
    def again(self, error: FeedLost) -> bool: ...
    def fail(self, error: FeedError) -> None: ...
    def count(self, size: int) -> None: ...


class WebFile:
    """Bytes `start` to `end` of a URL, whose first answer is there already with its first bytes read.

    One thread uses it. `read` never raises: the reason goes to `asking.fail`, and from then on it gives b"".
    """

    def __init__(
        self, asking: Asking, url: str, *, answer: Answer, head: bytes, start: int = 0, end: int | None = None
    ) -> None:
        self._asking, self._url = asking, url
        self.size = answer.size
        """Bytes of the whole file; None where the server does not say."""
        self._ranges, self._validator = answer.ranges, answer.validator
        self._answer: Answer | None = answer
        self._head = head
        """Bytes read from the answer that nobody has taken yet."""
        self._place = answer.start
        """The offset of what the answer gives next, its head included."""
        self._at = self._first = start
        self._end = end
        self._failed = False
        asking.count(len(head))

    def read(self, size: int) -> bytes:
        """At least one byte and at most `size`; b"" at the end and after a failure."""
        if self._end is not None:
            size = min(size, self._end - self._at)
        whole = self.size if self._ranges else None
        while not self._failed and size > 0 and (whole is None or self._at < whole):
            try:
                return self._read(size)
            except FeedLost as error:
                self.close()
                self._failed = not self._again(error)
            except FeedError as error:
                self.close()
                self._failed = True
                self._asking.fail(error)
        return b""

    def seekable(self) -> bool:
        """Whether the server gives parts."""
        return self._ranges and self.size is not None

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go there; it is asked for when it is read. Counts from the first byte of the part."""
        base = {0: self._first, 1: self._at}.get(whence, self._end or self.size or 0)
        self._at = max(self._first, base + offset)
        return self.tell()

    def tell(self) -> int:
        """The offset from the first byte of the part."""
        return self._at - self._first

    def close(self) -> None:
        """Let go of the connection; reading again opens another."""
        answer, self._answer, self._head = self._answer, None, b""
        if answer is not None:
            with suppress(OSError):
                answer.close()

    def _again(self, error: FeedLost) -> bool:
        """Wait before another attempt; False when there is none. What has no length is not in its old place then."""
        if self.size is not None or self._ranges or not self._at:
            return self._asking.again(error)
        self._asking.fail(error)
        return False

    def _read(self, size: int) -> bytes:
        if self._answer is None or not self._place <= self._at <= self._place + _NEAR:
            self._ask()
        while self._place < self._at:
            if not self._take(min(self._at - self._place, 1 << 16)):
                return b""
        data = self._take(size)
        self._at += len(data)
        return data

    def _ask(self) -> None:
        """Another answer, from here on. Raises FeedError."""
        self.close()
        answer = self._asking.get(self._url, self._at if self._ranges else 0, self._validator)
        if answer.validator != self._validator or answer.size != self.size:
            answer.close()
            raise FeedUnreadable("the file changed while it was read")
        self._answer, self._place = answer, answer.start

    def _take(self, size: int) -> bytes:
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
        else:
            assert self._answer is not None
            data = self._answer.read(size)
            self._asking.count(len(data))
        self._place += len(data)
        return data
