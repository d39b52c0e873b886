"""The server's side of the RTMP handshake, in its simple form (RTMP 1.0 §5.2)."""

from abr.errors import RemoteProtocolError

VERSION = 3
"""The one protocol version in use (§5.2.2)."""
BLOCK = 1536
"""Bytes of C1, C2, S1 and S2."""
NONCE = BLOCK - 8
"""Bytes of S1 that are the server's to choose."""

_TELLING = 4
"""First bytes that tell another protocol from a broken RTMP client."""
_RTMPE = (6, 8)
"""First bytes of RTMP with Adobe's old encryption."""
_OTHERS: tuple[tuple[bytes, str], ...] = (
    *((word, "HTTP") for word in (b"GET ", b"POST", b"PUT ", b"HEAD", b"DELE", b"PATC", b"CONN", b"PRI ")),
    (b"OPTI", "HTTP or RTSP"),
    *((word, "RTSP") for word in (b"ANNO", b"DESC", b"SETU")),
    (b"\x16\x03", "TLS; publish to rtmp://, not to rtmps://"),
    (b"SSH-", "SSH"),
    (b"PROX", "the PROXY protocol; switch it off in the load balancer"),
    (b"\r\n\r\n", "the PROXY protocol; switch it off in the load balancer"),
    (b"FLV", "FLV without RTMP around it"),
    (b"\x47", "MPEG-TS without RTMP around it"),
)


class ServerHandshake:
    """Reads C0, C1 and C2, and answers S0, S1 and S2.

    C2 is not compared with S1: clients that try Adobe's digest handshake first send another one, and it
    proves nothing.
    """

    def __init__(self, nonce: bytes) -> None:
        """`nonce` is the random part of S1, `NONCE` bytes."""
        self._nonce = nonce
        self._buffer = bytearray()
        self._answered = False
        self.done = False

    def receive(self, data: bytes) -> tuple[bytes, bytes]:
        """Take what the client sent; return what to answer and what lies behind the handshake.

        Raises RemoteProtocolError for a client that does not speak RTMP, and says what it seems to speak.
        """
        self._buffer += data
        reply = b""
        if self._buffer and self._buffer[0] != VERSION:
            self._reject()
            return b"", b""
        if not self._answered and len(self._buffer) > BLOCK:
            reply = self._answer(bytes(self._buffer[1 : 1 + BLOCK]))
        if len(self._buffer) < 1 + 2 * BLOCK:
            return reply, b""
        self.done = True
        return reply, bytes(self._buffer[1 + 2 * BLOCK :])

    def _answer(self, block: bytes) -> bytes:
        self._answered = True
        # S1: time 0, version 0 (so that a client that knows digests does not look for one), random bytes.
        # S2: the client's time, the time it was read (0), the client's random bytes.
        return bytes([VERSION]) + bytes(8) + self._nonce + block[:4] + bytes(4) + block[8:]

    def _reject(self) -> None:
        if self._buffer[0] in _RTMPE:
            raise RemoteProtocolError("the client asks for encrypted RTMP (RTMPE); publish to rtmp://")
        if len(self._buffer) < _TELLING:
            return
        start = bytes(self._buffer[:_TELLING])
        for opening, what in _OTHERS:
            if start.startswith(opening):
                raise RemoteProtocolError(f"this is no RTMP client: this looks like {what}")
        raise RemoteProtocolError(f"this is no RTMP client: the first byte is {start[0]}, not {VERSION}")
