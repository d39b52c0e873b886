"""Levels of H.264 and HEVC."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.model.level import H264_LEVELS, HEVC_LEVELS, Demand, h264_excess, h264_level, hevc_excess


def demand(width, height, rate, bits, **more):
    return Demand(width, height, Fraction(rate), bits, bits, **more)


@pytest.mark.parametrize(
    ("asked", "profile", "level"),
    [
        (demand(256, 144, 25, 160_000), "main", "1.2"),
        (demand(416, 234, 25, 400_000), "main", "1.3"),
        (demand(640, 360, 25, 800_000), "high", "3.0"),
        (demand(1280, 720, 25, 3_300_000), "high", "3.1"),
        (demand(1280, 720, 50, 4_000_000), "high", "3.2"),
        (demand(1920, 1080, 30, 6_000_000), "high", "4.0"),
        (demand(1920, 1080, 60, 9_000_000), "high", "4.2"),
        (demand(1920, 1080, 25, 25_000_000), "high", "4.0"),
        (demand(1920, 1080, 25, 25_000_000), "main", "4.1"),
        (demand(3840, 2160, 30, 20_000_000), "high", "5.1"),
        (demand(3840, 2160, 60, 20_000_000), "high", "5.2"),
        (demand(1920, 1080, 25, 6_000_000, pictures=16), "high", "5.1"),
        (demand(8192, 16, 25, 800_000), "high", "5.1"),
        (demand(16_384, 8192, 60, 800_000), "high", None),
    ],
)
def test_the_smallest_level_of_h264(asked, profile, level):
    assert h264_level(asked, profile) == level


@pytest.mark.parametrize(
    ("asked", "level"),
    [
        (demand(416, 234, 25, 400_000), "2.0"),
        (demand(960, 540, 25, 1_100_000), "3.0"),
        (demand(1280, 720, 30, 2_000_000), "3.1"),
        (demand(1920, 1080, 30, 4_000_000), "4.0"),
        (demand(1920, 1080, 60, 6_000_000), "4.1"),
        (demand(1920, 1080, 30, 15_000_000), "4.1"),
        (demand(3840, 2160, 60, 15_000_000), "5.1"),
        (demand(8192, 4320, 120, 900_000_000), None),
    ],
)
def test_the_smallest_level_of_hevc(asked, level):
    assert next((name for name in HEVC_LEVELS if not hevc_excess(name, asked)), None) == level


def test_an_excess_names_the_limit_and_what_was_asked():
    assert h264_excess("3.0", demand(1280, 720, 25, 3_000_000)) == "1620 macroblocks a picture, not 3600"
    assert h264_excess("3.1", demand(1280, 720, 60, 3_000_000)) == "108000 macroblocks a second, not 216000"
    assert h264_excess("3.1", demand(1280, 720, 25, 20_000_000)) == "17500000 bits/s of maxrate, not 20000000"
    assert hevc_excess("4.0", demand(1920, 1080, 50, 4_000_000)) == "66846720 samples a second, not 103680000"
    assert h264_excess("3.1", demand(1280, 720, 25, 3_000_000)) is None


def test_a_level_that_does_not_exist_is_a_mistake_of_the_caller():
    with pytest.raises(KeyError):
        h264_excess("7.0", demand(64, 64, 25, 64_000))


@given(st.integers(16, 4096), st.integers(16, 2304), st.integers(1, 60), st.integers(64_000, 100_000_000))
def test_a_higher_level_of_h264_holds_what_a_lower_one_does(width, height, rate, bits):
    asked = demand(width, height, rate, bits)
    held = [h264_excess(level, asked) is None for level in H264_LEVELS]
    assert held == sorted(held)
    assert [hevc_excess(level, asked) is None for level in HEVC_LEVELS] == sorted(
        hevc_excess(level, asked) is None for level in HEVC_LEVELS
    )
