"""MPEG-TS passed on, and when a container must be opened anew."""

import io

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import RemoteProtocolError
from abr.formats.mpegts import PACKET, TsWriter
from abr.model.media import Kind
from tests.fakes.film import film
from tests.fakes.multiplex import (
    AAC,
    AUDIO_PID,
    H264,
    HEVC,
    LATE_PID,
    VIDEO_PID,
    association,
    packet,
    program_map,
    rest,
    unit,
)

BOTH = {Kind.VIDEO, Kind.AUDIO}
OPENING = association() + program_map({VIDEO_PID: H264})
KEY, PICTURE, SOUND = unit(VIDEO_PID, "key", access=True), unit(VIDEO_PID, "p"), unit(AUDIO_PID, "s")
WITH_SOUND = program_map({VIDEO_PID: H264, AUDIO_PID: AAC}, version=1)


def taken(writer: TsWriter) -> bytes:
    """All that can be taken now."""
    return b"".join(iter(writer.take, None))


def opened(*packets: bytes, kinds: set[Kind] = BOTH) -> TsWriter:
    """A writer whose packets a container has taken before it found these kinds of tracks."""
    writer = TsWriter()
    writer.push(b"".join(packets))
    taken(writer)
    writer.settle(kinds)
    return writer


@given(st.lists(st.integers(1, 400), max_size=12))
def test_bytes_pass_as_whole_packets_however_they_are_cut(cuts):
    whole = OPENING + KEY + b"".join(rest(VIDEO_PID, str(count)) for count in range(6))
    writer, place = TsWriter(), 0
    for cut in (*cuts, len(whole)):
        writer.push(whole[place : place + cut])
        place += cut
    passed = taken(writer)
    assert passed == whole[: len(passed)]
    assert len(passed) % PACKET == 0
    assert len(passed) == len(whole)


def test_what_is_no_packet_is_passed_over_and_counted():
    writer = TsWriter()
    writer.push(b"\x00" * 70 + OPENING + b"\x47garbage" + KEY)
    writer.push(PICTURE + PICTURE)
    assert taken(writer) == OPENING + KEY + PICTURE + PICTURE
    assert writer.skipped == 78


def test_a_stream_that_is_no_mpeg_ts_is_refused():
    writer = TsWriter()
    for _ in range(1300):
        writer.push(b"\x00GARBAGE" * 100)
    with pytest.raises(RemoteProtocolError, match="the publisher sends no MPEG-TS"):
        writer.push(b"\x00GARBAGE" * 2000)
    assert writer.take() is None


def test_tables_that_say_the_same_change_nothing():
    writer = opened(OPENING, KEY, kinds={Kind.VIDEO})
    writer.push(OPENING + PICTURE)
    writer.push(program_map({VIDEO_PID: H264}, version=7) + PICTURE)
    assert not writer.reopen
    assert taken(writer) == OPENING + PICTURE + program_map({VIDEO_PID: H264}, version=7) + PICTURE


def test_a_track_that_is_announced_and_silent_does_not_reopen():
    """Its map is kept from the container, which could not follow it."""
    writer = opened(OPENING, KEY, kinds={Kind.VIDEO})
    writer.push(WITH_SOUND + PICTURE + KEY)
    assert (writer.reopen, taken(writer)) == (False, PICTURE + KEY)


def test_late_sound_reopens_at_the_next_point_of_access():
    """The old container gets whole pictures, the new one begins with its tables and a key frame."""
    writer = opened(OPENING, KEY, kinds={Kind.VIDEO})
    writer.push(WITH_SOUND + SOUND + PICTURE + rest(VIDEO_PID, "p2") + SOUND)
    assert not writer.reopen
    late, after = unit(AUDIO_PID, "late"), unit(AUDIO_PID, "after")
    writer.push(KEY + late + rest(VIDEO_PID, "k2"))
    writer.push(after)
    assert not writer.reopen
    assert taken(writer) == PICTURE + rest(VIDEO_PID, "p2")
    assert writer.reopen


def test_the_new_container_goes_on_where_the_old_one_stopped():
    writer = opened(OPENING, KEY, kinds={Kind.VIDEO})
    late = unit(AUDIO_PID, "late")
    writer.push(WITH_SOUND + SOUND + PICTURE + KEY + late + rest(VIDEO_PID, "k2"))
    assert writer.take() == PICTURE
    assert (writer.take(), writer.reopen) == (None, True)
    writer.push(PICTURE)
    writer.restart()
    assert taken(writer) == association() + WITH_SOUND + KEY + late + rest(VIDEO_PID, "k2") + PICTURE
    writer.settle(BOTH)
    writer.push(SOUND + PICTURE)
    assert (writer.reopen, taken(writer)) == (False, SOUND + PICTURE)


