"""Sound is chosen by place or by language; what is not there is not replaced by another language."""

from dataclasses import replace
from fractions import Fraction

import pytest

from abr.model.media import Kind, Track
from abr.model.selection import select_sound, speaks

SOUND = Track(1, Kind.AUDIO, "aac", Fraction(1, 48_000), sample_rate=48_000, channels=2)


def tracks(*languages: str | None) -> list[Track]:
    return [replace(SOUND, index=place, language=name) for place, name in enumerate(languages, 1)]


@pytest.mark.parametrize(
    ("languages", "wanted", "chosen"),
    [
        (("en", "de"), "de", 1),
        (("en", "de-AT"), "de", 1),
        (("en", "DE"), "de", 1),
        (("de-AT", "de"), "de-CH", None),
        (("en", None, "de"), "de", 2),
        (("en", None), "de", 1),
        ((None,), "de", 0),
        (("en",), "de", None),
        ((), "de", None),
    ],
)
def test_a_language_takes_its_track_else_one_that_does_not_say(languages, wanted, chosen):
    assert select_sound(tracks(*languages), language=wanted) == chosen


@pytest.mark.parametrize(("place", "chosen"), [(0, 0), (1, 1), (2, None)])
def test_a_place_is_a_place(place, chosen):
    assert select_sound(tracks("en", "de"), place=place) == chosen


def test_a_part_of_a_word_is_no_language():
    assert not speaks("den", "de")
