"""The arithmetic of the other parts: shares, quality, film lengths, the views' history."""

import itertools
import math
import os
from fractions import Fraction

import numpy as np
import pytest

from abr.model.time import AAC_FRAME
from scripts.benchmark.film import CLIP, FILM, Film, frames, loops
from scripts.benchmark.overhead import one_core, share
from scripts.benchmark.playlist import Channel, make_session, releases
from scripts.benchmark.scaling import psnr, squared_error


def test_the_share_is_of_what_the_longer_film_cost_more():
    assert share(long=30.0, short=10.0, bare_long=25.0, bare_short=6.0) == pytest.approx(5.0)


def test_start_up_does_not_count():
    assert share(30.0, 10.0, 28.0, 8.0) == share(35.0, 15.0, 21.0, 1.0) == 0.0


def test_one_core_is_taken_and_given_back():
    before = os.sched_getaffinity(0)
    with one_core() as core:
        assert os.sched_getaffinity(0) == {core}
    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize(("seconds", "count"), [(1, 1), (CLIP, 1), (CLIP + 1, 2), (1200, 75)])
def test_a_film_is_whole_clips(seconds, count):
    assert loops(seconds) == count


def test_the_clip_is_whole_frames_of_picture_and_sound_and_whole_groups():
    assert CLIP * 48_000 % AAC_FRAME == 0
    assert CLIP % FILM.key_seconds == 0


def test_pictures_move():
    first, second = itertools.islice(frames(Film(width=320, height=180)), 2)
    assert first.shape == (270, 320)
    assert np.mean(first != second) > 0.2


def test_equal_pictures_have_no_error():
    picture = np.full((4, 4), 200, np.uint8)
    assert squared_error(picture, picture) == 0.0
    assert psnr([0.0]) == math.inf


def test_psnr_is_of_the_mean_error():
    black, white = np.zeros((2, 2), np.uint8), np.full((2, 2), 255, np.uint8)
    assert squared_error(black, white) == 255 * 255
    assert psnr([65_025.0, 0.0]) == pytest.approx(10 * math.log10(2))


def test_releases_follow_each_other_on_the_grid():
    session = make_session(60)
    first, second = itertools.islice(releases(session), 2)
    assert (second.sequence, second.number) == (first.sequence + 1, first.number + 1)
    for before, after in zip(first.rows, second.rows, strict=True):
        assert after.start == before.start + before.duration
    assert {
        Fraction(row.start, r.timescale) for row, r in zip(first.rows, session.renditions, strict=True)
    } == {first.number * session.duration}


def test_a_window_is_full_before_it_is_measured():
    channel = Channel(60)
    listed = channel._views.playlist("720p").count(b"#EXTINF")
    assert abs(listed - channel.listed) <= 2
    assert channel.advance(5) > 0
    assert channel._views.playlist("720p").count(b"#EXTINF") == listed
