from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import MediaError
from abr.formats.box import need_box, read_boxes
from abr.formats.isobmff import read_decode_time, read_defaults, read_run
from abr.model.ladder import VideoTarget
from abr.model.media import EncodedPacket, Kind
from abr.model.segment import Part, Rendition, Segment
from abr.model.time import Grid
from abr.package.cmaf import decode_times, make_segment
from abr.package.cutter import Cut, Cutter
from abr.package.header import make_init, rendition_of
from tests.fakes.boxdump import dump
from tests.fakes.encoded import X264, aac, decoded_times, encode_video, h264, presentation_times

VIDEO = Rendition("720p", Kind.VIDEO, 90_000, "avc1.64001f", 1, 1, delay=7200)
AUDIO = Rendition("audio", Kind.AUDIO, 48_000, "mp4a.40.2", 1, 1)

PYRAMID = (0, 4, 2, 1, 3, 5)
"""Decode order of six frames with a B-pyramid, as places in the order of presentation."""


def pictures(start: int, order: tuple[int, ...] = PYRAMID) -> list[EncodedPacket]:
    return [
        EncodedPacket(start + 3600 * place, 3600, place == 0, bytes((place,)) * (9 - place))
        for place in order
    ]


def sounds(start: int, count: int) -> list[EncodedPacket]:
    return [EncodedPacket(start + 1024 * index, 1024, True, bytes((index,)) * 3) for index in range(count)]


def video_cut(number: int = 1, start: int = 180_000) -> Cut:
    return Cut("720p", number, start, start + 21_600, (pictures(start),))


def samples(segment: Segment) -> tuple[int, list[tuple[int, int, int]]]:
    """Decode time of the first sample, and duration, size and offset of each, over all fragments."""
    data, rows, first = segment.data, [], None
    for moof in (box for box in read_boxes(data) if box.kind == "moof"):
        fixed = read_defaults(data, need_box(data, "traf/tfhd", moof))
        decode = read_decode_time(data, need_box(data, "traf/tfdt", moof))
        first = decode if first is None else first
        assert decode == first + sum(row[0] for row in rows)
        for row in read_run(data, need_box(data, "traf/trun", moof)).rows:
            duration = row.duration if fixed.duration is None else fixed.duration
            rows.append((duration, row.size, row.offset or 0))
    return first, rows


def test_a_video_segment_is_as_reviewed(golden):
    segment = make_segment(VIDEO, video_cut())
    golden("segment-video.boxes.txt", dump(segment.data))


def test_an_audio_segment_is_as_reviewed(golden):
    segment = make_segment(AUDIO, Cut("audio", 7, 96_000, 99_072, (sounds(96_000, 3),)))
    golden("segment-audio.boxes.txt", dump(segment.data))
    assert segment.data.endswith(b"\0\0\0\x11mdat\0\0\0\1\1\1\2\2\2")


def test_a_segment_says_where_its_parts_lie():
    segment = make_segment(VIDEO, video_cut())
    assert segment[:4] == ("720p", 1, 180_000, 21_600)
    assert segment.data[segment.moof_offset + 4 : segment.moof_offset + 8] == b"moof"
    assert segment.data[: segment.first_sample_end].endswith(b"mdat" + bytes(9))
    assert segment.data[segment.first_sample_end] == 4, "the second sample begins"
    assert segment.parts == (Part(21_600, len(segment.data), independent=True),)


