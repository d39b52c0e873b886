"""An RTMP server that plays a clip to whoever asks, and then closes the connection."""

import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from abr.formats.rtmp import chunk, message
from abr.formats.rtmp.chunk import ChunkReader, Message
from abr.formats.rtmp.handshake import ServerHandshake
from abr.formats.rtmp.message import MessageType
from tests.fakes.publisher import write_clip

_SIZE = 4096


class RtmpSource:
    """Serves one player after another. `asked` are the commands that came; `stall` keeps the connection open at the end."""

    def __init__(self, frames: int, *, stall: bool = False) -> None:
        clip = io.BytesIO()
        write_clip(clip, frames)
        self._tags = list(_tags(clip.getvalue()))
        self._stall = stall
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
        began = time.monotonic()
        for kind, timestamp, payload in self._tags:
            if self._closed.wait(max(0.0, began + timestamp / 1000 - time.monotonic())):
                return
            connection.sendall(
                chunk.write(Message(kind, timestamp, 1, payload), chunk_stream=4, chunk_size=size)
            )
        if self._stall:
            self._closed.wait(30)


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
def playing(frames: int, *, stall: bool = False) -> Iterator[RtmpSource]:
    """A server that runs while the block does."""
    source = RtmpSource(frames, stall=stall)
    thread = threading.Thread(target=source.run)
    thread.start()
    try:
        yield source
    finally:
        source.close()
        thread.join(10)
