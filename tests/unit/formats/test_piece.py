"""A container cut into pieces: nothing is lost, and each place to begin gives a whole container."""

import io
from fractions import Fraction

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.formats.flv import HEADER, tag
from abr.formats.piece import FlvPieces, Piece, Pieces, TsPieces, pieces_of
from abr.formats.rtmp.amf import encode
from abr.formats.rtmp.event import MediaKind
from tests.fakes.clip import Clip, make_clip, read_number
from tests.fakes.rtmp_client import AAC_FRAME, AAC_HEADER, AVC_FRAME, AVC_HEADER
from tests.fakes.tags import tags

VIDEO, AUDIO, DATA = MediaKind.VIDEO, MediaKind.AUDIO, MediaKind.DATA
ABOUT = tag(DATA, 0, encode("onMetaData", {"width": 320.0}))
SETUP = ABOUT + tag(VIDEO, 0, AVC_HEADER) + tag(AUDIO, 0, AAC_HEADER)
INTER = b"\x27\x01\x00\x00\x00frame"
FILMS = {
    "flv": make_clip(Clip(container="flv", seconds=Fraction(3))),
    "mpegts": make_clip(Clip(container="mpegts", seconds=Fraction(3))),
}


def cut(pieces: Pieces, data: bytes, size: int = 1 << 20) -> list[Piece]:
    """All pieces of some bytes that come `size` at a time, the rest at the end included."""
    found = [
        piece for place in range(0, len(data), size) for piece in pieces.push(data[place : place + size])
    ]
    return found + pieces.flush()


def numbers(data: bytes) -> list[int]:
    """The numbers that a container's pictures show."""
    with av.open(io.BytesIO(data)) as container:
        return [read_number(frame) for frame in container.decode(video=0)]


def file_from(pieces: list[Piece], start: int) -> bytes:
    """The file that begins with a piece."""
    return pieces[start].opening + b"".join(piece.data for piece in pieces[start:])


@pytest.mark.parametrize("container", FILMS)
def test_each_start_begins_a_file_that_plays_from_its_key_frame(container: str) -> None:
    cutter = pieces_of(container)
    assert cutter is not None
    pieces = cut(cutter, FILMS[container])
    starts = [place for place, piece in enumerate(pieces) if piece.start]
    shown = [numbers(file_from(pieces, place)) for place in starts]
    assert shown[-3:] == [list(range(first, 75)) for first in (0, 25, 50)]
    assert len(shown) == (4 if container == "flv" else 3)  # a packet of sound comes before the first picture


@pytest.mark.parametrize("container", FILMS)
def test_the_files_hold_every_byte_once(container: str) -> None:
    cutter = pieces_of(container)
    assert cutter is not None
    pieces = cut(cutter, FILMS[container])
    whole = pieces[next(place for place, piece in enumerate(pieces) if piece.start)].opening
    media = b"".join(piece.data for piece in pieces)
    assert media == FILMS[container][len(HEADER) if container == "flv" else 0 :]
    assert whole == b"" or FILMS[container].startswith(whole)


@pytest.mark.parametrize("container", FILMS)
@given(size=st.integers(min_value=1, max_value=4000))
def test_how_the_bytes_come_changes_nothing(container: str, size: int) -> None:
    data = FILMS[container][:9000]
    one, other = pieces_of(container), pieces_of(container)
    assert one is not None
    assert other is not None
    assert cut(one, data, size) == cut(other, data)


def second_track(kind: MediaKind, payload: bytes) -> bytes:
    """The same sound or picture as track 1 of Enhanced RTMP v2."""
    packet = payload[1]
    if kind is AUDIO:
        return b"\x95" + bytes([packet]) + b"mp4a\x01" + payload[2:]
    head = bytes([0x86 | payload[0] & 0x70, packet]) + b"avc1\x01"
    return head + payload[2 if packet == 1 else 5 :]