def test_decode_times_are_the_sorted_presentation_times_less_the_delay():
    start, rows = samples(make_segment(VIDEO, video_cut()))
    assert start == 180_000 - 7200
    assert [duration for duration, _, _ in rows] == [3600] * 6
    assert [offset // 3600 for _, _, offset in rows] == [2, 5, 2, 0, 1, 2]


def test_the_next_segment_goes_on_where_this_one_ends():
    first, rows = samples(make_segment(VIDEO, video_cut()))
    following, _ = samples(make_segment(VIDEO, video_cut(2, 201_600)))
    assert first + sum(duration for duration, _, _ in rows) == following


def test_the_last_sample_lasts_until_the_segment_ends():
    cut = Cut("audio", 7, 96_000, 99_000, (sounds(96_000, 3),))
    assert [row[0] for row in samples(make_segment(AUDIO, cut))[1]] == [1024, 1024, 952]


def test_several_key_frames_have_their_flags_each():
    packets = [packet._replace(key=packet.pts in {180_000, 198_000}) for packet in pictures(180_000)]
    segment = make_segment(VIDEO, Cut("720p", 1, 180_000, 201_600, (packets,)))
    table = read_run(segment.data, need_box(segment.data, "moof/traf/trun"))
    assert [row.flags for row in table.rows] == [0x0200_0000, *[0x0101_0000] * 4, 0x0200_0000]
    assert table.first_flags is None


def test_parts_follow_each_other_in_one_segment():
    packets = pictures(180_000)
    whole = make_segment(VIDEO, Cut("720p", 1, 180_000, 201_600, (packets,)))
    split = make_segment(VIDEO, Cut("720p", 1, 180_000, 201_600, (packets[:2], packets[2:])))
    assert samples(split) == samples(whole)
    assert [box.kind for box in read_boxes(split.data)] == ["styp", "moof", "mdat", "moof", "mdat"]
    assert [(part.duration, part.independent) for part in split.parts] == [(7200, True), (14_400, False)]
    assert sum(part.size for part in split.parts) == len(split.data)
    assert split.data[split.first_sample_end] == 4


def test_a_producer_reference_time_stands_before_the_fragment():
    segment = make_segment(VIDEO, video_cut(), produced=1_500_000_000)
    assert [box.kind for box in read_boxes(segment.data)] == ["styp", "prft", "moof", "mdat"]
    assert segment.data[segment.moof_offset + 4 : segment.moof_offset + 8] == b"moof"


def test_a_delay_without_room_is_an_error():
    plain = Rendition("720p", Kind.VIDEO, 25, "avc1.64001f", 1, 1)
    packets = [EncodedPacket(time, 1, time == 50, b"") for time in (50, 53, 51, 52)]
    with pytest.raises(
        MediaError, match="frames of segment 1 cannot be put in order with a reorder delay of 0 ticks"
    ):
        make_segment(plain, Cut("720p", 1, 50, 54, (packets,)))


def test_a_frame_behind_the_end_is_an_error():
    with pytest.raises(MediaError, match="segment 1 cannot be put in order"):
        make_segment(VIDEO, Cut("720p", 1, 180_000, 198_000, (pictures(180_000),)))


def test_a_decode_time_is_not_negative():
    with pytest.raises(MediaError, match="segment 0 starts at tick 0, before its reorder delay"):
        make_segment(VIDEO, Cut("720p", 0, 0, 21_600, (pictures(0),)))


def test_uneven_frames_are_decoded_as_late_as_they_are_shown():
    pts = np.array([0, 9000, 100, 200, 9100])
    assert decode_times(pts, 9200, 50).tolist() == [-50, 50, 100, 200, 9050, 9150]


@st.composite
def reordered(draw):
    """Frames of any length, reordered in groups of up to four behind their key frame."""
    steps = draw(st.lists(st.integers(20, 9000), min_size=1, max_size=24))
    times = [90_000 + sum(steps[:index]) for index in range(len(steps))]
    order = [times[0]]
    rest = times[1:]
    while rest:
        size = draw(st.integers(1, 4))
        group, rest = rest[:size], rest[size:]
        order += [group[-1], *group[:-1]]
    return order, times[-1] + steps[-1]


@given(reordered())
def test_any_closed_order_of_uneven_frames_can_be_decoded(film):
    order, end = film
    packets = [EncodedPacket(time, 1, time == order[0], b"x") for time in order]
    rendition = Rendition("v", Kind.VIDEO, 90_000, "avc1.64001f", 1, 1, delay=7200)
    start, rows = samples(make_segment(rendition, Cut("v", 1, order[0], end, (packets,))))
    assert start == order[0] - 7200
    assert start + sum(duration for duration, _, _ in rows) == end - 7200
    assert all(duration > 0 and offset >= 0 for duration, _, offset in rows)
    decode = [start + sum(row[0] for row in rows[:index]) for index in range(len(rows))]
    assert [time + row[2] for time, row in zip(decode, rows, strict=True)] == order


@given(reordered())
def test_libavformat_reads_the_times_that_were_written(film):
    order, end = film
    encoding, _ = h264()
    init = make_init(encoding)
    packets = [EncodedPacket(time, 1, time == order[0], b"\0\0\0\1\x65") for time in order]
    rendition = Rendition("v", Kind.VIDEO, 90_000, "avc1.64001f", 1, 1, delay=7200)
    segment = make_segment(rendition, Cut("v", 1, order[0], end, (packets,)))
    assert presentation_times(init + segment.data) == order


def cut_and_join(encode, first: int, live: bool):
    encoding, packets = encode
    init = make_init(encoding)
    target = VideoTarget("video", 64, 48, Fraction(25), 90_000, "libx264", 1, 1, 1)
    rendition = rendition_of(encoding, target, init, Fraction(6, 25))
    cutter = Cutter(rendition, Grid(Fraction(6, 25)), first, live=live)
    cuts = cutter.extend(packets) + cutter.flush()
    return [make_segment(rendition, cut) for cut in cuts], init


def test_libavcodec_decodes_what_was_packaged():
    segments, init = cut_and_join(h264(24, 6, 9 * 21_600), 9, live=True)
    assert [(segment.number, segment.start, segment.duration) for segment in segments] == [
        (9 + index, (9 + index) * 21_600, 21_600) for index in range(4)
    ]
    expected = [9 * 21_600 + 3600 * index for index in range(24)]
    assert decoded_times(init + b"".join(segment.data for segment in segments)) == expected
    assert decoded_times(init + segments[2].data) == expected[12:18], "each segment stands alone"


def test_a_film_of_uneven_frames_decodes():
    lengths = [3600, 9000, 1500, 4000, 7200, 100, 3600, 3600, 8000, 3000, 2500, 3600] * 2
    times = [180_000 + sum(lengths[:index]) for index in range(len(lengths))]
    encode = encode_video("libx264", {**X264, "bf": "3"}, times, frozenset((0, 7, 15)), delay=7200)
    segments, init = cut_and_join(encode, 8, live=False)
    assert len(segments) == 3
    assert decoded_times(init + b"".join(segment.data for segment in segments)) == times


def test_sound_without_its_priming_decodes():
    segments, init = cut_and_join(aac(), 0, live=False)
    data = init + b"".join(segment.data for segment in segments)
    assert decoded_times(data) == [1024 * index for index in range(8)]
