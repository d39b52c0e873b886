"""HDR becomes BT.709: greys where the standards put them, colours kept in hue, nothing clipped below the peak."""

import itertools
from fractions import Fraction

import av
import numpy as np
import pytest

from abr.transcode.scale import Cascade, Scaler
from abr.transcode.tone import Range, mapped, range_of
from tests.fakes.footage import luma_of, ten_bits

PQ = {"color_trc": 16, "color_primaries": 9, "colorspace": 9, "color_range": 1}
HLG = PQ | {"color_trc": 18}
WIDE = PQ | {"color_trc": 14}


def pq(light: float) -> float:
    """The PQ value of cd/m² (SMPTE ST 2084), by its formula."""
    power = (light / 10_000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def grey_of(value: float, tags: dict[str, int]) -> tuple[int, int, int]:
    """Y, Cb, Cr of what a grey becomes."""
    made = Scaler((64, 48)).scale(ten_bits((64 + 876 * value, 512, 512), **tags))
    return tuple(int(np.frombuffer(plane, np.uint8)[plane.line_size * 5 + 5]) for plane in made.planes)


def luma(light: float) -> float:
    """Y of a share of full light on a display of gamma 2.4 (BT.1886)."""
    return 16 + 219 * light ** (1 / 2.4)


@pytest.mark.parametrize("light", [0, 0.1, 1, 5, 26, 50, 80])
def test_what_lies_below_the_knee_keeps_its_light(light):
    y, cb, cr = grey_of(pq(light), PQ)
    assert abs(y - luma(light / 203)) <= 1.5  # half a step of its own beside the others'
    assert abs(cb - 128) <= 1
    assert abs(cr - 128) <= 1


def test_brighter_is_brighter_up_to_the_peak():
    steps = [grey_of(pq(light), PQ)[0] for light in (80, 110, 150, 203, 300, 450, 600)]
    assert all(after > before for before, after in itertools.pairwise(steps))
    assert 205 <= steps[3] <= 220  # reference white is nine tenths
    assert grey_of(pq(1000), PQ)[0] == grey_of(pq(4000), PQ)[0] == 235


def test_hlg_reference_white_is_that_of_pq():
    """75 % HLG is 203 cd/m² on a display of 1000 (BT.2408)."""
    assert abs(grey_of(0.75, HLG)[0] - grey_of(pq(203), PQ)[0]) <= 1
    assert grey_of(0, HLG)[0] == 16
    assert abs(grey_of(1, HLG)[0] - 235) <= 1


def test_wide_colour_alone_keeps_its_greys():
    for value in (0, 0.25, 0.5, 1):
        assert abs(grey_of(value, WIDE)[0] - (16 + 219 * value)) <= 1


@pytest.mark.parametrize("kind", list(Range))
def test_a_colour_keeps_its_order_of_red_green_and_blue(kind):
    orange = mapped(kind, np.array([0.5, 0.4, 0.3]))
    assert orange[0] > orange[1] > orange[2]


@pytest.mark.parametrize("kind", list(Range))
def test_no_colour_leaves_the_range(kind):
    steps = np.linspace(0, 1, 9)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1)
    made = mapped(kind, cube)
    assert made.min() >= 0
    assert made.max() <= 1
    assert np.isfinite(made).all()


def test_a_709_red_in_2020_is_the_709_red():
    """BT.709 red is (0.6274, 0.0691, 0.0164) in linear BT.2020 (BT.2087-0)."""
    coded = np.array([0.6274, 0.0691, 0.0164]) ** (1 / 2.4)
    red = mapped(Range.WIDE, coded)
    assert red[0] == pytest.approx(1, abs=0.01)
    assert max(red[1:]) < 0.12


def test_red_stays_red_through_the_filter():
    """Which plane is which colour is FFmpeg's secret: a red frame tells."""
    made = Scaler((64, 48)).scale(ten_bits((64 + 876 * 0.2627 * 0.5, 448, 760), **PQ))
    _y, cb, cr = (int(np.frombuffer(plane, np.uint8)[plane.line_size * 5 + 5]) for plane in made.planes)
    assert cr > 150
    assert cb < 128


def test_ordinary_pictures_are_left_alone():
    assert range_of(av.VideoFrame(64, 48, "yuv420p")) is None
    assert range_of(ten_bits((500, 512, 512), color_trc=1, color_primaries=1)) is None
    assert range_of(ten_bits((500, 512, 512), **PQ)) is Range.PQ
    assert range_of(ten_bits((500, 512, 512), **HLG)) is Range.HLG
    assert range_of(ten_bits((500, 512, 512), **WIDE)) is Range.WIDE


def test_all_rungs_of_an_hdr_source_are_mapped_once():
    source = ten_bits((64 + 876 * pq(50), 512, 512), (1280, 720), **PQ)
    source.opaque = Fraction(1)
    frames = Cascade([(640, 360), (320, 180)], [1, 1]).scale(source, (0, 1))
    for frame in frames.values():
        assert abs(int(luma_of(frame)[20, 20]) - luma(50 / 203)) <= 1
        assert (frame.colorspace, frame.color_range, frame.color_trc, frame.color_primaries) == (1, 1, 1, 1)
    assert (source.color_trc, source.color_primaries, source.pts) == (16, 9, None)


def test_a_source_that_turns_to_hdr_and_back_needs_no_new_scaler():
    scaler = Scaler((64, 48))
    for tags in ({}, PQ, HLG, {}):
        made = scaler.scale(ten_bits((64, 512, 512), **tags))
        assert abs(int(luma_of(made)[5, 5]) - 16) <= 1
