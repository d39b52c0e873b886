"""Values as people write them, read to their types."""

from fractions import Fraction

import pytest

from abr.config.written import Bitrate, Duration, RateText, SizeText, Word, read


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        (Bitrate, "2.5M", 2_500_000),
        (Bitrate, 800_000, 800_000),
        (Duration, "300ms", Fraction(3, 10)),
        (Duration, Fraction(1, 3), Fraction(1, 3)),
        (SizeText, " 1280 X 720", "1280x720"),
        (RateText, 29.97, "29.97"),
        (RateText, "source/2", "source/2"),
        (Word, 8080, "8080"),
        (Word, 4.0, "4.0"),
        (Word, "fast", "fast"),
    ],
)
def test_each_type_reads_what_is_written(kind, written, value):
    assert read(kind, written) == value
    assert isinstance(read(kind, written), kind)


@pytest.mark.parametrize("kind", [Bitrate, Duration, SizeText, RateText, Word])
@pytest.mark.parametrize("value", [True, None, [], {}])
def test_each_type_refuses_what_is_neither_text_nor_number(kind, value):
    with pytest.raises((ValueError, TypeError), match=r"^(True|None|\[\]|\{\}) is not "):
        read(kind, value)
