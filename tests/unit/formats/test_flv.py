"""FLV tags, and when a container must be opened anew."""

import io

import av
import pytest

from abr.formats.flv import HEADER, FlvWriter, codec, is_sequence_header, metadata, tag
from abr.formats.rtmp.amf import encode
from abr.formats.rtmp.event import MediaKind, MediaMessage
from abr.model.media import Kind
from tests.fakes.publisher import write_clip
from tests.fakes.rtmp_client import AAC_FRAME, AAC_HEADER, AVC_FRAME, AVC_HEADER

VIDEO, AUDIO, DATA = MediaKind.VIDEO, MediaKind.AUDIO, MediaKind.DATA
BOTH = {Kind.VIDEO, Kind.AUDIO}
HEVC_HEADER = b"\x90hvc1header"
DESCRIPTION = encode("onMetaData", {"width": 320.0})


def taken(writer: FlvWriter) -> list[bytes]:
    """All that can be taken now."""
    return list(iter(writer.take, None))


def writer_of(*messages: tuple[MediaKind, int, bytes]) -> FlvWriter:
    writer = FlvWriter()
    push(writer, *messages)
    return writer


def push(writer: FlvWriter, *messages: tuple[MediaKind, int, bytes]) -> None:
    for message in messages:
        writer.push(MediaMessage(*message))


@pytest.mark.parametrize(
    ("kind", "time", "payload", "data"),
    [
        (VIDEO, 0, b"", b"\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0b"),
        (AUDIO, 0x01020304, b"ab", b"\x08\x00\x00\x02\x02\x03\x04\x01\x00\x00\x00ab\x00\x00\x00\x0d"),
        (DATA, (1 << 32) + 5, b"a", b"\x12\x00\x00\x01\x00\x00\x05\x00\x00\x00\x00a\x00\x00\x00\x0c"),
        (VIDEO, -1, b"a", b"\x09\x00\x00\x01\xff\xff\xff\xff\x00\x00\x00a\x00\x00\x00\x0c"),
    ],
)
def test_a_tag_and_its_bytes(kind: MediaKind, time: int, payload: bytes, data: bytes) -> None:
    assert tag(kind, time, payload) == data


@pytest.mark.parametrize(
    ("kind", "payload", "name", "header"),
    [
        (VIDEO, AVC_HEADER, b"\x07", True),
        (VIDEO, AVC_FRAME, b"\x07", False),
        (VIDEO, b"\x27\x02\x00\x00\x00", b"\x07", False),
        (VIDEO, b"\x1c\x00\x00\x00\x00", b"\x0c", True),
        (VIDEO, b"\x12\x00", b"\x02", False),
        (VIDEO, b"\x57\x00", None, True),
        (VIDEO, HEVC_HEADER, b"hvc1", True),
        (VIDEO, b"\xa1av01frame", b"av01", False),
        (VIDEO, b"\xd0av01", None, True),
        (VIDEO, b"\x96\x00av01", None, False),
        (AUDIO, b"\x94mp4a", b"mp4a", False),
        (AUDIO, b"\x95\x00mp4a", None, False),
        (VIDEO, b"\x90hv", None, True),
        (VIDEO, b"", None, False),
        (AUDIO, AAC_HEADER, b"\xa2", True),
        (AUDIO, AAC_FRAME, b"\xa2", False),
        (AUDIO, b"\x2f\x00", b"\x22", False),
        (AUDIO, b"\x90Opus", b"Opus", True),
        (AUDIO, b"\x91Opus", b"Opus", False),
        (AUDIO, b"\xa0", b"\xa0", False),
    ],
)
def test_what_a_message_says_of_its_codec(
    kind: MediaKind, payload: bytes, name: bytes | None, header: bool
) -> None:
    assert codec(kind, payload) == name
    assert is_sequence_header(kind, payload) == header


def test_set_data_frame_is_stripped_from_metadata() -> None:
    assert metadata(encode("@setDataFrame") + DESCRIPTION) == DESCRIPTION
    assert metadata(DESCRIPTION) == DESCRIPTION
    assert metadata(encode("@setDataFrame", "onTextData")) is None
    assert metadata(b"") is None


def test_the_header_comes_first_then_tags_in_order() -> None:
    writer = writer_of((VIDEO, 0, AVC_HEADER), (AUDIO, 3, AAC_HEADER))
    assert taken(writer) == [HEADER, tag(VIDEO, 0, AVC_HEADER), tag(AUDIO, 3, AAC_HEADER)]
    assert writer.take() is None
    push(writer, (VIDEO, 40, AVC_FRAME))
    assert taken(writer) == [tag(VIDEO, 40, AVC_FRAME)]


