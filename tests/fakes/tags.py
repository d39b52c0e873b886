"""An FLV file published over RTMP at its own pace, its pictures only from some second on, or never.

`python -m tests.fakes.tags HOST:PORT APP KEY FILE [SECONDS]`
"""

import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from abr.formats.rtmp.event import MediaKind
from tests.fakes import rtmp_client

HEADER = 9
"""Bytes of an FLV header."""
NEVER = 1e9


def tags(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Kind, timestamp (ms) and content of each tag."""
    place = HEADER + 4
    while place + 11 <= len(data):
        size = int.from_bytes(data[place + 1 : place + 4], "big")
        stamp = int.from_bytes(data[place + 7 : place + 8] + data[place + 4 : place + 7], "big")
        yield data[place], stamp, data[place + 11 : place + 11 + size]
        place += 11 + size + 4


def messages(data: bytes, pictures: float) -> Iterator[tuple[int, bytes]]:
    """When to send what, in ms: sound from the beginning, pictures from that second on, their header first."""
    header: bytes | None = None
    for kind, stamp, content in tags(data):
        if kind == MediaKind.AUDIO:
            yield stamp, rtmp_client.media(MediaKind.AUDIO, stamp, content)
        elif kind == MediaKind.VIDEO:
            if content[1] == 0:
                header = content
            elif stamp >= pictures * 1000:
                if header is not None:
                    yield stamp, rtmp_client.media(MediaKind.VIDEO, stamp, header)
                    header = None
                yield stamp, rtmp_client.media(MediaKind.VIDEO, stamp, content)


def publish(place: tuple[str, int], app: str, key: str, data: bytes, pictures: float = NEVER) -> None:
    """Send it all, then say goodbye."""
    with socket.create_connection(place, timeout=10) as server:
        server.sendall(rtmp_client.HANDSHAKE + rtmp_client.connect(app) + rtmp_client.publish(key))
        answer = b""
        while b"NetStream.Publish.Start" not in answer:
            part = server.recv(65536)
            if not part:
                sys.exit("refused")
            answer += part
        begin = time.monotonic()
        for stamp, message in messages(data, pictures):
            time.sleep(max(0.0, begin + stamp / 1000 - time.monotonic()))
            server.sendall(message)
        server.sendall(rtmp_client.stop())
        time.sleep(0.2)


if __name__ == "__main__":
    host, _, port = sys.argv[1].partition(":")
    start = float(sys.argv[5]) if len(sys.argv) > 5 else NEVER
    publish((host, int(port)), sys.argv[2], sys.argv[3], Path(sys.argv[4]).read_bytes(), start)