def test_files_of_all_that_came_play_as_the_first_track_alone_does() -> None:
    """Cue points, text, a later description and second tracks, which come late, do not disturb a reader."""
    stream = bytearray(HEADER)
    for number, time, payload in tags(FILMS["flv"]):
        kind = MediaKind(number)
        stream += tag(kind, time, payload)
        if kind in {AUDIO, VIDEO} and (payload[1] == 0 or time >= 1500):
            stream += tag(kind, time, second_track(kind, payload))
        if kind is VIDEO and time % 400 == 0:
            for name in ("onCuePoint", "onTextData", "onMetaData"):
                stream += tag(DATA, time, encode(name, {"width": 640.0}))
    pieces = cut(FlvPieces(), bytes(stream))
    starts = [place for place, piece in enumerate(pieces) if piece.start]
    assert [numbers(file_from(pieces, place)) for place in starts[1:]] == [
        list(range(first, 75)) for first in (0, 25, 50)
    ]


def test_no_other_container_is_cut() -> None:
    assert pieces_of("matroska") is None


def test_a_first_file_is_what_came_and_a_later_one_has_its_setup_at_its_own_time() -> None:
    first, later = tag(VIDEO, 10, AVC_FRAME), tag(VIDEO, 0x01020304, AVC_FRAME)
    pieces = cut(FlvPieces(), HEADER + SETUP + first + later)
    one, two = (piece for piece in pieces if piece.start)
    assert one == Piece(first, start=True, opening=HEADER + SETUP)
    setup = ABOUT + tag(VIDEO, 0x01020304, AVC_HEADER) + tag(AUDIO, 0x01020304, AAC_HEADER)
    assert two == Piece(later, start=True, opening=HEADER + setup)


def test_the_newest_setup_counts() -> None:
    newer = AVC_HEADER + b"new"
    stream = HEADER + SETUP + tag(VIDEO, 0, AVC_FRAME) + tag(VIDEO, 5, newer) + tag(VIDEO, 5, AVC_FRAME)
    assert tag(VIDEO, 5, newer) in cut(FlvPieces(), stream)[-1].opening


@pytest.mark.parametrize(
    ("tags", "starts"),
    [
        ([tag(AUDIO, 0, AAC_FRAME), tag(AUDIO, 21, AAC_FRAME)], [True, True]),
        (
            [tag(AUDIO, 0, AAC_FRAME), tag(VIDEO, 0, AVC_FRAME), tag(AUDIO, 21, AAC_FRAME)],
            [True, True, False],
        ),
        ([tag(VIDEO, 0, INTER), tag(VIDEO, 40, INTER), tag(VIDEO, 80, AVC_FRAME)], [True, False, True]),
        ([tag(VIDEO, 0, b""), tag(VIDEO, 0, b"\x57\x00"), tag(DATA, 0, b"x")], [False, False, False]),
        (
            [tag(VIDEO, 0, b"\x17\x02\0\0\0"), tag(VIDEO, 0, b"\x94hvc1"), tag(VIDEO, 0, b"\x92hvc1")],
            [False] * 3,
        ),
        (
            [tag(VIDEO, 0, b"\x93hvc1key"), tag(VIDEO, 0, b"\xa3hvc1inter"), tag(VIDEO, 0, b"\x12old")],
            [True, False, True],
        ),
    ],
    ids=[
        "sound alone",
        "sound before the picture",
        "no key frame first",
        "nothing that is media",
        "no pictures",
        "other codecs",
    ],
)
def test_where_a_file_may_begin(tags: list[bytes], starts: list[bool]) -> None:
    assert [piece.start for piece in cut(FlvPieces(), HEADER + b"".join(tags))] == starts


def test_an_flv_that_begins_again_need_not_repeat_what_was_said() -> None:
    pieces = FlvPieces()
    pieces.push(HEADER + SETUP + tag(VIDEO, 0, AVC_FRAME) + b"\x09half")
    assert pieces.flush() == []
    media = tag(AUDIO, 9, AAC_FRAME)
    (piece,) = pieces.push(HEADER + media)
    setup = tag(VIDEO, 9, AVC_HEADER) + tag(AUDIO, 9, AAC_HEADER)
    assert piece == Piece(media, start=True, opening=HEADER + ABOUT + setup)


