"""RTMP messages: their types, the ones a server sends, and what is packed inside (RTMP 1.0 §5.4, §6, §7)."""

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from abr.errors import RemoteProtocolError
from abr.formats.rtmp import amf, chunk
from abr.formats.rtmp.chunk import Message


class MessageType(IntEnum):
    """Message type ids."""

    SET_CHUNK_SIZE = chunk.SET_CHUNK_SIZE
    ABORT = chunk.ABORT
    ACKNOWLEDGEMENT = 3
    USER_CONTROL = 4
    WINDOW_SIZE = 5
    SET_PEER_BANDWIDTH = 6
    AUDIO = 8
    VIDEO = 9
    DATA_AMF3 = 15
    COMMAND_AMF3 = 17
    DATA_AMF0 = 18
    COMMAND_AMF0 = 20
    AGGREGATE = 22


class UserControl(IntEnum):
    """Event types of user control messages (§7.1.7)."""

    STREAM_BEGIN = 0
    PING_REQUEST = 6
    PING_RESPONSE = 7


MAX_COMMAND = 65536
"""Bytes of a command that are decoded; commands have some hundred."""
MAX_PARTS = 4096
"""Messages inside one aggregate: over a minute of sound and pictures. More would only fill memory."""

_DYNAMIC = 2
"""Limit type of Set Peer Bandwidth that leaves a hard limit alone (§5.4.5)."""
_TAG_HEADER, _BACK_POINTER = 11, 4
"""An aggregate is made of FLV tags, each followed by its size (§7.1.6)."""


class Command(NamedTuple):
    """A remote call: its name, its number (0 wants no answer) and its values, the command object first."""

    name: str
    transaction: float
    values: list[amf.Value]

    def text(self, index: int) -> str:
        """The value at `index`, or "" where there is no text."""
        value = self.values[index] if index < len(self.values) else None
        return value if isinstance(value, str) else ""

    def members(self) -> dict[str, amf.Value]:
        """The command object, empty where there is none."""
        value = self.values[0] if self.values else None
        return value if isinstance(value, dict) else {}


def parse_command(message: Message) -> Command:
    """The call in a command message of either kind. Raises RemoteProtocolError."""
    payload = message.payload
    if len(payload) > MAX_COMMAND:
        raise RemoteProtocolError(f"a command has {len(payload)} bytes; the limit is {MAX_COMMAND}")
    if message.type == MessageType.COMMAND_AMF3:
        payload = payload[1:]  # one zero byte, then AMF0 until a marker says AMF3
    values = amf.decode(payload)
    name = values[0] if values else None
    number = values[1] if len(values) > 1 else 0.0
    if not isinstance(name, str) or not isinstance(number, float):
        raise RemoteProtocolError("a command does not begin with its name and number")
    return Command(name, number, values[2:])


def parse_user_control(payload: bytes) -> tuple[int, bytes]:
    """Event type and data of a user control message. Raises RemoteProtocolError."""
    if len(payload) < 2:
        raise RemoteProtocolError("a user control message is shorter than its type")
    return int.from_bytes(payload[:2], "big"), payload[2:]


def parse_window(payload: bytes) -> int:
    """Bytes after which the peer wants an acknowledgement (§5.4.4). Raises RemoteProtocolError."""
    if len(payload) < 4:
        raise RemoteProtocolError("a window size message is shorter than its 4 bytes")
    return int.from_bytes(payload[:4], "big")


def split_aggregate(message: Message) -> Iterator[Message]:
    """The messages inside an aggregate, their times moved to where the aggregate stands (§7.1.6).

    Raises RemoteProtocolError for one that is cut short or has too many parts.
    """
    payload, position, offset = message.payload, 0, None
    for _ in range(MAX_PARTS + 1):
        if position >= len(payload):
            return
        head = payload[position : position + _TAG_HEADER]
        size = int.from_bytes(head[1:4], "big")
        body = payload[position + _TAG_HEADER : position + _TAG_HEADER + size]
        if len(head) < _TAG_HEADER or len(body) < size:
            raise RemoteProtocolError("an aggregate message is cut short")
        time = int.from_bytes(head[4:7], "big") | head[7] << 24
        offset = message.timestamp - time if offset is None else offset
        yield Message(head[0], (time + offset) & 0xFFFFFFFF, message.stream, body)
        position += _TAG_HEADER + size + _BACK_POINTER
    raise RemoteProtocolError(f"an aggregate message has more than {MAX_PARTS} parts")


def set_chunk_size(size: int) -> Message:
    """§5.4.1."""
    return _control(MessageType.SET_CHUNK_SIZE, size.to_bytes(4, "big"))


def acknowledgement(received: int) -> Message:
    """All bytes received so far, modulo 2^32 (§5.4.3)."""
    return _control(MessageType.ACKNOWLEDGEMENT, (received & 0xFFFFFFFF).to_bytes(4, "big"))


def window_size(size: int) -> Message:
    """§5.4.4."""
    return _control(MessageType.WINDOW_SIZE, size.to_bytes(4, "big"))


def set_peer_bandwidth(size: int) -> Message:
    """§5.4.5."""
    return _control(MessageType.SET_PEER_BANDWIDTH, size.to_bytes(4, "big") + bytes([_DYNAMIC]))


def user_control(event: UserControl, data: bytes) -> Message:
    """§7.1.7."""
    return _control(MessageType.USER_CONTROL, event.to_bytes(2, "big") + data)


def command(name: str, transaction: float, *values: amf.Value, stream: int = 0) -> Message:
    """A remote call, or the answer to one."""
    return Message(MessageType.COMMAND_AMF0, 0, stream, amf.encode(name, transaction, *values))


def _control(kind: MessageType, payload: bytes) -> Message:
    return Message(kind, 0, 0, payload)
