"""The ladder: which rung gets which picture, for how long, and the whole way from pictures to packets."""

from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import ConfigError, MediaError
from abr.model.ladder import Ladder, VideoTarget
from abr.transcode.frame import Picture
from abr.transcode.ladder import RungEncoder, ScaledLadder
from abr.transcode.picture import black

SLOT = 1_800
START = 1_760_000_004 * 90_000
SMALL = black(64, 36)


def rung(name, rate, size=(64, 36)):
    return VideoTarget(
        name, *size, Fraction(rate), 90_000, "libx264", 100_000, 110_000, 110_000, key_frames=8,
        preset="ultrafast", options={"forced-idr": "1", "sc_threshold": "0"},
    )  # fmt: skip


def ladder(*rungs):
    return Ladder(rungs, (), Fraction(2), Fraction(300))


def live(count, start=START, every=12):
    return [
        Picture(start + index * SLOT, SLOT, key=(start // SLOT + index) % every == 0, frame=SMALL)
        for index in range(count)
    ]


def placed(frames, rung_index):
    return [(frame.pts, frame.duration, frame.key) for frame in frames if frame.rung == rung_index]


def test_a_rung_of_half_the_rate_gets_each_second_slot_for_twice_as_long():
    scaled = ScaledLadder(ladder(rung("a", 50), rung("b", 25), rung("c", Fraction(50, 3))))
    frames = [frame for picture in live(12) for frame in scaled.scale(picture)]
    assert placed(frames, 0) == [(START + index * SLOT, SLOT, index == 0) for index in range(12)]
    assert placed(frames, 1) == [(START + index * SLOT, 2 * SLOT, index == 0) for index in range(0, 12, 2)]
    assert placed(frames, 2) == [(START + index * SLOT, 3 * SLOT, index == 0) for index in range(0, 12, 3)]
    assert scaled.flush() == []


def test_slots_are_counted_since_the_epoch_so_sessions_agree():
    scaled = ScaledLadder(ladder(rung("a", 50), rung("b", 25)))
    frames = [frame for picture in live(4, START + SLOT)[:4] for frame in scaled.scale(picture)]
    assert placed(frames, 1) == [(START + 2 * SLOT, 2 * SLOT, False), (START + 4 * SLOT, 2 * SLOT, False)]


def test_a_key_picture_is_never_left_out_and_no_time_is_lost():
    scaled = ScaledLadder(ladder(rung("a", 50), rung("b", 25)))
    key = Picture(START + SLOT, SLOT, key=True, frame=SMALL)
    frames = [frame for picture in (key, *live(4, START + 2 * SLOT)) for frame in scaled.scale(picture)]
    assert placed(frames, 1)[:2] == [(START + SLOT, SLOT, True), (START + 2 * SLOT, 2 * SLOT, False)]


@given(st.lists(st.tuples(st.integers(1, 9_000), st.booleans()), min_size=1, max_size=30), st.integers(1, 4))
def test_a_thinned_film_loses_neither_time_nor_key_pictures(slots, step):
    scaled = ScaledLadder(ladder(rung("a", 24), rung("b", Fraction(24, step))), steady=False)
    frames, pts, keys = [], 0, []
    for index, (length, key) in enumerate(slots):
        if key or index == 0:
            keys.append(pts)
        frames += scaled.scale(Picture(pts, length, key or index == 0, SMALL))
        pts += length
    frames += scaled.flush()
    for place in (0, 1):
        mine = placed(frames, place)
        assert [start for start, _, key in mine if key] == keys
        assert [start + length for start, length, _ in mine] == [*(start for start, _, _ in mine[1:]), pts]


def test_a_film_is_counted_from_its_key_pictures():
    scaled = ScaledLadder(ladder(rung("a", 24), rung("b", 12)), steady=False)
    pictures = [Picture(index * 10, 10, index in (0, 3), SMALL) for index in range(6)]
    frames = [frame for picture in pictures for frame in scaled.scale(picture)] + scaled.flush()
    assert placed(frames, 1) == [(0, 20, True), (20, 10, False), (30, 20, True), (50, 10, False)]


def narrow():
    """A picture that swscale refuses."""
    frame = av.VideoFrame(4096, 16, "yuv444p")
    frame.opaque = Fraction(1, 255)
    return frame


def grey(luma):
    frame = black(64, 36)
    frame.planes[0].update(bytes([luma]) * frame.planes[0].buffer_size)
    return frame


def luma(frames):
    return [int(np.asarray(frame.frame.to_ndarray())[0, 0]) for frame in frames if frame.rung == 0]


def test_a_live_picture_that_cannot_be_scaled_is_passed_over_and_the_last_one_stays():
    scaled = ScaledLadder(ladder(rung("a", 50, (256, 144)), rung("b", 25, (128, 72))))
    bad, other = narrow(), narrow()
    row = [bad, grey(100), other, other, grey(50), narrow(), grey(200)]
    frames = [
        frame
        for index, image in enumerate(row)
        for frame in scaled.scale(Picture(START + index * SLOT, SLOT, key=index == 0, frame=image))
    ]
    assert luma(frames) == [16, 100, 100, 100, 50, 50, 200]
    assert placed(frames, 0) == [(START + index * SLOT, SLOT, index == 0) for index in range(7)]
    assert scaled.refused == 3


def test_a_film_with_a_picture_that_cannot_be_scaled_fails_with_its_sentence():
    scaled = ScaledLadder(ladder(rung("a", 25, (256, 144))), steady=False)
    with pytest.raises(MediaError, match="4096x16 in yuv444p cannot be converted"):
        scaled.scale(Picture(0, SLOT, key=True, frame=narrow()))


def test_rates_that_do_not_divide_are_refused():
    with pytest.raises(
        ConfigError, match=r"video\.b\.fps: 30 does not divide the ladder's 50; take 50, 25 or 50/3"
    ):
        ScaledLadder(ladder(rung("a", 50), rung("b", 30)))


def test_every_rung_has_its_own_frame_object_also_for_a_repeated_picture():
    scaled = ScaledLadder(ladder(rung("a", 50), rung("b", 50), rung("c", 50, (32, 18))))
    frames = [frame.frame for picture in live(3) for frame in scaled.scale(picture)]
    assert len({id(frame) for frame in (*frames, SMALL)}) == 10
    assert SMALL.pts is None


def test_pictures_become_packets_of_every_rung():
    targets = (rung("a", 50, (128, 72)), rung("b", 25))
    scaled = ScaledLadder(ladder(*targets))
    encoders = [RungEncoder(target) for target in targets]
    noise = np.random.default_rng(3).integers(60, 180, (108, 128), np.uint8)
    packets = [[], []]
    for picture in live(24):
        rolled = np.ascontiguousarray(np.roll(noise, picture.pts // SLOT, 1))
        moving = picture._replace(frame=av.VideoFrame.from_ndarray(rolled, "yuv420p"))
        for frame in scaled.push(moving, 0):
            packets[frame.rung] += encoders[frame.rung].push(frame, 0)
    for place, encoder in enumerate(encoders):
        packets[place] += encoder.flush()
        assert sum(packet.duration for packet in packets[place]) == 24 * SLOT
        assert [packet.pts for packet in packets[place] if packet.key] == [START, START + 12 * SLOT]
        assert (encoder.encoding.name, encoder.tick(0), encoder.due()) == (targets[place].name, [], None)
    assert [len(rung_packets) for rung_packets in packets] == [24, 12]
