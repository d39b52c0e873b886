"""The test picture and its sound: what shows lip sync begins at the same instant."""

import itertools

import numpy as np
import pytest

from abr.demo import sound
from abr.demo.picture import TestPicture
from abr.model.time import NANO
from abr.transcode.font import text_mask


def test_a_digit_is_drawn_dot_by_dot():
    rows = ["".join("#" if dot else "." for dot in row) for row in text_mask("1", 1)]
    assert rows == ["..#...", ".##...", "..#...", "..#...", "..#...", "..#...", ".###.."]


def test_a_letter_that_the_font_lacks_is_an_error():
    with pytest.raises(KeyError):
        text_mask("?", 1)


def test_the_disc_is_white_in_the_first_two_frames_of_each_second():
    picture = TestPicture(640, 360, 25)
    centre = [int(picture.paint(index, index * NANO // 25)[180, 330]) for index in range(50)]
    assert [index for index, luma in enumerate(centre) if luma == 235] == [0, 1, 25, 26]


def test_every_frame_differs_from_the_one_before():
    picture = TestPicture(256, 144, 25)
    frames = [picture.paint(index, index * NANO // 25) for index in range(27)]
    assert all((before != after).any() for before, after in itertools.pairwise(frames))


def test_a_picture_is_limited_range_i420():
    image = TestPicture(256, 144, 25).paint(3, 0)
    assert image.shape == (216, 256)
    assert (image.min(), image.max()) >= (16, 16)
    assert image.max() <= 240


def test_a_beep_begins_with_each_second_and_lasts_50_ms():
    line = sound.samples(0, 2 * sound.RATE)[0]
    loud = np.abs(line).reshape(-1, 480).max(axis=1) > 0.1
    assert np.flatnonzero(loud).tolist() == [0, 1, 2, 3, 4, 100, 101, 102, 103, 104]


def test_the_sound_is_one_line_however_it_is_cut():
    whole = sound.samples(0, 4096)
    parts = np.concatenate([sound.samples(first, 1024) for first in range(0, 4096, 1024)], axis=1)
    assert (whole == parts).all()
