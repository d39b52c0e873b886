"""A publisher's session, told by the bytes it sends and the events and answers they bring."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import LocalProtocolError, RemoteProtocolError
from abr.formats.flv import FlvWriter
from abr.formats.rtmp import chunk, message
from abr.formats.rtmp.amf import decode, encode
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
from abr.formats.rtmp.handshake import NONCE
from abr.formats.rtmp.session import MAX_SETUP_BYTES, MAX_SETUP_MESSAGE, WINDOW, ServerSession
from tests.fakes.rtmp_client import (
    AAC_FRAME,
    AVC_FRAME,
    HANDSHAKE,
    call,
    connect,
    media,
    metadata,
    publish,
    sent,
    stop,
)

VIDEO, AUDIO, DATA = MediaKind.VIDEO, MediaKind.AUDIO, MediaKind.DATA
ANSWERED_HANDSHAKE = 1 + 2 * 1536


def new_session() -> ServerSession:
    return ServerSession({"live"}, bytes(NONCE))


def publishing() -> ServerSession:
    """A session whose publisher was accepted, its answers read."""
    session = new_session()
    session.receive(HANDSHAKE + connect() + publish())
    session.accept()
    session.send_bytes()
    return session


def answers(data: bytes) -> list[tuple[int, object]]:
    """What the server said: (message type, payload), commands decoded."""
    said = list(ChunkReader().receive(data))
    return [(heard.type, decode(heard.payload) if heard.type == 20 else heard.payload) for heard in said]


def run(data: bytes, step: int) -> tuple[list[Event], bytes]:
    """Events and answers of a session in which every request to publish is accepted at once."""
    session, events, said = new_session(), list[Event](), b""
    for at in range(0, len(data), step):
        found = session.receive(data[at : at + step])
        if any(isinstance(event, PublishRequested) for event in found):
            session.accept()
        events += found
        said += session.send_bytes()
    return events, said


def test_from_the_handshake_to_the_end() -> None:
    session = new_session()
    assert session.receive(HANDSHAKE) == []
    assert session.shaken
    assert len(session.send_bytes()) == ANSWERED_HANDSHAKE
    assert session.receive(connect() + publish()) == [
        Connected("live", "FMLE/3.0 (test)"),
        PublishRequested("live", "key1"),
    ]
    assert answers(session.send_bytes()) == [
        (5, WINDOW.to_bytes(4, "big")),
        (6, WINDOW.to_bytes(4, "big") + b"\x02"),
        (1, b"\x00\x01\x00\x00"),
        (20, ["_result", 1.0, {"fmsVer": "FMS/3,5,7,7009", "capabilities": 31.0}, {
            "level": "status", "code": "NetConnection.Connect.Success", "description": "connected", "objectEncoding": 0.0,
        }]),
        (20, ["_result", 2.0, None]),
        (20, ["_result", 3.0, None]),
        (20, ["_result", 4.0, None, 1.0]),
    ]  # fmt: skip
    session.accept()
    assert answers(session.send_bytes()) == [
        (4, b"\x00\x00\x00\x00\x00\x01"),
        (20, ["onFCPublish", 0.0, None, {"level": "status", "code": "NetStream.Publish.Start", "description": "publishing"}]),
        (20, ["onStatus", 0.0, None, {"level": "status", "code": "NetStream.Publish.Start", "description": "publishing"}]),
    ]  # fmt: skip
    assert session.receive(media(VIDEO, 40, AVC_FRAME) + media(AUDIO, 41, AAC_FRAME)) == [
        MediaMessage(VIDEO, 40, AVC_FRAME),
        MediaMessage(AUDIO, 41, AAC_FRAME),
    ]
    assert session.receive(stop()) == [PublishEnded()]
    assert answers(session.send_bytes()) == [
        (20, ["_result", 6.0, None]),
        (20, ["onStatus", 0.0, None, {"level": "status", "code": "NetStream.Unpublish.Success", "description": "stopped"}]),
    ]  # fmt: skip
    assert session.ended
    assert session.receive(b"anything") == []


def test_the_key_shows_in_no_text() -> None:
    assert "hunter2" not in repr(PublishRequested("live", "hunter2"))


def test_bytes_may_come_in_any_pieces() -> None:
    setup = HANDSHAKE + connect() + publish()
    data = metadata(width=320.0) + media(VIDEO, 0, AVC_FRAME * 50) + media(AUDIO, 0, AAC_FRAME) + stop()
    one_by_one, said = run(setup + data, 1)
    assert [type(event) for event in one_by_one] == [
        Connected, PublishRequested, MediaMessage, MediaMessage, MediaMessage, PublishEnded,
    ]  # fmt: skip
    # Split where the answer to publish is awaited, as every publisher does.
    assert run(setup + data, len(setup)) == (one_by_one, said)


def test_a_wrong_application_is_rejected() -> None:
    session = new_session()
    assert session.receive(HANDSHAKE + connect("other") + publish()) == [ConnectRefused()]
    assert session.ended
    [(kind, said)] = answers(session.send_bytes()[ANSWERED_HANDSHAKE:])
    assert (kind, said) == (20, ["_error", 1.0, None, {
        "level": "error", "code": "NetConnection.Connect.Rejected", "description": "no such application",
    }])  # fmt: skip


@pytest.mark.parametrize("app", ["live/", "/live", "live?user=a&password=b", "live/?x", "live/_definst_"])
def test_an_application_is_known_without_slashes_and_query(app: str) -> None:
    assert isinstance(new_session().receive(HANDSHAKE + connect(app))[0], Connected)


@pytest.mark.parametrize("key", ["key1", "key1?user=a&password=b", "key1/", "/key1"])
def test_a_key_is_known_without_what_encoders_append(key: str) -> None:
    assert new_session().receive(HANDSHAKE + connect() + publish(key))[1] == PublishRequested("live", "key1")


def called(data: bytes) -> list[str]:
    """The names of the commands among the server's answers."""
    return [str(said[0]) for kind, said in answers(data) if kind == 20 and isinstance(said, list)]


