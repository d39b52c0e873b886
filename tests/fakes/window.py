"""A live HLS playlist that moves on with the clock, over segments that are there already."""

import time
from collections.abc import Sequence

from tests.fakes.webserver import Page, WebServer


class Window:
    """Gives `segments` (names, each `seconds` long) one by one, three at a time, from the first request on."""

    def __init__(self, segments: Sequence[str], seconds: float, *, ends: bool = True) -> None:
        self._segments, self._seconds, self._ends = segments, seconds, ends
        self._began: float | None = None
        self.away = False
        """Whether the server says 503 instead."""

    def __call__(self) -> Page:
        if self.away:
            return Page(status=503)
        now = time.monotonic()
        self._began = self._began or now
        reached = min(3 + int((now - self._began) / self._seconds), len(self._segments))
        first = max(0, reached - 3)
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{round(self._seconds + 0.4)}"]
        lines.append(f"#EXT-X-MEDIA-SEQUENCE:{first}")
        for name in self._segments[first:reached]:
            lines += [f"#EXTINF:{self._seconds:.3f},", name]
        if self._ends and reached == len(self._segments):
            lines.append("#EXT-X-ENDLIST")
        return Page("\n".join(lines).encode() + b"\n", ranges=False)

    def serve(self, site: WebServer, path: str) -> None:
        """Put it under a path."""
        site.pages[path] = self