def test_a_codec_without_setup_ends_that_of_the_one_before() -> None:
    """It would open a track that stays empty."""
    pieces = FlvPieces()
    pieces.push(HEADER + SETUP + tag(VIDEO, 0, AVC_FRAME))
    pieces.flush()
    (piece,) = pieces.push(HEADER + tag(AUDIO, 9, b"\x2fmp3"))
    assert piece.opening == HEADER + ABOUT + tag(VIDEO, 9, AVC_HEADER)


def test_of_several_tracks_each_has_its_setup_and_the_lowest_says_where_files_begin() -> None:
    second, key = b"\x96\x00avc1\x01setup", b"\x96\x01avc1\x01\x00\x00\x00key"
    first = [tag(VIDEO, 0, AVC_HEADER), tag(VIDEO, 0, second)]
    pieces = cut(
        FlvPieces(),
        b"".join([HEADER, *first, *(tag(VIDEO, t, p) for t in (0, 40) for p in (AVC_FRAME, key))]),
    )
    assert [piece.start for piece in pieces] == [False, False, True, False, True, False]
    assert pieces[4].opening == HEADER + tag(VIDEO, 40, AVC_HEADER) + tag(VIDEO, 40, second)


def test_a_setup_that_cannot_be_one_is_not_kept() -> None:
    pieces = cut(FlvPieces(), HEADER + tag(VIDEO, 0, AVC_HEADER + bytes(65536)) + tag(VIDEO, 0, AVC_FRAME))
    assert pieces[1].opening == HEADER


def test_metadata_stands_at_the_beginning_of_time() -> None:
    """At any other time FFmpeg would take it for subtitles."""
    about = encode("onMetaData", {"width": 320.0})
    pieces = cut(FlvPieces(), HEADER + tag(DATA, 70, about) + tag(AUDIO, 80, AAC_FRAME))
    assert pieces[0] == Piece(tag(DATA, 70, about))
    assert pieces[1].opening == HEADER + tag(DATA, 0, about)


def test_a_transport_stream_without_marks_is_cut_at_any_pat() -> None:
    """Sound alone: each table is a place to begin."""
    data = make_clip(Clip(container="mpegts", video=False))
    pieces = cut(TsPieces(), data)
    assert len(pieces) > 3
    assert [piece.start for piece in pieces] == [False] + [True] * (len(pieces) - 1)
    assert b"".join(piece.data for piece in pieces) == data


def test_rubbish_between_packets_stays_where_it_is() -> None:
    data = FILMS["mpegts"]
    broken = b"rubbish" + data[: 188 * 20] + b"G" * 50 + b"x" * 300 + data[188 * 20 :]
    pieces = cut(TsPieces(), broken)
    assert b"".join(piece.data for piece in pieces) == broken
    assert pieces[0].data.startswith(b"rubbish")
    assert [piece.start for piece in pieces[:2]] == [False, True]


def test_a_stream_without_any_table_is_handed_on_in_the_end() -> None:
    pieces = TsPieces()
    null = b"\x47\x1f\xff\x10" + b"\xff" * 184
    found = [piece for _ in range(12) for piece in pieces.push(null * 1000)]
    assert found
    assert all(not piece.start and len(piece.data) < 3_000_000 for piece in found)


@given(st.binary(max_size=2000), st.sampled_from(["flv", "mpegts"]))
def test_any_bytes_are_survived(data: bytes, container: str) -> None:
    cutter = pieces_of(container)
    assert cutter is not None
    packets = b"".join(b"\x47" + data[place : place + 187].ljust(187) for place in range(0, len(data), 187))
    for stream in (data, HEADER + data, packets):
        cut(cutter, stream)