def test_of_data_only_the_first_metadata_is_kept_with_time_0() -> None:
    """A later one, or any other data, makes FFmpeg open a track that it did not announce."""
    writer = writer_of(
        (DATA, 7, encode("onTextData", {})),
        (DATA, 8, encode("@setDataFrame") + DESCRIPTION),
        (DATA, 9, DESCRIPTION),
    )
    assert taken(writer) == [HEADER, tag(DATA, 0, DESCRIPTION)]


def test_of_several_tracks_the_lowest_heard_is_kept() -> None:
    """OBS sends the first one plain and the others beside it; others send all of them wrapped."""
    header, frame = b"\x90hvc1header", b"\x91hvc1\x00\x00\x00frame"
    second, third = b"\x96\x00hvc1\x02second", b"\x96\x01hvc1\x03\x00\x00\x00third"
    writer = writer_of((VIDEO, 0, header), (VIDEO, 0, second), (VIDEO, 40, frame), (VIDEO, 40, third))
    assert taken(writer) == [HEADER, tag(VIDEO, 0, header), tag(VIDEO, 40, frame)]
    writer = writer_of(
        (VIDEO, 0, third), (VIDEO, 0, second), (VIDEO, 40, third), (AUDIO, 41, b"\x95\x01Opus\x09x")
    )
    assert taken(writer) == [
        HEADER,
        tag(VIDEO, 0, b"\x91hvc1\x00\x00\x00third"),
        tag(VIDEO, 0, b"\x90hvc1second"),
        tag(AUDIO, 41, b"\x91Opusx"),
    ]


def test_what_came_is_kept_as_it_came_in_step_with_what_is_taken() -> None:
    """All data and all tracks with their own times; a new header where the container begins anew, and nothing repeated."""
    writer, kept = FlvWriter(), list[bytes]()
    writer.kept = kept.append
    second, cue = b"\x96\x00avc1\x01setup", encode("onCuePoint", {"name": "ad"})
    old = b"\x1c\x01\x00\x00\x00nal"
    push(
        writer,
        (DATA, 5, encode("@setDataFrame") + DESCRIPTION),
        (VIDEO, 5, AVC_HEADER),
        (VIDEO, 5, second),
        (VIDEO, 5, b"\x96"),
        (DATA, 6, cue),
    )
    assert len(taken(writer)) == 3
    first = [
        HEADER,
        tag(DATA, 5, DESCRIPTION),
        tag(VIDEO, 5, AVC_HEADER),
        tag(VIDEO, 5, second),
        tag(DATA, 6, cue),
    ]
    assert kept == first
    writer.settle({Kind.VIDEO})
    push(writer, (DATA, 7, DESCRIPTION), (AUDIO, 8, AAC_HEADER), (VIDEO, 9, old), (DATA, 10, cue))
    assert taken(writer) == []
    assert kept == [*first, tag(DATA, 7, DESCRIPTION)]
    writer.restart()
    taken(writer)
    assert kept[6:] == [HEADER, tag(AUDIO, 8, AAC_HEADER), tag(VIDEO, 9, old), tag(DATA, 10, cue)]


def test_what_nobody_keeps_does_not_wait() -> None:
    writer = writer_of(*((DATA, time, encode("onTextData", {})) for time in range(1000)))
    assert not writer._queue


def test_a_message_that_is_cut_short_is_passed_over() -> None:
    writer = writer_of((VIDEO, 0, b"\x96\x11hvc1\x00\x00\x00\x09x"), (AUDIO, 3, AAC_HEADER))
    assert taken(writer) == [HEADER, tag(AUDIO, 3, AAC_HEADER)]


def test_a_late_track_ends_the_container_and_begins_the_next() -> None:
    writer = writer_of((DATA, 0, DESCRIPTION), (VIDEO, 0, AVC_HEADER), (VIDEO, 0, AVC_FRAME))
    taken(writer)
    writer.settle({Kind.VIDEO})
    assert not writer.reopen
    push(writer, (VIDEO, 40, AVC_FRAME), (AUDIO, 50, AAC_HEADER), (VIDEO, 80, AVC_FRAME))
    assert taken(writer) == [tag(VIDEO, 40, AVC_FRAME)]
    assert writer.reopen
    assert writer.take() is None
    writer.restart()
    assert not writer.reopen
    assert taken(writer) == [
        HEADER + tag(VIDEO, 50, AVC_HEADER),
        tag(AUDIO, 50, AAC_HEADER),
        tag(VIDEO, 80, AVC_FRAME),
    ]
    writer.settle(BOTH)
    push(writer, (AUDIO, 90, AAC_FRAME), (VIDEO, 120, AVC_FRAME))
    assert len(taken(writer)) == 2


