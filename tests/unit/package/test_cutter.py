import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import MediaError
from abr.model.media import EncodedPacket, Kind
from abr.model.segment import Rendition
from abr.model.time import Grid
from abr.package.cutter import Cut, CutPlan, Cutter, Follower, Missing

VIDEO = Rendition("720p", Kind.VIDEO, 1000, "avc1.64001f", 1, 1)
AUDIO = Rendition("audio", Kind.AUDIO, 1000, "mp4a.40.2", 1, 1)
GRID = Grid(Fraction(2))


def frame(pts: int, *, key: bool = False, duration: int = 500) -> EncodedPacket:
    return EncodedPacket(pts, duration, key, b"")


def frames(*times: int, keys: tuple[int, ...] = ()) -> list[EncodedPacket]:
    return [frame(time, key=time in keys) for time in times]


def sounds(start: int, end: int, step: int = 100) -> list[EncodedPacket]:
    return [EncodedPacket(time, step, True, b"") for time in range(start, end, step)]


def spans(pieces) -> list[tuple[str, int, int, int]]:
    return [(type(piece).__name__, piece.number, piece.start, piece.end) for piece in pieces]


def run(cutter, packets):
    return [piece for packet in packets for piece in cutter.push(packet)] + cutter.flush()


def test_a_segment_ends_when_the_key_frame_of_the_next_number_arrives():
    cutter = Cutter(VIDEO, GRID, 1, live=True)
    assert cutter.extend(frames(2000, 3000, 2500, 3500, keys=(2000,))) == []
    pieces = cutter.push(frame(4000, key=True))
    assert pieces == [Cut("720p", 1, 2000, 4000, (frames(2000, 3000, 2500, 3500, keys=(2000,)),))]
    assert spans(cutter.flush()) == [("Cut", 2, 4000, 4500)]
    assert cutter.flush() == []


def test_a_key_frame_within_a_number_cuts_nothing():
    pieces = run(Cutter(VIDEO, GRID, 1, live=True), frames(2000, 3000, 4000, keys=(2000, 3000, 4000)))
    assert spans(pieces) == [("Cut", 1, 2000, 4000), ("Cut", 2, 4000, 4500)]


def test_the_priming_of_sound_is_dropped():
    cutter = Cutter(AUDIO, GRID, 1, live=True)
    pieces = run(cutter, sounds(1800, 6000))
    assert spans(pieces) == [("Cut", 1, 2000, 4000), ("Cut", 2, 4000, 6000)]
    assert cutter.dropped == 2


def test_sound_off_the_grid_ends_where_its_next_segment_starts():
    pieces = run(Cutter(AUDIO, GRID, 1, live=True), sounds(2000, 6100, 300))
    assert spans(pieces) == [("Cut", 1, 2000, 4100), ("Cut", 2, 4100, 6200)]


def test_numbers_without_media_are_missing():
    pieces = run(Cutter(VIDEO, GRID, 1, live=True), frames(2000, 2500, 8000, keys=(2000, 8000)))
    assert pieces[1:3] == [Missing("720p", 2, 4000, 6000), Missing("720p", 3, 6000, 8000)]
    assert spans(pieces) == [
        ("Cut", 1, 2000, 4000),
        ("Missing", 2, 4000, 6000),
        ("Missing", 3, 6000, 8000),
        ("Cut", 4, 8000, 8500),
    ]


def test_numbers_before_the_first_media_are_missing():
    pieces = run(Cutter(AUDIO, GRID, 1, live=True), sounds(4000, 4200))
    assert spans(pieces) == [("Missing", 1, 2000, 4000), ("Cut", 2, 4000, 4200)]


def test_live_video_without_a_key_frame_at_a_start_is_an_error():
    cutter = Cutter(VIDEO, GRID, 1, live=True)
    cutter.push(frame(2000, key=True))
    with pytest.raises(
        MediaError, match="rendition 720p: the encoder gave no key frame at the start of segment 2"
    ):
        cutter.push(frame(4000))


def test_live_video_with_a_late_key_frame_is_an_error():
    cutter = Cutter(VIDEO, GRID, 1, live=True)
    with pytest.raises(MediaError, match="start of segment 1"):
        cutter.push(frame(2500, key=True))


@pytest.mark.parametrize("live", [True, False])
def test_a_frame_shown_before_its_key_frame_is_an_error(live):
    cutter = Cutter(VIDEO, GRID, 1, live=live)
    with pytest.raises(MediaError, match="segment 1 starts at tick 2000 and has a frame at 1900"):
        run(cutter, frames(2000, 1900, 4000, keys=(2000, 4000)))


def test_a_film_is_cut_at_the_first_key_frame_of_a_number():
    plan = CutPlan()
    cutter = Cutter(VIDEO, GRID, 1, live=False, plan=plan)
    pieces = run(cutter, frames(2000, 3900, 4300, 5900, 9000, 9100, keys=(2000, 3900, 4300, 5900, 9100)))
    assert spans(pieces) == [("Cut", 1, 2000, 4300), ("Cut", 2, 4300, 9100), ("Cut", 3, 9100, 9600)]
    assert plan == CutPlan([(1, Fraction(2)), (2, Fraction(43, 10)), (3, Fraction(91, 10))], Fraction(96, 10))


def test_frames_before_the_first_key_frame_are_dropped():
    cutter = Cutter(VIDEO, GRID, 1, live=False)
    assert spans(run(cutter, frames(1500, 2000, 2500, 3000, keys=(1500, 2500)))) == [("Cut", 1, 2500, 3500)]
    assert cutter.dropped == 2


