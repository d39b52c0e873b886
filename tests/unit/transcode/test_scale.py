"""Scaling: any source becomes BT.709 of the rung's size, and the source frame is never written to."""

from fractions import Fraction

import av
import numpy as np
import pytest

from abr.errors import MediaError
from abr.model.ladder import Fit
from abr.transcode.scale import Cascade, Scaler
from tests.fakes.footage import flagged, luma_of

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


def striped(size, stripe):
    """White, with a dark stripe at the left and right edges, each `stripe` wide."""
    frame = filled(size, (235, 128, 128))
    luma_of(frame)[:, :stripe] = 60
    luma_of(frame)[:, size[0] - stripe :] = 60
    return frame


def test_a_picture_that_is_cropped_fills_its_rung_with_its_middle():
    made = luma_of(Scaler((64, 64), Fit.CROP).scale(striped((128, 64), 32)))
    assert made.shape == (64, 64)
    assert made.min() == 235
    assert luma_of(Scaler((64, 64)).scale(striped((128, 64), 32))).min() == 16


def test_cropping_counts_the_shape_of_pixels():
    source = striped((720, 576), 90)
    source.opaque = Fraction(64, 45)  # 16:9 on 720x576: a 4:3 rung shows 540 of its columns
    assert luma_of(Scaler((640, 480), Fit.CROP).scale(source))[:, 4:-4].min() == 235


def test_a_tall_picture_is_cropped_above_and_below():
    source = filled((64, 256), (100, 128, 128))
    luma_of(source)[96:160] = 200
    assert luma_of(Scaler((64, 64), Fit.CROP).scale(source)).min() == 200


def test_cropping_leaves_the_source_as_it_was():
    source = striped((128, 64), 32)
    source.pts, source.time_base = 7, Fraction(1, 25)
    frames = Cascade([(64, 64), (32, 32)], [1, 1], Fit.CROP).scale(source, (0, 1))
    assert (source.pts, source.time_base) == (7, Fraction(1, 25))
    assert [luma_of(frame).min() for frame in frames.values()] == [235, 235]


def test_a_picture_that_is_stretched_has_no_bars():
    made = luma_of(Scaler((64, 64), Fit.STRETCH).scale(striped((128, 64), 32)))
    assert (made[:, :12].max(), made[:, 20:44].min(), made[:, -12:].max()) == (60, 235, 60)


@pytest.mark.parametrize("fit", list(Fit))
@pytest.mark.parametrize("size", [(853, 479), (65, 49), (17, 301), (4000, 16), (1916, 1076)])
def test_sources_of_odd_size_become_the_rungs(fit, size):
    source = av.VideoFrame(*size, "yuv420p")
    for plane, value in zip(source.planes, (180, 128, 128), strict=True):
        np.frombuffer(plane, np.uint8)[:] = value
    made = Scaler((64, 48), fit).scale(source)
    assert (made.width, made.height, made.format.name) == (64, 48, "yuv420p")
    assert abs(int(luma_of(made).max()) - 180) <= 1


GREYS = {
    "yuv422p": (180, 128, 128), "yuv444p": (180, 128, 128), "nv12": (180, 128), "yuv410p": (180, 128, 128),
    "yuva420p": (180, 128, 128, 255), "uyvy422": None, "nv21": (180, 128),
}  # fmt: skip


@pytest.mark.parametrize("form", GREYS)
def test_any_form_of_grey_is_the_same_grey(form):
    values = GREYS[form]
    frame = av.VideoFrame(64, 48, form)
    if values is None:
        np.frombuffer(frame.planes[0], np.uint8)[:] = np.tile((128, 180), frame.planes[0].buffer_size // 2)
    else:
        for plane, value in zip(frame.planes, values, strict=True):
            np.frombuffer(plane, np.uint8)[:] = value
    assert near(middle(Scaler((64, 48)).scale(frame)), (180, 128, 128))


BARS = {
    "white": (255, 255, 255),
    "yellow": (255, 255, 0),
    "green": (0, 255, 0),
    "red": (255, 0, 0),
    "black": (0, 0, 0),
}
BARS_709 = {
    "white": (235, 128, 128), "yellow": (219, 16, 138), "green": (173, 42, 26), "red": (63, 102, 240), "black": (16, 128, 128),
}  # fmt: skip


@pytest.mark.parametrize("form", ["rgb24", "gbrp", "bgra", "rgb48le", "gbrp10le"])
@pytest.mark.parametrize("colour", BARS)
def test_colours_of_rgb_sources_are_those_of_709(form, colour):
    rgb = av.VideoFrame.from_ndarray(np.full((48, 64, 3), BARS[colour], np.uint8), "rgb24")
    frame = rgb if form == "rgb24" else rgb.reformat(format=form)
    assert near(middle(Scaler((64, 48)).scale(frame)), BARS_709[colour])


def test_a_palette_is_read():
    frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), (255, 0, 0), np.uint8), "rgb24").reformat(
        format="rgb8"
    )
    _y, _cb, cr = middle(Scaler((64, 48)).scale(frame))
    assert cr > 220
    indices = np.zeros((48, 64), np.uint8)
    palette = np.zeros((256, 4), np.uint8)
    palette[0] = (255, 255, 0, 0)  # ARGB
    assert near(middle(Scaler((64, 48)).scale(av.VideoFrame.from_ndarray((indices, palette), "pal8"))), RED)


def test_full_range_of_tags_is_brought_to_limited_range():
    frame = filled((64, 48), (255, 128, 128))
    frame.color_range = 2
    assert near(middle(Scaler((64, 48)).scale(frame)), (235, 128, 128))


def test_fields_that_nobody_could_weave_are_scaled_all_the_same():
    made = Scaler((64, 48)).scale(flagged(filled((128, 96), (180, 128, 128)), "tff"))
    assert near(middle(made), (180, 128, 128))
