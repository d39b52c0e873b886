"""The worker's own HTTP endpoint: health, metrics, state, time, a preview page and its media."""

import io
import re
import shutil
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from abr.clock import Clock
from abr.errors import AddressInUse, UsageError
from abr.log import Logger
from abr.metrics import Metrics
from abr.model.state import State
from abr.model.time import NANO
from abr.status.control import LONGEST, Control
from abr.status.page import preview_page
from abr.status.view import health, metrics_text, state_json

Spawn = Callable[[str, Callable[[], None]], None]

_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".json": "application/json",
    ".mp4": "video/mp4",
    ".m4s": "video/mp4",
}
_FOR_PLAYERS = ("/media/", "/time")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_log = Logger("http")
_IDLE = 15.0
"""Seconds without a request after which a connection is closed, so that idle clients hold no threads."""


@dataclass(frozen=True, slots=True)
class Site:
    """What the endpoint shows."""

    channel: str
    state: Callable[[], State]
    metrics: Metrics
    clock: Clock
    media: Path | None = None
    """The directory origin that `/media/` serves, if there is one."""
    control: Control | None = None
    """Who obeys `POST /api/input`, where there are several inputs."""


class StatusServer:
    """Serves a `Site` until `close`. Raises AddressInUse when the port is taken."""

    def __init__(self, host: str, port: int, site: Site) -> None:
        try:
            self._server = _Server(host, port, site)
        except socket.gaierror as error:
            raise UsageError(
                f"--http {host}:{port}: no such host", hint="use 127.0.0.1 or 0.0.0.0"
            ) from error
        except OSError as error:
            raise AddressInUse(
                f"--http {host}:{port}: {error.strerror or error}", hint="choose another port"
            ) from error
        self.host, self.port = host, int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        host = "127.0.0.1" if self.host in {"", "0.0.0.0", "::"} else self.host  # noqa: S104 - compared only
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def start(self, spawn: Spawn) -> None:
        """Serve in threads made by `spawn`."""
        self._server.spawn = spawn
        spawn("http", self._server.serve_forever)

    def close(self) -> None:
        """Stop listening, at once."""
        with suppress(OSError):  # wakes the accepting thread; where it does not, that looks twice a second
            self._server.socket.shutdown(socket.SHUT_RDWR)
        self._server.shutdown()
        self._server.server_close()


