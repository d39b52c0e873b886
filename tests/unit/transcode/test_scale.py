"""Scaling: any source becomes BT.709 of the rung's size, and the source frame is never written to."""

from fractions import Fraction

import av
import numpy as np
import pytest

from abr.errors import MediaError
from abr.transcode.scale import Cascade, Scaler

RED = (63, 102, 240)
"""Pure red in BT.709, limited range."""


def filled(size, values, form="yuv420p"):
    frame = av.VideoFrame(*size, form)
    for plane, value in zip(frame.planes, values, strict=True):
        np.frombuffer(plane, np.uint8)[:] = value
    return frame


def middle(frame):
    """Y, Cb, Cr in the middle of a picture."""
    return tuple(
        int(np.frombuffer(plane, np.uint8)[plane.line_size * (plane.height // 2) + plane.width // 2])
        for plane in frame.planes
    )


def near(left, right):
    return all(abs(a - b) <= 1 for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize("size", [(64, 48), (128, 96)])
def test_untagged_standard_definition_red_becomes_709_red(size):
    assert near(middle(Scaler((64, 48)).scale(filled(size, (81, 90, 240)))), RED)


def test_untagged_high_definition_keeps_its_values():
    assert middle(Scaler((640, 360)).scale(filled((1280, 720), (63, 102, 240)))) == RED


def test_red_pixels_become_709_red():
    rgb = av.VideoFrame.from_ndarray(np.full((48, 64, 3), (255, 0, 0), np.uint8), "rgb24")
    assert near(middle(Scaler((64, 48)).scale(rgb)), RED)


@pytest.mark.parametrize("form", ["yuvj420p", "yuvj422p", "yuvj444p"])
def test_full_range_white_becomes_235(form):
    assert near(middle(Scaler((64, 48)).scale(filled((64, 48), (255, 128, 128), form))), (235, 128, 128))


def test_ten_bits_become_eight():
    frame = av.VideoFrame(1280, 720, "yuv420p10le")
    for plane, value in zip(frame.planes, (400, 512, 512), strict=True):
        np.frombuffer(plane, np.uint16)[:] = value
    assert near(middle(Scaler((640, 360)).scale(frame)), (100, 128, 128))


def test_the_result_says_what_it_is():
    frame = Scaler((64, 48)).scale(filled((128, 96), (81, 90, 240)))
    assert (frame.width, frame.height, frame.format.name) == (64, 48, "yuv420p")
    assert (frame.colorspace, frame.color_range, frame.color_trc, frame.color_primaries) == (1, 1, 1, 1)


def test_wide_pixels_are_made_square():
    """4:3 stored as 720x576 stands between bars in 16:9; its height is kept."""
    source = filled((720, 576), (235, 128, 128))
    source.opaque = Fraction(16, 15)
    row = Scaler((1024, 576)).scale(source).to_ndarray()[288]
    assert (row[:128].max(), row[128:896].min(), row[896:].max()) == (16, 235, 16)


def test_pixels_are_made_square_once():
    """The second rung is scaled from the first, whose pixels are square already."""
    source = filled((720, 576), (235, 128, 128))
    source.opaque = Fraction(64, 45)
    frames = Cascade([(1024, 576), (512, 288)], [1, 1]).scale(source, (0, 1))
    assert [int(frame.to_ndarray()[: frame.height].min()) for frame in frames.values()] == [235, 235]


def test_a_source_that_changes_in_size_and_form_needs_no_new_scaler():
    scaler = Scaler((64, 36))
    for size, form in (((1280, 720), "yuv420p"), ((640, 480), "yuv444p"), ((1920, 1080), "yuv422p")):
        frame = scaler.scale(filled(size, (180, 128, 128), form))
        assert (frame.width, frame.height) == (64, 36)
        assert near(middle(frame), (180, 128, 128))


def test_a_form_that_cannot_be_converted_is_an_error_with_a_sentence():
    with pytest.raises(MediaError, match="a picture of 64x48 in gray32le cannot be converted"):
        Scaler((32, 32)).scale(av.VideoFrame(64, 48, "gray32le"))


def test_the_source_is_not_written_to():
    source = filled((1280, 720), (100, 110, 120))
    source.pts, source.pict_type = 5, 1
    frames = Cascade([(1280, 720), (640, 360)], [1, 1]).scale(source, (0, 1))
    for frame in frames.values():
        frame.pts, frame.pict_type = 99, 2
    assert (source.pts, source.pict_type, source.colorspace, source.color_range) == (5, 1, 2, 0)
    assert middle(source) == (100, 110, 120)


def test_a_source_of_a_rungs_own_form_is_not_copied():
    source = filled((1280, 720), (100, 110, 120))
    frame = Cascade([(1280, 720)], [1]).scale(source, (0,))[0]
    assert frame is not source
    assert frame.planes[0].buffer_ptr == source.planes[0].buffer_ptr


def test_every_frame_that_is_given_out_is_another_one():
    """Encoders write times into them, each in its own thread."""
    source = filled((1280, 720), (100, 110, 120))
    cascade = Cascade([(1280, 720), (640, 360), (640, 360)], [1, 1, 1])
    frames = [frame for _ in range(3) for frame in cascade.scale(source, (0, 1, 2)).values()]
    assert len({id(frame) for frame in (source, *frames)}) == 10


def test_the_same_source_again_is_not_scaled_again():
    source = filled((1280, 720), (100, 110, 120))
    cascade = Cascade([(640, 360), (320, 180)], [1, 1])
    first, again = cascade.scale(source, (0, 1)), cascade.scale(source, (0, 1))
    for rung in (0, 1):
        assert first[rung] is not again[rung]
        assert first[rung].planes[0].buffer_ptr == again[rung].planes[0].buffer_ptr


def test_another_source_is_scaled():
    cascade = Cascade([(640, 360)], [1])
    assert middle(cascade.scale(filled((1280, 720), (100, 128, 128)), (0,))[0]) == (100, 128, 128)
    assert middle(cascade.scale(filled((1280, 720), (150, 128, 128)), (0,))[0]) == (150, 128, 128)


@pytest.mark.parametrize(
    ("sizes", "steps", "bases"),
    [
        ([(1280, 720), (854, 480), (640, 360)], [1, 1, 1], [None, 0, 1]),
        ([(1280, 720), (854, 480), (640, 360)], [1, 2, 2], [None, 0, 1]),
        ([(1280, 720), (854, 480), (640, 360)], [2, 1, 1], [None, None, 1]),
        ([(1280, 720), (854, 480), (640, 360)], [1, 2, 1], [None, 0, 0]),
        ([(1280, 720), (640, 480), (320, 240)], [1, 1, 1], [None, None, 1]),
        ([(640, 360), (640, 360)], [1, 1], [None, 0]),
    ],
)
def test_a_rung_is_scaled_from_the_nearest_larger_one_with_a_picture(sizes, steps, bases):
    assert Cascade(sizes, steps)._bases == bases