def test_a_track_that_slipped_past_the_open_container_is_found_when_it_settles() -> None:
    writer = writer_of((VIDEO, 0, AVC_HEADER), (AUDIO, 0, AAC_HEADER), (VIDEO, 40, AVC_FRAME))
    taken(writer)
    writer.settle({Kind.VIDEO})
    assert writer.reopen
    writer.restart()
    assert taken(writer) == [HEADER + tag(VIDEO, 40, AVC_HEADER) + tag(AUDIO, 40, AAC_HEADER)]


def test_a_sparse_track_without_set_up_does_not_reopen_for_ever() -> None:
    writer = writer_of((VIDEO, 0, AVC_HEADER), (AUDIO, 0, b"\x2fmp3"))
    taken(writer)
    writer.settle({Kind.VIDEO})
    writer.restart()
    taken(writer)
    writer.settle({Kind.VIDEO})
    assert not writer.reopen
    push(writer, (AUDIO, 9000, b"\x2fmp3"))
    assert writer.take() is None
    assert writer.reopen


def test_a_reader_that_cannot_use_a_track_is_asked_once() -> None:
    writer = writer_of((VIDEO, 0, AVC_HEADER), (AUDIO, 0, AAC_HEADER))
    for expected in (True, False):
        taken(writer)
        writer.settle({Kind.VIDEO})
        assert writer.reopen == expected
        writer.restart()
    push(writer, (AUDIO, 40, AAC_FRAME))
    assert tag(AUDIO, 40, AAC_FRAME) in taken(writer)


def test_another_codec_begins_a_container_without_the_old_set_up() -> None:
    writer = writer_of((VIDEO, 0, AVC_HEADER), (AUDIO, 0, AAC_HEADER))
    taken(writer)
    writer.settle(BOTH)
    push(writer, (VIDEO, 40, HEVC_HEADER))
    assert taken(writer) == []
    writer.restart()
    assert taken(writer) == [HEADER + tag(AUDIO, 40, AAC_HEADER), tag(VIDEO, 40, HEVC_HEADER)]


def test_a_new_set_up_of_the_same_codec_is_a_reason_to_begin_again() -> None:
    """Another size or rate: a decoder that was set up for the old one would read it wrongly."""
    larger = AVC_HEADER + b"more"
    writer = writer_of((VIDEO, 0, AVC_HEADER))
    taken(writer)
    writer.settle({Kind.VIDEO})
    push(writer, (VIDEO, 20, AVC_HEADER), (VIDEO, 40, larger))
    assert taken(writer) == [tag(VIDEO, 20, AVC_HEADER)]
    assert writer.reopen
    writer.restart()
    assert taken(writer) == [HEADER, tag(VIDEO, 40, larger)]


def test_set_ups_that_change_together_begin_again_once() -> None:
    larger, slower = AVC_HEADER + b"more", AAC_HEADER + b"more"
    writer = writer_of((VIDEO, 0, AVC_HEADER), (AUDIO, 0, AAC_HEADER))
    taken(writer)
    writer.settle({Kind.VIDEO, Kind.AUDIO})
    push(writer, (VIDEO, 40, larger), (AUDIO, 41, slower), (VIDEO, 42, AVC_FRAME))
    assert taken(writer) == []
    writer.restart()
    assert taken(writer)[:2] == [HEADER + tag(AUDIO, 40, slower), tag(VIDEO, 40, larger)]
    writer.settle({Kind.VIDEO, Kind.AUDIO})
    assert not writer.reopen


def test_a_set_up_that_changes_while_the_container_is_opened_is_not_missed() -> None:
    """A publisher changes size and sample rate at once: the second change comes behind the first."""
    larger, slower = AVC_HEADER + b"more", AAC_HEADER + b"more"
    writer = writer_of((VIDEO, 0, AVC_HEADER), (AUDIO, 0, AAC_HEADER))
    taken(writer)
    writer.settle({Kind.VIDEO, Kind.AUDIO})
    push(writer, (VIDEO, 40, larger))
    assert taken(writer) == []
    writer.restart()
    push(writer, (AUDIO, 41, slower))
    assert taken(writer) == [
        HEADER + tag(AUDIO, 40, AAC_HEADER),
        tag(VIDEO, 40, larger),
        tag(AUDIO, 41, slower),
    ]
    writer.settle({Kind.VIDEO, Kind.AUDIO})
    assert writer.reopen
    writer.restart()
    opening = taken(writer)
    assert sorted(opening[0][len(HEADER) :]) == sorted(tag(AUDIO, 41, slower) + tag(VIDEO, 41, larger))
    writer.settle({Kind.VIDEO, Kind.AUDIO})
    assert not writer.reopen


