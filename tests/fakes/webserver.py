"""A web server on this machine whose answers a test writes down."""

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Page:
    """What stands under a path. `cut` closes the connection after so many bytes of the body, once."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    length: bool = True
    """Whether the answer says how long it is."""
    cut: int | None = None


@dataclass
class WebServer:
    """`pages` by path without query; `asked` are requests as (path, headers)."""

    port: int = 0
    pages: dict[str, Page | bytes | Callable[[], Page]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def url(self, path: str, user: str = "") -> str:
        """The address of a path, with `user:password` before the host if given."""
        return f"http://{user + '@' if user else ''}127.0.0.1:{self.port}{path}"

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [path for path, _ in self.asked]


@contextmanager
def serving(**pages: Page | bytes) -> Iterator[WebServer]:
    """A server that runs while the block does; `pages` are put under "/" and their names."""
    site = WebServer(pages={f"/{name}": page for name, page in pages.items()})

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.asked.append((self.path, dict(self.headers)))
            found = site.pages.get(self.path.partition("?")[0], Page(status=404))
            page = found() if callable(found) else found
            _answer(self, Page(page) if isinstance(page, bytes) else page)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(handler: http.server.BaseHTTPRequestHandler, page: Page) -> None:
    body, status = page.body, page.status
    headers = {"ETag": '"1"', **page.headers}
    asked = handler.headers.get("Range", "")
    if page.ranges:
        headers["Accept-Ranges"] = "bytes"
    if asked and page.ranges and status == 200 and handler.headers.get("If-Range", '"1"') == headers["ETag"]:
        start = int(asked.removeprefix("bytes=").rstrip("-"))
        headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        body, status = body[start:], 206
    if page.length:
        headers["Content-Length"] = str(len(body))
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    cut, page.cut = page.cut, None
    with suppress(OSError):
        handler.wfile.write(body if cut is None else body[:cut])
    handler.close_connection = True