class _Server(HTTPServer):
    """One thread a connection, made by the worker's own spawn."""

    spawn: Spawn

    def __init__(self, host: str, port: int, site: Site) -> None:
        self.site = site
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        def handle() -> None:
            try:
                self.finish_request(request, client_address)
            except OSError:
                pass  # the client went away
            except Exception as error:  # noqa: BLE001 - whatever a stranger asks for must not end the worker
                reason = f"{type(error).__name__}: {error}"
                _log.warning("request failed", peer=client_address[0], reason=reason)
            finally:
                self.shutdown_request(request)

        self.spawn(f"http {client_address[0]}", handle)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "abr", ""
    timeout = _IDLE
    server: _Server

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_POST(self) -> None:
        control, path = self.server.site.control, urlsplit(self.path).path
        length = self.headers.get("Content-Length", "")
        self.close_connection = True  # what was not read of a body is no next request
        if control is None or path != "/api/input":
            self._send(HTTPStatus.NOT_FOUND, "text/plain", b"not here\n", body=True)
        elif not length.isascii() or not length.isdecimal() or len(length) > 4 or int(length) > LONGEST:
            self._send(
                HTTPStatus.BAD_REQUEST, "text/plain", b"an order is short and says how long\n", body=True
            )
        else:
            order = self.rfile.read(int(length))
            status, text = control.order(self.client_address[0], self.headers, order)  # type: ignore[arg-type]
            self._send(status, "text/plain; charset=utf-8", text.encode(), body=True)

    def do_OPTIONS(self) -> None:
        self.send_response(HTTPStatus.NO_CONTENT)
        self.send_header("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
        self.send_header("Access-Control-Allow-Headers", "Range")
        self._end(0)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Requests are not logged: players send several a second."""

    def _answer(self, *, body: bool) -> None:
        try:
            path = unquote(urlsplit(self.path).path)
        except ValueError:
            self._send(HTTPStatus.BAD_REQUEST, "text/plain", b"not a path\n", body=body)
            return
        site = self.server.site
        match path:
            case "/":
                self._send(HTTPStatus.OK, "text/html; charset=utf-8", _page(site), body=body)
            case "/healthz":
                status, text = health(site.state())
                self._send(HTTPStatus(status), "text/plain; charset=utf-8", text, body=body)
            case "/metrics":
                text = metrics_text(site.state(), site.metrics)
                self._send(HTTPStatus.OK, "text/plain; version=0.0.4; charset=utf-8", text, body=body)
            case "/api/state":
                self._send(HTTPStatus.OK, "application/json", state_json(site.state()), body=body)
            case "/time":
                self._send(HTTPStatus.OK, "text/plain", _iso(site.clock.wall()), body=body)
            case _ if path.startswith("/media/"):
                self._media(path.removeprefix("/media/"), body=body)
            case _:
                self._send(HTTPStatus.NOT_FOUND, "text/plain", b"not here\n", body=body)

    def _media(self, key: str, *, body: bool) -> None:
        site = self.server.site
        file = _open_below(site.media, site.channel, key)
        if file is None:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", b"not here\n", body=body)
            return
        with file:
            size = file.seek(0, io.SEEK_END)
            span = _span(self.headers.get("Range"), size)
            if span is None:
                self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
                self.send_header("Content-Range", f"bytes */{size}")
                self._end(0)
                return
            self._send_file(file, key, size, span, body=body)

    def _send_file(self, file: BinaryIO, key: str, size: int, span: tuple[int, int], *, body: bool) -> None:
        start, stop = span
        whole = (start, stop) == (0, size)
        self.send_response(HTTPStatus.OK if whole else HTTPStatus.PARTIAL_CONTENT)
        if not whole:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        suffix = Path(key).suffix
        immutable = suffix in {".m4s", ".mp4"}
        self.send_header("Content-Type", _TYPES.get(suffix, "application/octet-stream"))
        self.send_header("Cache-Control", "public, max-age=31536000, immutable" if immutable else "no-cache")
        self.send_header("Accept-Ranges", "bytes")
        self._end(stop - start)
        if body:
            file.seek(start)
            shutil.copyfileobj(io.BytesIO(file.read(stop - start)), self.wfile)

    def _send(self, status: HTTPStatus, content_type: str, text: bytes, *, body: bool) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Cache-Control", "no-store")
        self._end(len(text))
        if body:
            self.wfile.write(text)

    def _end(self, length: int) -> None:
        self.send_header("Content-Length", str(length))
        if self.path.startswith(_FOR_PLAYERS):  # the state is not for other sites' pages
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Access-Control-Expose-Headers", "Date, Content-Range")
        self.end_headers()


def _open_below(root: Path | None, channel: str, key: str) -> BinaryIO | None:
    """The file of a key, if it is a media file or view of this channel; the folder may hold much else."""
    name, _, rest = key.partition("/")
    if root is None or name != channel or Path(rest).suffix not in _TYPES:
        return None
    try:
        folder = (root / channel).resolve()
        path = (folder / rest).resolve()
        inside = path.is_relative_to(folder) and path.is_file()
        return path.open("rb") if inside else None
    except (OSError, ValueError):  # a name that no file can have, or a file that left in between
        return None


def _span(header: str | None, size: int) -> tuple[int, int] | None:
    """The bytes that a Range header asks for as [start, stop); None where there are none of them."""
    match = _RANGE.fullmatch(header or "")
    if match is None or match.group(1) == match.group(2) == "":
        return 0, size
    first, last = match.group(1), match.group(2)
    if not first:
        return max(0, size - int(last)), size
    start, stop = int(first), min(size, int(last) + 1) if last else size
    return (start, stop) if start < stop else None


def _page(site: Site) -> bytes:
    locked = site.control is not None and site.control.token is not None
    return preview_page(site.channel, media=site.media is not None, locked=locked)


def _iso(wall: int) -> bytes:
    now = datetime.fromtimestamp(wall / NANO, UTC)
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()
