"""The server's side of an RTMP session: bytes in, events and answers out (RTMP 1.0 §5 to §7).

No socket, thread or clock. One call of `receive` takes what came, gives what happened, and leaves the
answers in `send_bytes`. Errors are the peer's (RemoteProtocolError: close the connection) or the caller's
(LocalProtocolError).
"""

from collections.abc import Collection
from enum import Enum, auto

from abr.errors import LocalProtocolError, RemoteProtocolError
from abr.formats.rtmp import chunk, enhanced, message
from abr.formats.rtmp.amf import Value
from abr.formats.rtmp.chunk import ChunkReader, Message
from abr.formats.rtmp.event import (
    Connected,
    ConnectRefused,
    Event,
    MediaKind,
    MediaMessage,
    PublishEnded,
    PublishRequested,
)
from abr.formats.rtmp.handshake import ServerHandshake
from abr.formats.rtmp.message import Command, MessageType, UserControl

CHUNK_SIZE = 65536
"""Our own chunk size. FFmpeg and GStreamer follow it, which saves them and us a hundred headers a frame."""
WINDOW = 2_500_000
"""Bytes between acknowledgements, asked for and given, until the peer names another number."""
MAX_SETUP_MESSAGE = message.MAX_COMMAND
"""Longest message before a publisher is accepted: only commands come then."""
MAX_SETUP_BYTES = 262144
"""All that a stranger may send before it is accepted; the usual exchange is below 5 KB."""

_CONTROL, _COMMAND, _STATUS = 2, 3, 5
"""Chunk streams that we write on. 2 is prescribed for control messages (§5.4)."""
_MESSAGE_STREAM = 1
"""The one message stream id that createStream gives out: a connection publishes once."""
_MEDIA = frozenset(MediaKind)
_HALF = 1 << 31
_WRAP = 1 << 32


class _State(Enum):
    """How far the session is; it never goes back."""

    HANDSHAKE = auto()
    CONNECTING = auto()
    CONNECTED = auto()
    REQUESTED = auto()
    PUBLISHING = auto()
    ENDED = auto()


