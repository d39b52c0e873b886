"""Values with a unit."""

from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abr.config import units

SOME = settings(deadline=None)


@pytest.mark.parametrize(
    ("written", "bits"),
    [
        ("800k", 800_000),
        ("2.5M", 2_500_000),
        ("1.5m", 1_500_000),
        ("0.1M", 100_000),
        (365_000, 365_000),
        ("365000", 365_000),
        ("1G", 1_000_000_000),
        (" 64k ", 64_000),
        ("64 kbit/s", 64_000),
        ("64kbps", 64_000),
    ],
)
def test_a_bitrate_is_bits_a_second(written, bits):
    assert units.bitrate(written) == bits


@pytest.mark.parametrize(
    "written", ["fast", "", "-1", "1.5.2M", "10T", 0, "0", True, None, [], "2G", "1.2345", "1e3"]
)
def test_what_is_no_bitrate_is_refused_with_the_value(written):
    with pytest.raises(ValueError, match="write"):
        units.bitrate(written)


def test_the_message_shows_value_and_cure():
    with pytest.raises(ValueError) as caught:
        units.bitrate("fast")
    assert str(caught.value) == "'fast' is not a bitrate; write 800k, 2.5M or bits a second"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2s", 2),
        ("1500ms", Fraction(3, 2)),
        ("5min", 300),
        ("4h", 14_400),
        (2, 2),
        (1.92, Fraction(48, 25)),
        ("1.92", Fraction(48, 25)),
        ("0", 0),
        (".5s", Fraction(1, 2)),
    ],
)
def test_a_duration_is_exact_seconds(written, seconds):
    assert units.duration(written) == seconds


@pytest.mark.parametrize(
    "written", ["soon", "-1s", "5 minutes", True, None, float("nan"), float("inf"), "5m"]
)
def test_what_is_no_duration_is_refused(written):
    with pytest.raises(ValueError, match="is not a duration"):
        units.duration(written)


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("25", 25),
        (50, 50),
        ("30000/1001", Fraction(30_000, 1001)),
        ("29.97", Fraction(30_000, 1001)),
        (23.976, Fraction(24_000, 1001)),
        ("59.94", Fraction(60_000, 1001)),
        ("12.5", Fraction(25, 2)),
    ],
)
def test_a_rate_is_exact(written, rate):
    assert units.rate(written) == rate


@pytest.mark.parametrize("written", ["0", "25/0", "25/", "fast", "1000", "1/25", True, None, "25/00"])
def test_what_is_no_rate_is_refused(written):
    with pytest.raises(ValueError, match="frame rate"):
        units.rate(written)


@pytest.mark.parametrize("written", ["1280x720", "1280 X 720", "1280×720"])
def test_a_size_is_width_and_height(written):
    assert units.size(written) == (1280, 720)


@pytest.mark.parametrize("written", ["1280", "x720", "720p", 720, None, "1280x720x3"])
def test_what_is_no_size_is_refused(written):
    with pytest.raises(ValueError, match="is not a size"):
        units.size(written)


def test_long_values_are_cut_in_messages():
    with pytest.raises(ValueError) as caught:
        units.size("9" * 1000)
    assert len(str(caught.value)) < 120


@SOME
@given(st.integers(1, units.HIGHEST_BITRATE))
def test_a_bitrate_survives_being_written(bits):
    assert units.bitrate(units.bitrate_text(bits)) == bits


@SOME
@given(st.fractions(0, 100_000, max_denominator=1000).map(lambda x: Fraction(round(x * 1000), 1000)))
def test_a_duration_of_milliseconds_survives_being_written(seconds):
    assert units.duration(units.duration_text(seconds)) == seconds


@SOME
@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text):
    for parse in (units.bitrate, units.duration, units.rate, units.size):
        with suppress(ValueError):
            assert parse(text) is not None


@pytest.mark.parametrize(
    ("rate", "text"),
    [(Fraction(25), "25"), (Fraction(25, 2), "12.5"), (Fraction(30_000, 1001), "30000/1001")],
)
def test_a_rate_is_written_exactly(rate, text):
    assert units.rate_text(rate) == text


@pytest.mark.parametrize(
    ("written", "level"), [("-23 LUFS", -23.0), ("-16lufs", -16.0), (-14, -14.0), ("−23.5", -23.5)]
)
def test_a_loudness_is_lufs(written, level):
    assert units.loudness(written) == level


@pytest.mark.parametrize("written", ["loud", "23 LUFS", "-3", "-70 LUFS", None, True, "-23 dB"])
def test_what_is_no_loudness_is_refused(written):
    with pytest.raises(ValueError, match="LUFS"):
        units.loudness(written)
