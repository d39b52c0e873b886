"""An RTMP server that plays a clip to whoever asks, and then closes the connection."""

import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from abr.formats.rtmp import chunk, message
from abr.formats.rtmp.chunk import ChunkReader, Message
from abr.formats.rtmp.handshake import ServerHandshake
from abr.formats.rtmp.message import MessageType
from tests.fakes.publisher import write_clip

_SIZE = 4096
_AUDIO, _VIDEO = 8, 9
_KEY = b"\x17\x01"
"""A key picture of H.264 that is no header."""


class RtmpSource:
    """Serves one player after another. `asked` are the commands that came; `stall` keeps the connection open at the end.

    Until `quiet` ms there is no sound. With `programme` who comes later joins in: at a key picture that he gets at once.
    """

    def __init__(self, frames: int, *, stall: bool = False, quiet: int = 0, programme: bool = False) -> None:
        clip = io.BytesIO()
        write_clip(clip, frames)
        tags = list(_tags(clip.getvalue()))
        self._tags = sorted(_silent(tags, quiet), key=lambda tag: tag[1]) if quiet else tags
        self._stall, self._programme = stall, programme
        self._began: float | None = None
        self.cut = threading.Event()
        """Set: the connection is closed."""
        self.asked: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._closed = threading.Event()
        self.url = f"rtmp://127.0.0.1:{self._listener.getsockname()[1]}/live/hunter2"

    def run(self) -> None:
        while not self._closed.is_set():
            with suppress(OSError):
                connection, _ = self._listener.accept()
                with connection:
                    self._serve(connection)

    def close(self) -> None:
        self._closed.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        shake, reader, size = ServerHandshake(bytes(1528)), ChunkReader(), 128
        while not self._closed.is_set() and (data := connection.recv(65536)):
            if not shake.done:
                answer, data = shake.receive(data)
                connection.sendall(answer)
            for item in reader.receive(data):
                if item.type != MessageType.COMMAND_AMF0:
                    continue
                command = message.parse_command(item)
                self.asked.append(command.name)
                for reply in _replies(command.name, command.transaction):
                    connection.sendall(chunk.write(reply, chunk_stream=3, chunk_size=size))
                    size = _SIZE if reply.type == MessageType.SET_CHUNK_SIZE else size
                if command.name == "play":
                    self._play(connection, size)
                    return

    def _play(self, connection: socket.socket, size: int) -> None:
        if not self._programme or self._began is None:
            self._began = time.monotonic()
        began = self._began
        for kind, timestamp, payload in self._joined(time.monotonic() - began):
            if self._closed.wait(max(0.0, began + timestamp / 1000 - time.monotonic())) or self.cut.is_set():
                return
            connection.sendall(
                chunk.write(Message(kind, timestamp, 1, payload), chunk_stream=4, chunk_size=size)
            )
        if self._stall:
            self._closed.wait(30)

    def _joined(self, seconds: float) -> list[tuple[int, int, bytes]]:
        """The headers, and all from the second-last key picture on."""
        keys = [tag[1] for tag in self._tags if tag[0] == _VIDEO and tag[2][:2] == _KEY]
        first = [time for time in keys if time <= seconds * 1000][-2:]
        headers = [tag for tag in self._tags if _is_header(tag) and tag[1] <= seconds * 1000]
        rest = [tag for tag in self._tags if tag not in headers]
        return headers + [tag for tag in rest if not first or tag[1] >= first[0]]


def _is_header(tag: tuple[int, int, bytes]) -> bool:
    return tag[0] in {_VIDEO, _AUDIO} and tag[2][1] == 0


def _silent(tags: list[tuple[int, int, bytes]], until: int) -> Iterator[tuple[int, int, bytes]]:
    """Nothing says that there will be sound before it begins with its header."""
    for kind, at, payload in tags:
        if kind == _AUDIO and _is_header((kind, at, payload)):
            yield kind, until, payload
        elif kind == _VIDEO or (kind == _AUDIO and at >= until):
            yield kind, at, payload


def _replies(name: str, number: float) -> Iterator[Message]:
    if name == "connect":
        yield message.window_size(5_000_000)
        yield message.set_chunk_size(_SIZE)
        yield message.command(
            "_result", number, {}, {"level": "status", "code": "NetConnection.Connect.Success"}
        )
    elif name == "createStream":
        yield message.command("_result", number, None, 1.0)
    elif name == "play":
        status = {"level": "status", "code": "NetStream.Play.Start", "description": "it begins"}
        yield message.command("onStatus", 0.0, None, status, stream=1)


def _tags(flv: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 13
    while at + 11 <= len(flv):
        size = int.from_bytes(flv[at + 1 : at + 4], "big")
        timestamp = int.from_bytes(flv[at + 4 : at + 7], "big") | flv[at + 7] << 24
        yield flv[at], timestamp, flv[at + 11 : at + 11 + size]
        at += 15 + size


@contextmanager
def playing(frames: int, **options: Any) -> Iterator[RtmpSource]:
    """A server that runs while the block does."""
    source = RtmpSource(frames, **options)
    thread = threading.Thread(target=source.run)
    thread.start()
    try:
        yield source
    finally:
        source.close()
        thread.join(10)
