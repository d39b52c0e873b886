"""What is packed inside messages."""

import pytest

from abr.errors import RemoteProtocolError
from abr.formats.rtmp import message
from abr.formats.rtmp.amf import encode
from abr.formats.rtmp.chunk import Message
from abr.formats.rtmp.message import Command, UserControl


def test_a_command_has_a_name_a_number_and_values() -> None:
    payload = encode("publish", 5.0, None, "key", "live")
    wanted = Command("publish", 5.0, [None, "key", "live"])
    assert message.parse_command(Message(20, 0, 1, payload)) == wanted
    assert message.parse_command(Message(17, 0, 1, b"\x00" + payload)) == wanted
    assert message.command("publish", 5.0, None, "key", "live", stream=1) == Message(20, 0, 1, payload)


def test_a_command_has_a_limit() -> None:
    with pytest.raises(RemoteProtocolError, match="a command has 65537 bytes; the limit is 65536"):
        message.parse_command(Message(20, 0, 1, bytes(message.MAX_COMMAND + 1)))


def test_values_of_another_type_count_as_missing() -> None:
    call = Command("publish", 0.0, [1.0, {}])
    assert (call.text(0), call.text(1), call.text(2), call.members()) == ("", "", "", {})
    assert Command("connect", 0.0, []).members() == {}


@pytest.mark.parametrize("payload", [b"", encode(1.0, "connect"), encode("connect", "1")])
def test_a_command_without_name_or_number_is_wrong(payload: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="does not begin with its name and number"):
        message.parse_command(Message(20, 0, 0, payload))


@pytest.mark.parametrize(
    ("sent", "kind", "payload"),
    [
        (message.set_chunk_size(65536), 1, b"\x00\x01\x00\x00"),
        (message.acknowledgement((1 << 32) + 5), 3, b"\x00\x00\x00\x05"),
        (message.user_control(UserControl.STREAM_BEGIN, b"\x00\x00\x00\x01"), 4, b"\x00\x00\x00\x00\x00\x01"),
        (message.window_size(2_500_000), 5, b"\x00\x26\x25\xa0"),
        (message.set_peer_bandwidth(2_500_000), 6, b"\x00\x26\x25\xa0\x02"),
    ],
)
def test_control_messages_travel_on_message_stream_0(sent: Message, kind: int, payload: bytes) -> None:
    assert sent == Message(kind, 0, 0, payload)


def test_control_messages_have_their_lengths() -> None:
    assert message.parse_window(b"\x00\x00\x01\x00") == 256
    assert message.parse_user_control(b"\x00\x06abcd") == (6, b"abcd")
    with pytest.raises(RemoteProtocolError, match="window"):
        message.parse_window(b"\x00\x00\x01")
    with pytest.raises(RemoteProtocolError, match="user control"):
        message.parse_user_control(b"\x00")


FIRST = b"\x08\x00\x00\x02\xff\xff\xff\x00\x00\x00\x00ab" + b"\x00\x00\x00\x0d"
SECOND = b"\x09\x00\x00\x01\x00\x00\x15\x01\x00\x00\x00c" + b"\x00\x00\x00\x0c"


def test_the_parts_of_an_aggregate_are_moved_to_its_time() -> None:
    """The first part's own time is the aggregate's; the fourth time byte is the highest."""
    aggregate = Message(22, 1000, 1, FIRST + SECOND)
    assert list(message.split_aggregate(aggregate)) == [
        Message(8, 1000, 1, b"ab"),
        Message(9, 1000 + 0x16, 1, b"c"),
    ]


@pytest.mark.parametrize("size", [1, 10, 12, len(FIRST) + 5])
def test_an_aggregate_that_is_cut_short_is_wrong(size: int) -> None:
    with pytest.raises(RemoteProtocolError, match="cut short"):
        list(message.split_aggregate(Message(22, 0, 1, (FIRST + SECOND)[:size])))


def test_an_aggregate_has_a_limit() -> None:
    part = b"\x08\x00\x00\x01" + bytes(7) + b"a" + b"\x00\x00\x00\x0c"
    with pytest.raises(RemoteProtocolError, match="more than 4096 parts"):
        list(message.split_aggregate(Message(22, 0, 1, part * 5000)))