def test_other_tracks_finish_what_they_are_at_in_the_old_container():
    both = association() + program_map({VIDEO_PID: H264, AUDIO_PID: AAC})
    writer = opened(both, KEY, SOUND)
    three = program_map({VIDEO_PID: H264, AUDIO_PID: AAC, LATE_PID: AAC})
    late, more = unit(LATE_PID, "late"), rest(AUDIO_PID, "more")
    writer.push(three + late + KEY + more + late + SOUND)
    assert (taken(writer), writer.reopen) == (more, True)
    writer.restart()
    assert taken(writer) == association() + three + KEY + late + SOUND


def test_another_codec_under_the_same_pid_reopens():
    writer = opened(OPENING, KEY, kinds={Kind.VIDEO})
    changed = program_map({VIDEO_PID: HEVC})
    writer.push(changed + KEY)
    assert writer.reopen
    writer.restart()
    assert taken(writer) == association() + changed + KEY


def test_a_track_that_the_container_did_not_find_is_asked_for_once():
    both = association() + program_map({VIDEO_PID: H264, AUDIO_PID: AAC})
    writer = opened(both, KEY, kinds={Kind.VIDEO})
    writer.push(SOUND + KEY)
    assert writer.reopen
    writer.restart()
    taken(writer)
    writer.settle({Kind.VIDEO})
    writer.push(SOUND + KEY + SOUND)
    assert not writer.reopen


def test_a_known_track_that_only_brings_data_late_does_not_reopen():
    writer = opened(association() + program_map({VIDEO_PID: H264, AUDIO_PID: AAC}), KEY)
    writer.push(SOUND + KEY)
    assert not writer.reopen


def test_late_pictures_reopen_at_their_first_point_of_access():
    writer = opened(association() + program_map({AUDIO_PID: AAC}), SOUND, kinds={Kind.AUDIO})
    writer.push(program_map({VIDEO_PID: H264, AUDIO_PID: AAC}) + PICTURE + SOUND + KEY + SOUND)
    assert (taken(writer), writer.reopen) == (SOUND, True)


def test_late_sound_of_a_feed_without_pictures_reopens_at_once():
    writer = opened(association() + program_map({AUDIO_PID: AAC}), SOUND, kinds={Kind.AUDIO})
    late = unit(LATE_PID, "late")
    more = rest(AUDIO_PID, "more")
    writer.push(program_map({AUDIO_PID: AAC, LATE_PID: AAC}) + more + late + SOUND)
    assert (taken(writer), writer.reopen) == (more, True)


def test_pictures_without_marks_of_access_are_waited_for_a_while_only():
    writer = opened(OPENING, KEY, kinds={Kind.VIDEO})
    writer.push(WITH_SOUND)
    for _ in range(600):
        writer.push(SOUND + PICTURE)
    taken(writer)
    assert writer.reopen


def test_data_tracks_do_not_matter():
    writer = opened(OPENING, KEY, kinds={Kind.VIDEO})
    cues = program_map({VIDEO_PID: H264, LATE_PID: H264._replace(type=0x86)})
    writer.push(cues + packet(LATE_PID, b"cue", start=True) + KEY)
    assert not writer.reopen


@given(
    st.lists(
        st.one_of(st.binary(max_size=300), st.sampled_from([OPENING, KEY, PICTURE, SOUND, WITH_SOUND])),
        max_size=20,
    )
)
def test_any_bytes_are_passed_on_or_passed_over(pieces):
    writer = TsWriter()
    for place, piece in enumerate(pieces):
        writer.push(piece)
        if place == 3:
            writer.settle({Kind.VIDEO})
        if writer.reopen:
            writer.restart()
        assert len(taken(writer)) % PACKET == 0


class _Reading:
    """The file that a demuxer reads: a writer that is given a multiplex piece by piece."""

    def __init__(self, data: bytes) -> None:
        self.writer, self._data, self._rest = TsWriter(), io.BytesIO(data), b""

    def read(self, n: int) -> bytes:
        while not self._rest:
            piece = self.writer.take()
            if piece is not None:
                self._rest = piece
            elif self.writer.reopen or not (data := self._data.read(1316)):
                return b""
            else:
                self.writer.push(data)
        piece, self._rest = self._rest[:n], self._rest[n:]
        return piece


def test_a_demuxer_gets_every_picture_and_the_sound_that_came_late():
    source = _Reading(film(sound=False) + film(first=25))
    counts, rounds = {"video": 0, "audio": 0}, 0
    while rounds == 0 or source.writer.reopen:
        if rounds:
            source.writer.restart()
        rounds += 1
        with av.open(source, format="mpegts", options={"probesize": "4000"}) as container:
            source.writer.settle({Kind(stream.type) for stream in container.streams})
            for part in container.demux():
                counts[part.stream.type] += bool(part.size)
    assert rounds == 2
    assert counts["video"] == 50
    assert counts["audio"] >= 38
