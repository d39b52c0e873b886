"""libsrt 1.5, bound by ctypes: loaded when it is asked for."""

import atexit
import ctypes
import ctypes.util
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from abr.errors import UsageError
from abr.ingest.srtheader import Failure, Option, PerfMon

NAMES = (
    "libsrt.so.1.5", "libsrt-openssl.so.1.5", "libsrt-gnutls.so.1.5",
    "libsrt.1.5.dylib", "/opt/homebrew/lib/libsrt.1.5.dylib", "/usr/local/lib/libsrt.1.5.dylib",
)  # fmt: skip
_OLDEST = 0x010500
_MISSING = "SRT needs the library libsrt, version 1.5 or newer"
_CURE = "install libsrt1.5-openssl (Debian, Ubuntu), libsrt (Alpine) or srt (Homebrew on macOS)"

MESSAGE = 1456
"""Bytes of the largest message in live mode."""
_ROOM = 1500
_GATHERED = 0.02
"""Seconds."""
_CRITICAL = 2
"""Level of libsrt's log lines that come when it can do nothing more."""
_WARNINGS = 4

Sink = Callable[[str], None]
Greeter = Callable[[int, str, str], int]
"""Gets the new socket, the peer ("host:port") and the stream id; 0 takes the caller, a code refuses it."""


_LIVE = 0
_CONNECTED = 5
_BROKEN = 6
_POLL_IN = 1


class SrtError(OSError):
    """A call into libsrt failed; `code` is libsrt's own, `system` the errno behind it or 0."""

    def __init__(self, code: int, text: str, system: int = 0) -> None:
        super().__init__(code, text)
        self.code = code
        self.system = system


_GREET = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p
)
_LOG = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p
)
_lock = threading.Lock()
_loaded: list["LibSrt"] = []


def load() -> "LibSrt":
    """The library, once a process. Raises UsageError when there is none, or only an old one."""
    with _lock:
        if not _loaded:
            _loaded.append(LibSrt(_open(NAMES)))
        return _loaded[0]


def _open(names: tuple[str, ...]) -> Any:
    for name in names:
        with suppress(OSError):
            return ctypes.CDLL(name)
    other = ctypes.util.find_library("srt")
    if other is None:
        raise UsageError(_MISSING, hint=_CURE)
    try:
        return ctypes.CDLL(other)
    except OSError as error:
        raise UsageError(f"{_MISSING}: {error}", hint=_CURE) from error


class LibSrt:
    """The calls that we need; each raises SrtError where libsrt answers with an error."""

    def __init__(self, library: Any) -> None:
        """Check the version and start libsrt's own threads. Raises UsageError."""
        self._call = library
        version = library.srt_getversion()
        if version < _OLDEST:
            raise UsageError(f"{_MISSING}; this one is {version_text(version)}", hint=_CURE)
        self.version = version_text(version)
        library.srt_getlasterror_str.restype = ctypes.c_char_p
        library.srt_rejectreason_str.restype = ctypes.c_char_p
        library.srt_setloghandler.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
        self._sink: Sink | None = None
        self._on_log = _LOG(self._log)
        library.srt_setloghandler(None, self._on_log)
        library.srt_setloglevel(_WARNINGS)
        library.srt_startup()
        atexit.register(self._stop)

    def listen_to_log(self, sink: Sink | None) -> None:
        """Where libsrt's own warnings go; nowhere by default. Called in libsrt's threads."""
        self._sink = sink

    def socket(self) -> "SrtSocket":
        """A new socket in live mode."""
        made = SrtSocket(self, self.check(self._call.srt_create_socket()))
        made.set(Option.TRANSTYPE, _LIVE)
        return made

    def check(self, answer: int) -> int:
        """The answer of a call. Raises SrtError for -1."""
        if answer == -1:
            system = ctypes.c_int()
            code = self._call.srt_getlasterror(ctypes.byref(system))
            raise SrtError(code, _text(self._call.srt_getlasterror_str()), system.value)
        return answer

    def reason(self, code: int) -> str:
        """Libsrt's words for one of its own rejections."""
        return _text(self._call.srt_rejectreason_str(code))

    @property
    def call(self) -> Any:
        """The library's functions."""
        return self._call

    def _log(self, _: int, __: int, ___: bytes, ____: int, _____: bytes, message: bytes) -> None:
        with suppress(Exception):  # raised into libsrt's thread it would only be printed
            if self._sink is not None:
                self._sink(_text(message).strip())

    def _stop(self) -> None:
        """End libsrt's threads while Python still runs: they call into it."""
        self._sink = None
        self._call.srt_setloglevel(_CRITICAL)
        self._call.srt_cleanup()