def test_nothing_comes_of_nothing():
    assert Cutter(VIDEO, GRID, 1, live=True).flush() == []
    assert Follower(AUDIO, CutPlan()).flush() == []


def follow(plan: CutPlan, packets: list[EncodedPacket]):
    follower = Follower(AUDIO, plan)
    pieces = run(follower, packets)
    return pieces, follower.dropped


PLAN = CutPlan([(1, Fraction(2)), (2, Fraction(43, 10)), (4, Fraction(91, 10))], Fraction(96, 10))


def test_the_sound_of_a_film_is_cut_where_its_video_is():
    pieces, dropped = follow(PLAN, sounds(1900, 10_000))
    assert spans(pieces) == [("Cut", 1, 2000, 4300), ("Cut", 2, 4300, 9100), ("Cut", 4, 9100, 9600)]
    assert dropped == 5


def test_a_follower_waits_for_the_start_after_the_next():
    plan = CutPlan(PLAN.starts[:2])
    follower = Follower(AUDIO, plan)
    assert follower.extend(sounds(2000, 5000)) == []
    plan.starts.append(PLAN.starts[2])
    assert spans(follower.push(frame(5000))) == [("Cut", 1, 2000, 4300)]


def test_sound_that_ends_early_leaves_gaps():
    pieces, _ = follow(PLAN, sounds(2000, 4200))
    assert spans(pieces) == [("Cut", 1, 2000, 4300), ("Missing", 2, 4300, 9100), ("Missing", 4, 9100, 9600)]


def test_a_hole_in_the_sound_is_a_gap_where_it_covers_a_segment():
    pieces, _ = follow(PLAN, sounds(2000, 4000) + sounds(9250, 9600, 50))
    assert spans(pieces) == [("Cut", 1, 2000, 4300), ("Missing", 2, 4300, 9250), ("Cut", 4, 9250, 9600)]


def test_a_film_without_sound_at_its_start_begins_with_a_gap():
    pieces, _ = follow(PLAN, sounds(5000, 9600))
    assert spans(pieces)[0] == ("Missing", 1, 2000, 5000)


steps = st.lists(st.integers(1, 5000), min_size=1, max_size=30)


def assert_whole(pieces, packets):
    """Pieces follow each other, numbers grow, and no packet is lost or moved."""
    for before, after in itertools.pairwise(pieces):
        assert before.end == after.start
        assert before.number < after.number
    assert all(piece.start < piece.end for piece in pieces)
    kept = [packet for piece in pieces if isinstance(piece, Cut) for part in piece.parts for packet in part]
    assert kept == packets


@given(steps, st.booleans())
def test_live_pieces_have_no_hole(gaps, skip):
    times = [2000 + 4000 * skip + sum(gaps[:index]) for index in range(len(gaps))]
    packets = [EncodedPacket(time, 1, True, b"") for time in times]
    pieces = run(Cutter(AUDIO, GRID, 1, live=True), packets)
    assert_whole(pieces, packets)
    assert [piece.number for piece in pieces] == list(range(1, times[-1] // 2000 + 1))


@given(steps, st.data())
def test_film_pieces_have_no_hole_and_sound_has_the_same_numbers(gaps, data):
    times = [2000 + sum(gaps[:index]) for index in range(len(gaps))]
    keys = [True, *(data.draw(st.booleans()) for _ in times[1:])]
    video = [EncodedPacket(time, 1, key, b"") for time, key in zip(times, keys, strict=True)]
    plan = CutPlan()
    cutter, follower = Cutter(VIDEO, GRID, 1, live=False, plan=plan), Follower(AUDIO, plan)
    audio = sounds(2000, data.draw(st.integers(2100, 9000)))
    pieces = run(cutter, video)
    assert_whole(pieces, video)
    heard = run(follower, audio)
    assert [piece.number for piece in heard] == [piece.number for piece in pieces]
    assert_whole(heard, [packet for packet in audio if packet.pts < times[-1] + 1])


@given(steps, st.integers(1, 9))
def test_many_packets_are_cut_as_one_by_one(gaps, chunk):
    packets = [EncodedPacket(2000 + sum(gaps[:index]), 1, True, b"") for index in range(len(gaps))]
    one = run(Cutter(AUDIO, GRID, 1, live=True), packets)
    cutter = Cutter(AUDIO, GRID, 1, live=True)
    many = [
        piece for at in range(0, len(packets), chunk) for piece in cutter.extend(packets[at : at + chunk])
    ] + cutter.flush()
    assert many == one


def test_a_rendition_that_pauses_ends_its_segment_and_leaves_gaps():
    """Each number that is passed is told at once; the next key frame goes on."""
    cutter = Cutter(VIDEO, GRID, 1, live=True)
    assert cutter.extend(frames(2000, 2500, 3000, 3500, keys=(2000,))) == []
    assert spans(cutter.skip(6000)) == [("Cut", 1, 2000, 4000), ("Missing", 2, 4000, 6000)]
    assert spans(cutter.skip(8000)) == [("Missing", 3, 6000, 8000)]
    assert cutter.flush() == []
    assert cutter.extend(frames(8000, 8500, keys=(8000,))) == []
    assert spans(cutter.push(frame(10_000, key=True))) == [("Cut", 4, 8000, 10_000)]
    assert cutter.dropped == 0


def test_a_rendition_that_pauses_before_it_began_has_gaps_from_the_first_number_on():
    assert spans(Cutter(VIDEO, GRID, 1, live=True).skip(6000)) == [
        ("Missing", 1, 2000, 4000),
        ("Missing", 2, 4000, 6000),
    ]
