"""The RTMP chunk stream: bytes ⇄ whole messages (RTMP 1.0 §5.3 and §5.4)."""

from collections.abc import Iterator
from typing import NamedTuple

from abr.errors import RemoteProtocolError

FIRST_CHUNK_SIZE = 128
"""Payload bytes of a chunk until a Set Chunk Size message says otherwise (§5.4.1)."""
MAX_CHUNK_SIZE = 0xFFFFFF
"""Larger sizes mean the same, because no message is longer (§5.4.1)."""
MAX_MESSAGE = 0xFFFFFF
"""Bytes of one message, and of all unfinished ones together: what the 24-bit length can say (16 MiB)."""
MAX_CHUNK_STREAMS = 64
"""Chunk streams of one connection. Publishers use up to eight; the format allows 65,597."""

SET_CHUNK_SIZE, ABORT = 1, 2
"""Message types that this layer obeys itself (§5.4.1, §5.4.2)."""

_EXTENDED = 0xFFFFFF
_WRAP = 0xFFFFFFFF
_HEADER_SIZES = (11, 7, 3)
_LAST_SHORT = 63
"""Highest chunk stream id that fits into the first byte."""
_MORE = -1
"""Returned in place of a position while a header is not whole."""


class Message(NamedTuple):
    """One message as it travels; `timestamp` in milliseconds modulo 2^32."""

    type: int
    timestamp: int
    stream: int
    """Message stream id: 0 for the connection, then what createStream gave out."""
    payload: bytes


class _ChunkStream:
    """What the headers of one chunk stream inherit from those before (§5.3.1.2)."""

    __slots__ = (
        "body", "extended", "field", "length", "message_stream", "number", "timestamp", "type", "unfinished",
    )  # fmt: skip

    def __init__(self, number: int) -> None:
        self.number = number
        self.timestamp = 0
        self.field = 0
        """The latest timestamp or delta: what a chunk of type 3 adds when it begins a message."""
        self.extended = False
        self.length = 0
        self.type = 0
        self.message_stream = 0
        self.body = bytearray()
        self.unfinished = False