CONNECTING = HANDSHAKE + connect()
PUBLISHING = call("createStream", 4.0, None) + call("publish", 5.0, None, "key1", "live", stream=1)
STOPPING = call("FCUnpublish", 6.0, None, "key1") + call("deleteStream", 7.0, None, 1.0)
ORDERS = {
    # FFmpeg; GStreamer's rtmp2sink; Larix
    "both announcements": (
        call("releaseStream", 2.0, None, "key1") + call("FCPublish", 3.0, None, "key1") + PUBLISHING,
        ["_result", "_result", "_result", "onFCPublish", "onStatus"],
        STOPPING,
        ["_result", "onStatus"],
    ),
    # librtmp: OBS, GStreamer's rtmpsink
    "numbers of their own, and a larger chunk size": (
        sent(message.set_chunk_size(4096)) + call("releaseStream", 2.0, None, "key1")
        + call("FCPublish", 3.0, None, "key1") + call("createStream", 4.0, None)
        + call("_checkbw", 5.0, None) + call("publish", 6.0, None, "key1", "live", stream=1),
        ["_result", "_result", "_result", "_result", "onFCPublish", "onStatus"],
        call("FCUnpublish", 0.0, None, "key1") + call("deleteStream", 0.0, None, 1.0),
        ["onStatus"],
    ),
    # Flash Media Live Encoder, Wirecast
    "closeStream first": (
        call("releaseStream", 2.0, None, "key1") + call("FCPublish", 3.0, None, "key1") + PUBLISHING,
        ["_result", "_result", "_result", "onFCPublish", "onStatus"],
        call("closeStream", 0.0, None, stream=1) + STOPPING,
        ["onStatus"],
    ),
    "nothing but what the specification has": (
        PUBLISHING, ["_result", "onStatus"], call("deleteStream", 0.0, None, 1.0), ["onStatus"],
    ),
    "an end to what was left behind, before the beginning": (
        STOPPING + call("closeStream", 0.0, None) + PUBLISHING,
        ["_result", "_result", "onStatus"],
        call("closeStream", 0.0, None, stream=1),
        ["onStatus"],
    ),
    "two streams created, one used": (
        call("createStream", 3.0, None) + PUBLISHING, ["_result", "_result", "onStatus"], STOPPING, ["_result", "onStatus"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ORDERS)
def test_each_order_of_real_encoders(name: str) -> None:
    """From connect to the end: what each one is answered, in order, with media between."""
    beginning, first, end, last = ORDERS[name]
    session = new_session()
    session.receive(CONNECTING)
    session.send_bytes()
    assert session.receive(beginning) == [PublishRequested("live", "key1")]
    session.accept()
    assert called(session.send_bytes()) == first
    picture = chunk.write(Message(VIDEO, 40, 1, AVC_FRAME), chunk_stream=6, chunk_size=128)
    assert session.receive(picture) == [MediaMessage(VIDEO, 40, AVC_FRAME)]
    assert session.receive(end) == [PublishEnded()]
    assert called(session.send_bytes()) == last


def test_unknown_calls_are_answered_and_answers_are_not() -> None:
    session = publishing()
    session.receive(call("_checkbw", 8.0, None) + call("FCSubscribe", 0.0, None))
    assert answers(session.send_bytes()) == [(20, ["_result", 8.0, None])]
    session.receive(call("_result", 9.0, None) + call("_error", 9.0, None) + call("onStatus", 9.0, None))
    assert session.send_bytes() == b""


def test_capabilities_are_answered_to_who_asks() -> None:
    session = new_session()
    session.receive(HANDSHAKE + call("connect", 1.0, {"app": "live", "fourCcList": ["av01"], "capsEx": 2.0}))
    *_, (kind, said) = answers(session.send_bytes()[ANSWERED_HANDSHAKE:])
    assert isinstance(said, list)
    assert (kind, said[0], said[2]["capsEx"], said[2]["videoFourCcInfoMap"]["hvc1"]) == (
        20,
        "_result",
        6.0,
        1.0,
    )


def test_commands_may_come_in_amf3() -> None:
    """Message type 17: a zero byte, AMF0, and an AMF3 object behind its marker. The answer asks for AMF0."""
    asked = amf3_call("connect", 1.0, b"\x11\x0a\x0b\x01\x07app\x06\x09live\x1dobjectEncoding\x04\x03\x01")
    requested = amf3_call("publish", 5.0, b"\x05\x11\x06\x09key1\x11\x06\x09live")
    session = new_session()
    assert session.receive(HANDSHAKE + asked + requested) == [
        Connected("live", ""),
        PublishRequested("live", "key1"),
    ]
    session.accept()
    assert session.receive(amf3_call("deleteStream", 0.0, b"\x05\x11\x04\x01")) == [PublishEnded()]


def amf3_call(name: str, number: float, values: bytes) -> bytes:
    return sent(Message(17, 0, 0, b"\x00" + encode(name, number) + values))


def test_what_a_client_says_of_itself_may_be_anything() -> None:
    """A value of AMF3 may hold itself: it is never written out."""
    asked = amf3_call("connect", 1.0, b"\x11\x0a\x0b\x01\x07app\x06\x09live\x11flashVer\x0a\x00\x01")
    assert new_session().receive(HANDSHAKE + asked) == [Connected("live", "")]


@pytest.mark.parametrize("size", [1, 2, 127, 4096, 65536, 0xFFFFFF, 0x7FFFFFFF])
def test_any_chunk_size(size: int) -> None:
    """A size of 16 MiB or more means the same: no message is longer."""
    session = publishing()
    session.receive(sent(message.set_chunk_size(size)))
    big = Message(VIDEO, 0x1000000, 1, bytes(range(256)) * 4)
    data = chunk.write(big, chunk_stream=6, chunk_size=min(size, 0xFFFFFF))
    assert session.receive(data) == [MediaMessage(VIDEO, 0x1000000, big.payload)]


def test_a_refused_publisher_hears_why_and_sends_nothing_more() -> None:
    session = new_session()
    session.receive(HANDSHAKE + connect() + publish())
    session.send_bytes()
    session.refuse("wrong stream key")
    assert answers(session.send_bytes()) == [(20, ["onStatus", 0.0, None, {
        "level": "error", "code": "NetStream.Publish.BadName", "description": "wrong stream key",
    }])]  # fmt: skip
    assert session.receive(media(VIDEO, 0, AVC_FRAME)) == []


def test_only_a_request_can_be_answered() -> None:
    for session in (new_session(), publishing()):
        with pytest.raises(LocalProtocolError):
            session.accept()
        with pytest.raises(LocalProtocolError):
            session.refuse("no")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (media(VIDEO, 0, AVC_FRAME), "media was sent before the publisher was accepted"),
        (connect() + media(AUDIO, 0, AAC_FRAME), "media was sent before"),
        (connect() + connect(), "connected twice"),
        (publish(), "before it connected, or twice"),
        (connect() + call("play", 5.0, None, "key1"), "this server only takes publishers"),
        (connect() + sent(Message(20, 0, 0, bytes(MAX_SETUP_MESSAGE + 1))), "the limit is 65536"),
        (connect() + sent(Message(9, 0, 1, b"")) * (MAX_SETUP_BYTES // 12), "does not publish yet"),
        (sent(Message(4, 0, 0, b"\x00")), "user control"),
    ],
)
def test_what_no_publisher_does(data: bytes, sentence: str) -> None:
    with pytest.raises(RemoteProtocolError, match=sentence):
        new_session().receive(HANDSHAKE + data)


def test_long_messages_are_taken_from_accepted_publishers() -> None:
    payload = AVC_FRAME * 20_000
    assert publishing().receive(media(VIDEO, 0, payload)) == [MediaMessage(VIDEO, 0, payload)]


@pytest.mark.parametrize("command", ["FCUnpublish", "closeStream", "deleteStream"])
def test_each_way_to_stop(command: str) -> None:
    assert publishing().receive(call(command, 6.0, None, 1.0)) == [PublishEnded()]


def test_nothing_counts_after_the_end() -> None:
    assert publishing().receive(stop() + b"\xff\xff garbage") == [PublishEnded()]


SENT_AHEAD = metadata() + media(VIDEO, 0, AVC_FRAME * 20_000) + media(AUDIO, 7, AAC_FRAME)


@pytest.mark.parametrize("cut", [0, 5, len(SENT_AHEAD) - 3, len(SENT_AHEAD)])
def test_what_is_sent_ahead_of_the_answer_is_read_when_it_is_accepted(cut: int) -> None:
    """FFmpeg's own RTMP waits for the answer; others put their first messages into the same segment."""
    session, ahead = new_session(), SENT_AHEAD[:cut]
    events = session.receive(HANDSHAKE + connect() + publish() + ahead)
    assert events[1:] == [PublishRequested("live", "key1")]
    assert not session.resumes
    session.accept()
    assert session.resumes == bool(ahead)
    events = session.receive(b"") + session.receive(SENT_AHEAD[cut:])
    assert [(event.kind, event.timestamp) for event in events] == [(DATA, 0), (VIDEO, 0), (AUDIO, 7)]
    assert not session.resumes


def test_what_a_refused_publisher_has_sent_ahead_is_never_read() -> None:
    session = new_session()
    session.receive(HANDSHAKE + connect() + publish() + SENT_AHEAD)
    session.refuse("wrong stream key")
    assert session.receive(b"") == []


def test_what_is_sent_ahead_is_bounded() -> None:
    session = new_session()
    session.receive(HANDSHAKE + connect() + publish())
    for _ in range(MAX_SETUP_BYTES // 1000 - 4):
        session.receive(bytes(1000))
    assert MAX_SETUP_BYTES - 5000 < held(session) <= MAX_SETUP_BYTES
    with pytest.raises(RemoteProtocolError, match="does not publish yet"):
        session.receive(bytes(5000))


def test_a_client_may_go_before_it_is_accepted_and_asks_only_once() -> None:
    session = new_session()
    session.receive(HANDSHAKE + connect() + publish() + stop())
    session.accept()
    assert session.receive(b"") == [PublishEnded()]
    session = new_session()
    session.receive(HANDSHAKE + connect() + publish() + publish())
    session.accept()
    with pytest.raises(RemoteProtocolError, match="before it connected, or twice"):
        session.receive(b"")


def test_unknown_commands_and_messages_are_passed_over() -> None:
    others = call("_checkbw", 8.0, None) + call("onStatus", 0.0, None) + sent(Message(3, 0, 0, bytes(4)))
    assert publishing().receive(others + sent(Message(19, 0, 1, b"x")) + media(AUDIO, 0, b"")) == []


def test_a_ping_is_answered() -> None:
    session = publishing()
    session.receive(sent(message.user_control(message.UserControl.PING_REQUEST, b"\x01\x02\x03\x04")))
    assert answers(session.send_bytes()) == [(4, b"\x00\x07\x01\x02\x03\x04")]


def test_bytes_are_acknowledged_once_a_window() -> None:
    session = publishing()
    session.receive(sent(message.window_size(10_000)))
    session.send_bytes()
    before = session._received
    frame = media(VIDEO, 0, bytes(6000))
    session.receive(frame)
    first = session.send_bytes()
    session.receive(frame)
    [(kind, payload)] = answers(first + session.send_bytes())
    assert kind == 3
    assert int.from_bytes(payload, "big") in {before + len(frame), before + 2 * len(frame)}


def test_the_peers_bandwidth_limit_becomes_our_window() -> None:
    session = publishing()
    session.receive(sent(message.set_peer_bandwidth(5000)))
    assert answers(session.send_bytes()) == [(5, (5000).to_bytes(4, "big"))]


def test_times_go_on_beyond_32_bits() -> None:
    session = publishing()
    times = [0xFFFFFFF0, 0xFFFFFFE0, 0x10, 0x00, 0xFFFFFFFF, 0x7FFFFFFE, 0x80000010, 0x05]
    events = session.receive(b"".join(media(VIDEO, time, AVC_FRAME) for time in times))
    wrap = 1 << 32
    assert [event.timestamp for event in events if isinstance(event, MediaMessage)] == [
        0xFFFFFFF0, 0xFFFFFFE0, wrap + 0x10, wrap, wrap - 1, wrap + 0x7FFFFFFE, wrap + 0x80000010, 2 * wrap + 5,
    ]  # fmt: skip


def test_aggregates_and_amf3_data_are_unpacked() -> None:
    session = publishing()
    aggregate = b"\x08\x00\x00\x02\x00\x00\x64\x00\x00\x00\x00ab" + b"\x00\x00\x00\x0d"
    assert session.receive(media(22, 500, aggregate) + media(15, 501, b"\x00data")) == [  # type: ignore[arg-type]
        MediaMessage(AUDIO, 500, b"ab"),
        MediaMessage(DATA, 501, b"data"),
    ]


WHOLE = HANDSHAKE + connect() + publish()
MEDIA = metadata(width=320.0) + b"".join(media(VIDEO, 40 * n, AVC_FRAME * 30) for n in range(20)) + stop()


def flip(data: bytes, flips: list[tuple[int, int]]) -> bytes:
    changed = bytearray(data)
    for place, bit in flips:
        changed[place % len(changed)] ^= 1 << bit
    return bytes(changed)


FLIPS = st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 7)), min_size=1, max_size=20)