class ServerSession:
    """One connection of one publisher."""

    def __init__(self, applications: Collection[str], nonce: bytes) -> None:
        """`applications` are the names served here; `nonce` is random, `handshake.NONCE` bytes."""
        self._applications = applications
        self._handshake = ServerHandshake(nonce)
        self._chunks = ChunkReader(max_message=MAX_SETUP_MESSAGE)
        self._state = _State.HANDSHAKE
        self._out = bytearray()
        self._chunk_size = chunk.FIRST_CHUNK_SIZE
        self._app = ""
        self._window = WINDOW
        self._received = self._acknowledged = 0
        self._latest: int | None = None
        self.resumes = False
        """Whether `receive` has something to read before the peer sends more: it came with the request to publish."""
        self._announced = False
        """Whether the publisher called FCPublish."""

    @property
    def shaken(self) -> bool:
        """Whether the handshake is over."""
        return self._state is not _State.HANDSHAKE

    @property
    def ended(self) -> bool:
        """Whether the session is over: refused, or ended by the publisher."""
        return self._state is _State.ENDED

    def receive(self, data: bytes) -> list[Event]:
        """Take bytes of the peer; none, where it `resumes`.

        What comes behind a request to publish is not read before that is accepted, and counts as sent by a stranger.
        Raises RemoteProtocolError, after which the session must not be used.
        """
        if self.ended:
            return []
        self.resumes = False
        self._received += len(data)
        if self._received > MAX_SETUP_BYTES and self._state is not _State.PUBLISHING:
            raise RemoteProtocolError(f"the client sent {MAX_SETUP_BYTES} bytes and does not publish yet")
        if self._state is _State.HANDSHAKE:
            reply, data = self._handshake.receive(data)
            self._out += reply
            if not self._handshake.done:
                return []
            self._state = _State.CONNECTING
        events = self._read(data)
        self._acknowledge()
        return events

    def send_bytes(self) -> bytes:
        """What must be sent to the peer now, once."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def accept(self) -> None:
        """Let the publisher begin. Raises LocalProtocolError where none waits for an answer."""
        self._expect_request()
        self._state = _State.PUBLISHING
        self._chunks.max_message = chunk.MAX_MESSAGE
        self._chunks.held, self.resumes = False, self._chunks.waiting > 0
        begin = message.user_control(UserControl.STREAM_BEGIN, _MESSAGE_STREAM.to_bytes(4, "big"))
        self._send(begin, _CONTROL)
        if self._announced:  # Flash Media Live Encoder and its heirs wait for it
            self._send(message.command("onFCPublish", 0.0, None, _PUBLISHING), _COMMAND)
        self._send_status("status", "NetStream.Publish.Start", "publishing")

    def refuse(self, reason: str) -> None:
        """Turn the publisher away; `reason` is told to it. Raises LocalProtocolError where none waits."""
        self._expect_request()
        self._state = _State.ENDED
        # The one code that every publisher takes for a final no.
        self._send_status("error", "NetStream.Publish.BadName", reason)

    def _expect_request(self) -> None:
        if self._state is not _State.REQUESTED:
            raise LocalProtocolError("there is no request to publish that waits for an answer")

    def _read(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        for received in self._chunks.receive(data):
            events += self._handle(received)
            if self.ended:
                break
        return events

    def _handle(self, received: Message) -> list[Event]:
        match received.type:
            case MessageType.AUDIO | MessageType.VIDEO | MessageType.DATA_AMF0 | MessageType.DATA_AMF3:
                return self._on_media(received)
            case MessageType.COMMAND_AMF0 | MessageType.COMMAND_AMF3:
                return self._on_command(message.parse_command(received))
            case MessageType.AGGREGATE:
                parts = message.split_aggregate(received)
                return [event for part in parts for event in self._on_media(part)]
            case MessageType.USER_CONTROL:
                self._on_user_control(received.payload)
            case MessageType.WINDOW_SIZE:
                self._window = message.parse_window(received.payload)
            case MessageType.SET_PEER_BANDWIDTH:
                self._send(message.window_size(message.parse_window(received.payload)), _CONTROL)
        return []

    def _on_media(self, received: Message) -> list[Event]:
        if self._state is not _State.PUBLISHING:
            raise RemoteProtocolError("media was sent before the publisher was accepted")
        kind, payload = received.type, received.payload
        if kind == MessageType.DATA_AMF3:
            kind, payload = MessageType.DATA_AMF0, payload[1:]  # one zero byte, then AMF0
        if not payload or kind not in _MEDIA:
            return []
        return [MediaMessage(MediaKind(kind), self._unwrap(received.timestamp), payload)]

    def _unwrap(self, timestamp: int) -> int:
        """The time nearest to the latest one among those that are equal modulo 2^32."""
        if self._latest is not None:
            timestamp = self._latest + (timestamp - self._latest + _HALF) % _WRAP - _HALF
        self._latest = timestamp
        return timestamp

    def _on_user_control(self, payload: bytes) -> None:
        event, data = message.parse_user_control(payload)
        if event == UserControl.PING_REQUEST:
            self._send(message.user_control(UserControl.PING_RESPONSE, data[:4]), _CONTROL)

    def _on_command(self, call: Command) -> list[Event]:
        match call.name:
            case "connect":
                return self._on_connect(call)
            case "createStream":
                self._answer(call, None, float(_MESSAGE_STREAM))
            case "publish":
                return self._on_publish(call)
            case "play" | "play2":
                raise RemoteProtocolError(
                    f"the client asked to {call.name}; this server only takes publishers"
                )
            case "FCUnpublish" | "closeStream" | "deleteStream":
                return self._on_end(call)
            case "_result" | "_error" | "onStatus":
                pass  # answers to nothing that we asked
            case _:
                self._on_other(call)
        return []

    def _on_other(self, call: Command) -> None:
        """Answer what is in no specification: older encoders wait for releaseStream, FCPublish, _checkbw."""
        self._announced |= call.name == "FCPublish"
        if call.transaction:
            self._answer(call, None)

    def _on_connect(self, call: Command) -> list[Event]:
        """Answer connect (§7.2.1.1)."""
        if self._state is not _State.CONNECTING:
            raise RemoteProtocolError("the client connected twice")
        wanted = call.members()
        self._app = _plain_application(_text(wanted.get("app")))
        if self._app not in self._applications:
            self._refuse_connection(call)
            return [ConnectRefused()]
        self._state = _State.CONNECTED
        self._send(message.window_size(WINDOW), _CONTROL)
        self._send(message.set_peer_bandwidth(WINDOW), _CONTROL)
        self._send(message.set_chunk_size(CHUNK_SIZE), _CONTROL)
        self._chunk_size = CHUNK_SIZE
        # Version and capabilities of the server that all clients know how to talk to. Object encoding 0 asks
        # a client that could speak AMF3 for AMF0; its commands are read in either.
        server: dict[str, Value] = {"fmsVer": "FMS/3,5,7,7009", "capabilities": 31.0}
        server |= enhanced.capabilities(wanted)
        status = _status("status", "NetConnection.Connect.Success", "connected")
        self._answer(call, server, {**status, "objectEncoding": 0.0})
        return [Connected(self._app, _text(wanted.get("flashVer")))]

    def _refuse_connection(self, call: Command) -> None:
        self._state = _State.ENDED
        status = _status("error", "NetConnection.Connect.Rejected", "no such application")
        self._send(message.command("_error", call.transaction, None, status), _COMMAND)

    def _on_publish(self, call: Command) -> list[Event]:
        """Note a publish (§7.2.2.6); the caller answers. Who does not wait for that is not read until then."""
        if self._state is not _State.CONNECTED:
            raise RemoteProtocolError("the client asked to publish before it connected, or twice")
        self._state = _State.REQUESTED
        self._chunks.held = True
        return [PublishRequested(self._app, _plain_key(call.text(1)))]

    def _on_end(self, call: Command) -> list[Event]:
        """Publishers send up to three commands when they stop; the first of them ends it.

        Some send them before they publish too, to end what they may have left behind.
        """
        if call.transaction and call.name == "FCUnpublish":
            self._answer(call, None)
        if self._state is not _State.PUBLISHING:
            return []
        self._state = _State.ENDED
        self._send_status("status", "NetStream.Unpublish.Success", "stopped")
        return [PublishEnded()]

    def _answer(self, call: Command, *values: Value) -> None:
        self._send(message.command("_result", call.transaction, *values), _COMMAND)

    def _acknowledge(self) -> None:
        if self._received - self._acknowledged >= self._window and not self.ended:
            self._acknowledged = self._received
            self._send(message.acknowledgement(self._received), _CONTROL)

    def _send_status(self, level: str, code: str, description: str) -> None:
        status = message.command(
            "onStatus", 0.0, None, _status(level, code, description), stream=_MESSAGE_STREAM
        )
        self._send(status, _STATUS)

    def _send(self, sent: Message, chunk_stream: int) -> None:
        self._out += chunk.write(sent, chunk_stream=chunk_stream, chunk_size=self._chunk_size)


def _plain_application(name: str) -> str:
    """The application without the instance that Adobe's servers had, and the query that some put credentials in."""
    return name.partition("?")[0].strip("/").removesuffix("/_definst_")


def _plain_key(name: str) -> str:
    """The key without the parameters that some encoders append."""
    return name.partition("?")[0].strip("/")


def _text(value: Value) -> str:
    """A text, or "" for anything else: a value of AMF3 may be endless when it is written out."""
    return value if isinstance(value, str) else ""


def _status(level: str, code: str, description: str) -> dict[str, Value]:
    return {"level": level, "code": code, "description": description}


_PUBLISHING = _status("status", "NetStream.Publish.Start", "publishing")
