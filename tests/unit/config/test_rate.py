"""The frame rate of a rung."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abr.config.rate import known_rate, parse_rate, standard_rate

NTSC = Fraction(30_000, 1001)


@pytest.mark.parametrize(
    ("written", "of_50", "text"),
    [(25, 25, "25"), ("29.97", NTSC, "30000/1001"), ("source", 50, "source"), ("source/2", 25, "source/2")],
)
def test_a_rate_is_fixed_or_a_part_of_the_sources(written, of_50, text):
    rate = parse_rate(written)
    assert rate.of(Fraction(50)) == of_50
    assert str(rate) == text


@pytest.mark.parametrize(
    "written", ["source/0", "source/1", "source/7", "source/x", "source*2", "half", 0, None]
)
def test_other_words_are_refused(written):
    with pytest.raises(ValueError, match="frame rate"):
        parse_rate(written)


@pytest.mark.parametrize(
    ("declared", "rate"),
    [
        ("25", 25),
        ("25.002", 25),
        ("29.967", NTSC),
        ("29.99", 30),
        ("30", 30),
        ("23.98", Fraction(24_000, 1001)),
        ("59.94", Fraction(60_000, 1001)),
        ("12.5", Fraction(25, 2)),
        ("18.02", 18),
        ("14.9", 15),
        ("144.2", 144),
    ],
)
def test_a_declared_rate_means_a_standard_one(declared, rate):
    assert standard_rate(Fraction(declared)) == rate


@pytest.mark.parametrize("declared", [None, Fraction(0), Fraction(1, 2), Fraction(1000), Fraction(90_000)])
def test_clocks_and_nothing_are_no_rates(declared):
    assert known_rate(declared) is None


@settings(deadline=None)
@given(st.fractions(1, 240, max_denominator=10_000))
def test_a_standard_rate_means_itself_and_is_near(declared):
    rate = standard_rate(declared)
    assert standard_rate(rate) == rate
    assert abs(rate - declared) <= declared / 50 + Fraction(1, 2)