class ChunkReader:
    """Puts messages together from chunks, however the bytes are cut."""

    def __init__(self, *, max_message: int = MAX_MESSAGE) -> None:
        self.max_message = max_message
        """Bytes that one message, and all unfinished ones together, may have from now on."""
        self._chunk_size = FIRST_CHUNK_SIZE
        self._streams: dict[int, _ChunkStream] = {}
        self.held = False
        """Whether what comes is kept and not read, from the message on that was given last."""
        self._tail = b""
        """The start of a chunk header that is not whole yet: at most 18 bytes; or what is held."""
        self._current: _ChunkStream | None = None
        self._latest = _ChunkStream(0)
        """The one whose chunk was read last."""
        self._wanted = 0
        """Payload bytes that the current chunk still lacks."""
        self._promised = 0
        """Declared length of all unfinished messages."""

    def receive(self, data: bytes) -> Iterator[Message]:
        """Read on; give each message that is whole now, until `held`. To be exhausted before the next call.

        Raises RemoteProtocolError; nothing may be read after that.
        """
        view = memoryview(self._tail + data if self._tail else data)
        self._tail = b""
        position, end = 0, len(view)
        while position < end:
            if self._current is None:
                after = _MORE if self.held else self._begin_chunk(view, position)
                if after == _MORE:
                    self._tail = bytes(view[position:])
                    return
                position = after
            taken = min(self._wanted, end - position)
            message = self._take(view[position : position + taken])
            position += taken
            if message:
                yield message
            elif self._current is None:
                position = self._take_run(view, position)

    @property
    def waiting(self) -> int:
        """Bytes that came and are not read yet."""
        return len(self._tail)

    def _take(self, piece: memoryview) -> Message | None:
        stream = self._current
        assert stream is not None  # set by the header that came before
        self._latest = stream
        stream.body += piece
        self._wanted -= len(piece)
        if self._wanted:
            return None
        self._current = None
        if len(stream.body) < stream.length:
            return None
        message = Message(stream.type, stream.timestamp, stream.message_stream, bytes(stream.body))
        self._forget(stream)
        self._obey(message)
        return message

    def _take_run(self, view: memoryview, position: int) -> int:
        """Take the whole chunks that go on with the same message, all at once; return where they end.

        With chunks of 128 bytes this is what keeps parsing below a percent of a core at 8 Mb/s.
        """
        stream = self._latest
        if stream.extended or stream.number > _LAST_SHORT:
            return position
        size = self._chunk_size
        step = size + 1
        most = min((len(view) - position) // step, (stream.length - len(stream.body) - 1) // size)
        opener = bytes([0xC0 | stream.number])
        headers = bytes(view[position : position + most * step : step])
        count = len(headers) - len(headers.lstrip(opener))
        run = bytearray(view[position : position + count * step])
        del run[::step]
        stream.body += run
        return position + count * step

    def _forget(self, stream: _ChunkStream) -> None:
        self._promised -= stream.length
        stream.unfinished = False
        stream.body.clear()

    def _obey(self, message: Message) -> None:
        if message.type not in {SET_CHUNK_SIZE, ABORT}:
            return
        if len(message.payload) < 4:
            raise RemoteProtocolError("a chunk control message is shorter than its 4 bytes")
        value = int.from_bytes(message.payload[:4], "big")
        if message.type == ABORT:
            stream = self._streams.get(value)
            if stream and stream.unfinished:
                self._forget(stream)
        elif not 0 < value <= _WRAP >> 1:
            raise RemoteProtocolError(f"a chunk size of {value} bytes was set; it must be 1 to 2147483647")
        else:
            self._chunk_size = min(value, MAX_CHUNK_SIZE)

    def _begin_chunk(self, view: memoryview, position: int) -> int:
        """Read a chunk's header; return where its payload begins."""
        form, number = view[position] >> 6, view[position] & 0x3F
        position += 1
        if number < 2:  # ids from 64 on take one or two bytes more, the low one first (§5.3.1.1)
            more = view[position : position + number + 1]
            if len(more) <= number:
                return _MORE
            number, position = 64 + int.from_bytes(more, "little"), position + len(more)
        stream = self._streams.get(number)
        if form == 3:
            position = self._inherit(view, position, number, stream)
        else:
            position = self._describe(view, position, form, number)
        if position != _MORE:
            self._current = stream = self._streams[number]
            self._wanted = min(self._chunk_size, stream.length - len(stream.body))
        return position

    def _describe(self, view: memoryview, position: int, form: int, number: int) -> int:
        """Read the rest of a header of type 0, 1 or 2, which always begins a message."""
        header = bytes(view[position : position + _HEADER_SIZES[form]])
        position += _HEADER_SIZES[form]
        field = int.from_bytes(header[:3], "big")
        extended = field == _EXTENDED
        if len(view) < position + 4 * extended:
            return _MORE
        if extended:
            field, position = int.from_bytes(view[position : position + 4], "big"), position + 4
        stream = self._opened(number, form)
        stream.timestamp = (field if form == 0 else stream.timestamp + field) & _WRAP
        stream.field, stream.extended = field, extended
        if form < 2:
            stream.length, stream.type = int.from_bytes(header[3:6], "big"), header[6]
        if form == 0:
            stream.message_stream = int.from_bytes(header[7:11], "little")
        self._begin_message(stream)
        return position

    def _opened(self, number: int, form: int) -> _ChunkStream:
        stream = self._streams.get(number)
        if stream is None:
            # librtmp (OBS) begins its control stream with a header of type 1; there is nothing to inherit
            # but zeros. A header of type 2 would leave the length open.
            if form == 2:
                raise RemoteProtocolError(f"chunk stream {number} begins without a length")
            if len(self._streams) >= MAX_CHUNK_STREAMS:
                raise RemoteProtocolError(f"more than {MAX_CHUNK_STREAMS} chunk streams are open")
            stream = self._streams[number] = _ChunkStream(number)
        elif stream.unfinished:
            raise RemoteProtocolError(f"chunk stream {number} begins a message within a message")
        return stream

    def _inherit(self, view: memoryview, position: int, number: int, stream: _ChunkStream | None) -> int:
        """Read the rest of a header of type 3: nothing, or the extended timestamp once more."""
        if stream is None:
            raise RemoteProtocolError(f"chunk stream {number} begins without a header")
        if stream.extended:
            # §5.3.1.3 wants the field repeated; some writers leave it out. So it counts as repeated only
            # where the same four bytes stand there.
            expected = stream.field.to_bytes(4, "big")
            given = bytes(view[position : position + 4])
            if given == expected:
                position += 4
            elif expected.startswith(given):
                return _MORE
        if not stream.unfinished:
            stream.timestamp = (stream.timestamp + stream.field) & _WRAP
            self._begin_message(stream)
        return position

    def _begin_message(self, stream: _ChunkStream) -> None:
        self._promised += stream.length
        if self._promised > self.max_message:
            raise RemoteProtocolError(
                f"a message of {stream.length} bytes is announced; the limit is {self.max_message} bytes now"
            )
        stream.unfinished = True


def write(message: Message, *, chunk_stream: int, chunk_size: int) -> bytes:
    """The message as one chunk of type 0 and as many of type 3 as it takes. `chunk_stream` is 2 to 63."""
    extended = message.timestamp >= _EXTENDED
    tail = message.timestamp.to_bytes(4, "big") if extended else b""
    head = b"".join(
        (
            bytes([chunk_stream]),
            min(message.timestamp, _EXTENDED).to_bytes(3, "big"),
            len(message.payload).to_bytes(3, "big"),
            bytes([message.type]),
            message.stream.to_bytes(4, "little"),
            tail,
        )
    )
    pieces = [message.payload[at : at + chunk_size] for at in range(0, len(message.payload), chunk_size)]
    return head + (bytes([0xC0 | chunk_stream]) + tail).join(pieces)