class SrtSocket:
    """One socket of libsrt. `close` may be called from any thread and wakes the one that waits."""

    def __init__(self, library: LibSrt, handle: int) -> None:
        self.handle = handle
        self._library = library
        self._call = library.call
        self._buffer = ctypes.create_string_buffer(_ROOM)
        self._view = memoryview(self._buffer).cast("B")
        self._hook: Any = None
        self._poll = -1

    def set(self, option: Option, value: int | bytes) -> None:
        """Set an option; most only before the connection."""
        if isinstance(value, int):
            number = ctypes.c_int(value)
            answer = self._call.srt_setsockflag(self.handle, option, ctypes.byref(number), 4)
        else:
            answer = self._call.srt_setsockflag(self.handle, option, value, len(value))
        self._library.check(answer)

    def number(self, option: Option) -> int:
        """An option that is a number."""
        value, size = ctypes.c_int(), ctypes.c_int(4)
        answer = self._call.srt_getsockflag(self.handle, option, ctypes.byref(value), ctypes.byref(size))
        self._library.check(answer)
        return value.value

    def text(self, option: Option) -> str:
        """An option that is a text."""
        buffer, size = ctypes.create_string_buffer(1024), ctypes.c_int(1024)
        answer = self._call.srt_getsockflag(self.handle, option, buffer, ctypes.byref(size))
        self._library.check(answer)
        return _text(buffer.raw[: size.value].partition(b"\0")[0])

    def listen(self, host: str, port: int, backlog: int) -> int:
        """Bind and listen; the port that was taken."""
        address = _packed(host, port, passive=True)
        if host == "::":
            self.set(Option.IPV6ONLY, 0)
        self._library.check(self._call.srt_bind(self.handle, address, len(address)))
        self._library.check(self._call.srt_listen(self.handle, backlog))
        buffer, size = ctypes.create_string_buffer(128), ctypes.c_int(128)
        self._library.check(self._call.srt_getsockname(self.handle, buffer, ctypes.byref(size)))
        self._poll = self._library.check(self._call.srt_epoll_create())
        events = ctypes.c_int(_POLL_IN)
        self._library.check(self._call.srt_epoll_add_usock(self._poll, self.handle, ctypes.byref(events)))
        return _unpacked(buffer.raw)[1]

    def greet(self, greeter: Greeter) -> None:
        """Ask `greeter` about each caller, in libsrt's thread that receives: it must be quick."""

        def hook(_: int, handle: int, __: int, peer: int, stream_id: bytes | None) -> int:
            try:
                code = greeter(handle, address_text(ctypes.string_at(peer, 28)), _text(stream_id or b""))
            except Exception:  # noqa: BLE001 - whatever goes wrong in there, the caller is not let in
                code = 1500
            if code:
                self._call.srt_setrejectreason(handle, code)
            return -1 if code else 0

        self._hook = _GREET(hook)
        self._library.check(self._call.srt_listen_callback(self.handle, self._hook, None))

    def accept(self, wait_ms: int) -> "tuple[SrtSocket, str] | None":
        """The next caller that was taken and its address; None when none came within `wait_ms`."""
        ready, count = (ctypes.c_int * 1)(), ctypes.c_int(1)
        answer = self._call.srt_epoll_wait(
            self._poll,
            ready,
            ctypes.byref(count),
            None,
            None,
            ctypes.c_int64(wait_ms),
            None,
            None,
            None,
            None,
        )
        if answer == -1 and self._call.srt_getlasterror(None) == Failure.TIMED_OUT:
            return None
        self._library.check(answer)
        buffer, size = ctypes.create_string_buffer(128), ctypes.c_int(128)
        handle = self._library.check(self._call.srt_accept(self.handle, buffer, ctypes.byref(size)))
        return SrtSocket(self._library, handle), address_text(buffer.raw)

    def connect(self, host: str, port: int) -> None:
        """Call a listener."""
        address = _packed(host, port, passive=False)
        self._library.check(self._call.srt_connect(self.handle, address, len(address)))

    def rejection(self) -> int:
        """Why the listener refused; 1000 and above are the application's own codes."""
        return int(self._call.srt_getrejectreason(self.handle))

    def receive(self) -> list[bytes]:
        """The next messages, at least one, waited for as RCVTIMEO says. One thread only.

        They are gathered for 20 ms: a thread that wakes for each one costs three times as much.
        """
        size = self._call.srt_recvmsg(self.handle, self._buffer, _ROOM)
        self._library.check(size)
        messages = [self._view[:size].tobytes()]
        time.sleep(_GATHERED)
        with suppress(SrtError):  # it broke: the next call says so
            self.set(Option.RCVSYN, 0)
            while (size := self._call.srt_recvmsg(self.handle, self._buffer, _ROOM)) > 0:
                messages.append(self._view[:size].tobytes())
            self.set(Option.RCVSYN, 1)
        return messages

    def send(self, data: bytes) -> None:
        """Send one message of at most MESSAGE bytes."""
        self._library.check(self._call.srt_sendmsg(self.handle, data, len(data), -1, 1))

    def readings(self) -> PerfMon:
        """Counters since the connection began; rates since the last call. Fails for a broken connection."""
        found = PerfMon()
        self._library.check(self._call.srt_bstats(self.handle, ctypes.byref(found), 1))
        return found

    @property
    def connected(self) -> bool:
        """Whether both ends still know each other."""
        return bool(self._call.srt_getsockstate(self.handle) == _CONNECTED)

    @property
    def gone(self) -> bool:
        """Whether the connection broke or never came about."""
        return bool(self._call.srt_getsockstate(self.handle) >= _BROKEN)

    def close(self) -> None:
        """End the connection; closing twice is fine."""
        self._call.srt_close(self.handle)
        poll, self._poll = self._poll, -1
        if poll != -1:
            self._call.srt_epoll_release(poll)