@given(FLIPS, st.sampled_from([len(MEDIA), 100]))
def test_flipped_bits_bring_the_peers_error_or_nothing(flips: list[tuple[int, int]], step: int) -> None:
    session = publishing()
    assert_harmless(session, flip(MEDIA, flips), step)


@given(FLIPS)
def test_flipped_bits_before_publishing(flips: list[tuple[int, int]]) -> None:
    session = new_session()
    events = assert_harmless(session, flip(WHOLE, flips), 500)
    assert not any(isinstance(event, MediaMessage) for event in events)


SETUPS = (
    WHOLE,
    CONNECTING + ORDERS["numbers of their own, and a larger chunk size"][0],
    HANDSHAKE + amf3_call("connect", 1.0, b"\x11\x0a\x0b\x01\x07app\x06\x09live\x01") + publish(),
)
BODY = b"".join(
    (
        metadata(width=320.0),
        sent(message.window_size(10_000)),
        *(media(VIDEO, 0xFFFFF0 + 40 * n, AVC_FRAME * 30) for n in range(6)),
        sent(message.user_control(message.UserControl.PING_REQUEST, bytes(4))),
        media(VIDEO, 0xFFFFFFF0, b"\x96\x11av01" + b"\x02\x00\x00\x02bb" + b"\x01\x00\x00\x01a"),
        sent(message.set_chunk_size(4096)),
        chunk.write(Message(22, 500, 1, b"\x08\x00\x00\x02\x00\x00\x64\x00\x00\x00\x00ab\x00\x00\x00\x0d"), chunk_stream=6, chunk_size=4096),
        chunk.write(Message(2, 0, 0, b"\x00\x00\x00\x06"), chunk_stream=2, chunk_size=4096),
        stop(),
    )
)  # fmt: skip


