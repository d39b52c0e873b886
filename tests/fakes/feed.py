"""A feed that only remembers that it was aborted."""

from collections.abc import Collection

from abr.ingest.feed import FeedStats
from abr.model.media import Kind


class SilentFeed:
    """Never gives a byte. `on_abort` is called once, in the thread that aborts."""

    name = "silent"
    format = "flv"
    arrived = 0
    reopen = False

    def __init__(self) -> None:
        self.ended: str | None = None

    def read(self, n: int) -> bytes:
        return b""

    def settle(self, kinds: Collection[Kind]) -> None:
        pass

    def restart(self) -> None:
        pass

    def stats(self) -> FeedStats:
        return FeedStats()

    def abort(self, reason: str) -> None:
        self.ended = self.ended or reason
