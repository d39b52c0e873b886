"""Colour and shape of pictures: what untagged frames are, where a picture lies, own frames over shared pixels."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace
from hypothesis import given
from hypothesis import strategies as st

from abr.model.ladder import Fit
from abr.transcode.picture import Box, black, colour_of, framed, pixel_aspect, place, reference, window


def test_untagged_standard_definition_is_601_and_high_definition_709():
    assert colour_of(av.VideoFrame(720, 576, "yuv420p")) == (Colorspace.ITU601, ColorRange.MPEG)
    assert colour_of(av.VideoFrame(720, 480, "yuv420p")).matrix == Colorspace.ITU601
    assert colour_of(av.VideoFrame(1280, 720, "yuv420p")).matrix == Colorspace.ITU709


@pytest.mark.parametrize(("tag", "matrix"), [(1, 1), (4, 4), (5, 5), (6, 5), (7, 7), (9, 9), (10, 9)])
def test_a_tag_counts_more_than_the_size(tag, matrix):
    for size in ((720, 576), (1920, 1080)):
        frame = av.VideoFrame(*size, "yuv420p")
        frame.colorspace = tag
        assert colour_of(frame).matrix == matrix


def test_full_range_is_a_tag_a_jpeg_format_or_rgb():
    tagged = av.VideoFrame(64, 64, "yuv420p")
    tagged.color_range = 2
    for frame in (tagged, av.VideoFrame(64, 64, "yuvj420p"), av.VideoFrame(64, 64, "rgb24")):
        assert colour_of(frame).range == ColorRange.JPEG


def test_the_pixel_aspect_travels_in_opaque():
    frame = av.VideoFrame(720, 576, "yuv420p")
    assert pixel_aspect(frame) == 1
    frame.opaque = Fraction(16, 15)
    assert pixel_aspect(frame) == Fraction(16, 15)
    frame.opaque = Fraction(0)
    assert pixel_aspect(frame) == 1


@pytest.mark.parametrize(
    ("source", "aspect", "room", "box"),
    [
        ((1920, 1080), 1, (1280, 720), (0, 0, 1280, 720)),
        ((1920, 1080), 1, (854, 480), (0, 0, 854, 480)),
        ((1920, 1080), 1, (426, 240), (0, 0, 426, 240)),
        ((640, 480), 1, (1280, 720), (160, 0, 960, 720)),
        ((720, 576), Fraction(64, 45), (1024, 576), (0, 0, 1024, 576)),
        ((720, 576), Fraction(16, 15), (1024, 576), (128, 0, 768, 576)),
        ((1920, 800), 1, (1280, 720), (0, 92, 1280, 534)),
        ((1080, 1920), 1, (1280, 720), (438, 0, 404, 720)),
        ((1, 4000), 1, (64, 64), (30, 0, 2, 64)),
    ],
)
def test_a_picture_keeps_its_shape_in_the_middle_of_the_room(source, aspect, room, box):
    assert place(*source, Fraction(aspect), room) == box


@given(
    st.integers(1, 8192), st.integers(1, 8192), st.integers(1, 50), st.integers(1, 50),
    st.integers(16, 2000), st.integers(16, 2000),
)  # fmt: skip
def test_a_box_is_even_inside_its_room_and_touches_two_sides(width, height, across, down, half_x, half_y):
    room = (2 * half_x, 2 * half_y)
    box = place(width, height, Fraction(across, down), room)
    assert not any(side % 2 for side in box)
    assert 0 <= box.left <= box.left + box.width <= room[0]
    assert 0 <= box.top <= box.top + box.height <= room[1]
    assert box.width == room[0] or box.height == room[1]


@pytest.mark.parametrize("fit", [Fit.CROP, Fit.STRETCH])
def test_only_a_letterbox_leaves_room(fit):
    assert place(640, 480, Fraction(1), (1280, 720), fit) == (0, 0, 1280, 720)


@pytest.mark.parametrize(
    ("source", "aspect", "room", "part"),
    [
        ((1920, 1080), 1, (1280, 720), None),
        ((1920, 1080), 1, (854, 480), None),
        ((1280, 960), 1, (1280, 720), (0, 120, 1280, 720)),
        ((1080, 1920), 1, (1280, 720), (0, 656, 1080, 608)),
        ((1920, 800), 1, (1280, 720), (248, 0, 1422, 800)),
        ((720, 576), Fraction(64, 45), (1024, 576), None),
        ((720, 576), Fraction(64, 45), (640, 480), (90, 0, 540, 576)),
        ((1, 4000), 1, (64, 64), (0, 1998, 1, 2)),
    ],
)
def test_a_window_is_the_middle_that_fills_the_room(source, aspect, room, part):
    assert window(*source, Fraction(aspect), room) == part


@given(
    st.integers(1, 8192), st.integers(1, 8192), st.integers(1, 50), st.integers(1, 50),
    st.integers(16, 2000), st.integers(16, 2000),
)  # fmt: skip
def test_a_window_lies_inside_its_picture(width, height, across, down, half_x, half_y):
    part = window(width, height, Fraction(across, down), (2 * half_x, 2 * half_y))
    if part is not None:
        assert 0 <= part.left <= part.left + part.width <= width
        assert 0 <= part.top <= part.top + part.height <= height
        assert part.width == width or part.height == height


def test_a_reference_shares_pixels_and_nothing_else():
    frame = black(64, 48)
    frame.pts, frame.time_base, frame.pict_type = 7, Fraction(1, 25), 1
    other = reference(frame)
    assert [plane.buffer_ptr for plane in other.planes] == [plane.buffer_ptr for plane in frame.planes]
    other.pts, other.time_base, other.pict_type = 9, Fraction(1, 90_000), 2
    assert (frame.pts, frame.time_base, frame.pict_type) == (7, Fraction(1, 25), 1)
    assert (other.colorspace, other.color_range, other.color_trc, other.color_primaries) == (1, 1, 1, 1)


def test_a_reference_outlives_its_frame():
    other = reference(black(64, 48))
    assert other.to_ndarray()[:48].max() == 16


def test_bars_are_black_in_limited_range():
    picture = black(32, 32)
    for plane in picture.planes:
        np.frombuffer(plane, np.uint8)[:] = 200
    frame = framed(picture, Box(16, 0, 32, 32), (64, 32))
    luma, chroma = (
        frame.to_ndarray()[:32],
        np.frombuffer(frame.planes[1], np.uint8)[: frame.planes[1].line_size],
    )
    assert luma[5].tolist() == [16] * 16 + [200] * 32 + [16] * 16
    assert chroma[:32].tolist() == [128] * 8 + [200] * 16 + [128] * 8