@pytest.fixture(scope="module")
def clip() -> bytes:
    """A second of FFmpeg's own FLV, 25 pictures and their sound."""
    file = io.BytesIO()
    write_clip(file, 25)
    return file.getvalue()


def messages_of(flv: bytes) -> list[MediaMessage]:
    """The tags of an FLV as the messages that would have carried them."""
    found, position = [], len(HEADER)
    while position < len(flv):
        head = flv[position : position + 11]
        size, time = int.from_bytes(head[1:4]), int.from_bytes(head[7:8] + head[4:7])
        found.append(MediaMessage(MediaKind(head[0]), time, flv[position + 11 : position + 11 + size]))
        position += 11 + size + 4
    return found


def packets(flv: bytes) -> dict[str, list[tuple[int | None, bytes]]]:
    """Decode time (ms) and data of each packet that FFmpeg finds, by kind."""
    found: dict[str, list[tuple[int | None, bytes]]] = {}
    with av.open(io.BytesIO(flv), format="flv") as container:
        for packet in container.demux():
            if packet.size:
                found.setdefault(packet.stream.type, []).append((packet.dts, bytes(packet)))
    return found


def test_a_demuxer_reads_what_is_written(clip: bytes) -> None:
    writer = FlvWriter()
    for message in messages_of(clip):
        writer.push(message)
    assert packets(b"".join(taken(writer))) == packets(clip)
    assert len(packets(clip)["video"]) == 25


def test_a_demuxer_follows_late_audio_through_a_reopening(clip: bytes) -> None:
    """An FLV that begins with video alone: every packet arrives, in two containers, on one time line."""
    messages = messages_of(clip)
    header = next(message for message in messages if message.kind is AUDIO)
    early = [message for message in messages if message.timestamp < 400 and message.kind is not AUDIO]
    late = [message for message in messages if message.timestamp >= 400]
    writer = FlvWriter()
    for message in early:
        writer.push(message)
    first = packets(b"".join(taken(writer)))
    writer.settle({Kind.VIDEO})
    for message in [MediaMessage(AUDIO, 400, header.payload), *late]:
        writer.push(message)
    assert taken(writer) == []
    assert writer.reopen
    writer.restart()
    second = packets(b"".join(taken(writer)))
    wanted = packets(clip)
    assert first["video"] + second["video"] == wanted["video"]
    assert second["audio"] == [packet for packet in wanted["audio"] if packet[0] >= 400]


@pytest.mark.parametrize("wrap", ["old number", "ModEx", "one track of several"])
def test_a_demuxer_reads_hevc_however_it_is_wrapped(wrap: str) -> None:
    file = io.BytesIO()
    write_clip(file, 10, ("libx265", "aac"))
    writer = FlvWriter()
    for message in messages_of(file.getvalue()):
        payload = WRAPS[wrap](message.payload) if message.kind is VIDEO else message.payload
        writer.push(MediaMessage(message.kind, message.timestamp, payload))
    found = packets(b"".join(taken(writer)))
    assert found == packets(file.getvalue())
    assert len(found["video"]) == 10


def old_number(payload: bytes) -> bytes:
    """CodedFrames (with a composition time), CodedFramesX (without) or a header, as number 12."""
    packet, rest = payload[0] & 0x0F, payload[5:]
    if packet == 4:  # colours: only the new form has them
        return payload
    time = rest[:3] if packet == 1 else bytes(3)
    kind = {0: 0, 1: 1, 2: 2, 3: 1}[packet]
    return bytes([payload[0] & 0x70 | 12, kind]) + time + (rest[3:] if packet == 1 else rest)


def mod_ex(payload: bytes) -> bytes:
    return bytes([payload[0] & 0xF0 | 7]) + b"\x02\x00\x00\x05" + bytes([payload[0] & 0x0F]) + payload[1:]


def one_track(payload: bytes) -> bytes:
    return bytes([payload[0] & 0xF0 | 6, payload[0] & 0x0F]) + payload[1:5] + b"\x04" + payload[5:]


WRAPS = {
    "old number": old_number,
    "ModEx": mod_ex,
    "one track of several": one_track,
}
