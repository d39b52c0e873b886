"""An SRT publisher over the project's own binding: null packets that are counted, or any bytes.

As a program (`python -m tests.fakes.srt_caller PORT STREAM_ID [SECONDS]`) it publishes null packets until it is
killed, or so many seconds of a film.
"""

import sys
import time

from abr.ingest.libsrt import SrtSocket, load
from abr.ingest.srtheader import Option
from tests.fakes.film import film

PASSPHRASE = "correct horse"
MESSAGE = 7 * 188


def call(
    port: int, stream_id: str = "", passphrase: str = PASSPHRASE, *, latency: int = 20, key_length: int = 0
) -> SrtSocket:
    """Connect as a publisher does; close what it answers. Raises SrtError."""
    caller = load().socket()
    try:
        caller.set(Option.CONNTIMEO, 3000)
        caller.set(Option.RCVLATENCY, latency)
        for option, text in ((Option.STREAMID, stream_id), (Option.PASSPHRASE, passphrase)):
            if text:
                caller.set(option, text.encode())
        if key_length:
            caller.set(Option.PBKEYLEN, key_length)
        caller.connect("127.0.0.1", port)
    except OSError as error:
        error.rejection = caller.rejection()
        caller.close()
        raise
    return caller


def numbered(number: int) -> bytes:
    """A message of seven null packets that hold a number."""
    packet = b"\x47\x1f\xff\x10" + number.to_bytes(8, "big")
    return packet.ljust(188, b"\0") * 7


def send(caller: SrtSocket, data: bytes, *, rate: int) -> None:
    """Send bytes at `rate` bits/s. Raises SrtError when the server ends it."""
    began = time.monotonic()
    for place in range(0, len(data), MESSAGE):
        wait = began + place * 8 / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        caller.send(data[place : place + MESSAGE])


def _publish(port: int, stream_id: str, seconds: int) -> None:
    data = film(seconds=seconds) if seconds else b"".join(map(numbered, range(100_000)))
    publisher = call(port, stream_id)
    send(publisher, data, rate=len(data) * 8 // seconds if seconds else 1_000_000)


if __name__ == "__main__":
    _publish(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0)