def version_text(version: int) -> str:
    """Libsrt's number of a version as people write it.

    >>> version_text(0x010501)
    '1.5.1'
    """
    return f"{version >> 16 & 0xFF}.{version >> 8 & 0xFF}.{version & 0xFF}"


def address_text(data: bytes) -> str:
    """A sockaddr as "host:port"."""
    host, port = _unpacked(data)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _unpacked(data: bytes) -> tuple[str, int]:
    family = data[1] if sys.platform == "darwin" else struct.unpack_from("=H", data)[0]
    port = int.from_bytes(data[2:4], "big")
    if family == socket.AF_INET6:
        host = socket.inet_ntop(socket.AF_INET6, data[8:24])
        return host.removeprefix("::ffff:") if "." in host else host, port
    return socket.inet_ntop(socket.AF_INET, data[4:8]), port


def _packed(host: str, port: int, *, passive: bool) -> bytes:
    """The sockaddr of a host. Raises OSError for a name that nobody knows."""
    flags = socket.AI_PASSIVE if passive else 0
    found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=flags)
    family, _, _, _, address = found[0]
    raw = socket.inet_pton(family, str(address[0]).partition("%")[0])
    scope = int(address[3]) if len(address) > 3 else 0
    rest = raw + bytes(8) if family == socket.AF_INET else bytes(4) + raw + struct.pack("=I", scope)
    size = 4 + len(rest)
    head = bytes([size, family]) if sys.platform == "darwin" else struct.pack("=H", family)
    return head + port.to_bytes(2, "big") + rest


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