@given(
    st.sampled_from(SETUPS), st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 7)), max_size=20),
    st.lists(st.integers(1, 4000), min_size=1, max_size=8), st.lists(st.integers(0, 1 << 20), max_size=3),
)  # fmt: skip
def test_a_whole_session_however_cut_flipped_and_shortened(
    setup: bytes, flips: list[tuple[int, int]], steps: list[int], losses: list[int]
) -> None:
    """Only the peer's error, little memory, answers no longer than what was sent; then its media as FLV."""
    data = flip(setup + BODY, flips)
    for place in losses:
        data = data[: place % len(data)] + data[place % len(data) + 1 :]
    session, flv, position, said = new_session(), FlvWriter(), 0, 0
    with suppress(RemoteProtocolError):
        while position < len(data):
            step = steps[position % len(steps)]
            events = session.receive(data[position : position + step])
            position += step
            if any(isinstance(event, PublishRequested) for event in events) and not session.ended:
                session.accept()
            for event in events:
                if isinstance(event, MediaMessage):
                    flv.push(event)
            said += len(session.send_bytes())
            assert held(session) <= len(data)
    assert said <= ANSWERED_HANDSHAKE + 4000 + len(data)
    assert sum(map(len, iter(flv.take, None))) <= 4 * len(data) + 4000


def held(session: ServerSession) -> int:
    """Bytes that wait for the rest of their messages."""
    return len(session._chunks._tail) + sum(len(stream.body) for stream in session._chunks._streams.values())


def assert_harmless(session: ServerSession, data: bytes, step: int) -> list[Event]:
    """Anything but the peer's error fails the test."""
    events: list[Event] = []
    with suppress(RemoteProtocolError):
        for at in range(0, len(data), step):
            events += session.receive(data[at : at + step])
    session.send_bytes()
    return events
