"""A feed's tracks find their renditions anew in each feed."""

from dataclasses import replace
from fractions import Fraction

from abr.model.ladder import AudioTarget, Ladder
from abr.model.media import Kind, Track
from abr.transcode.source import Source

PICTURE = Track(0, Kind.VIDEO, "h264", Fraction(1, 90_000))
SOUND = Track(1, Kind.AUDIO, "aac", Fraction(1, 90_000))
LADDER = Ladder(
    (),
    (
        AudioTarget("en", "aac", 128_000, asked="en"),
        AudioTarget("de", "aac", 128_000, asked="de"),
        AudioTarget("third", "aac", 128_000, track=2),
    ),
    Fraction(2),
    Fraction(300),
)


def sounds(*languages: str | None) -> list[Track]:
    return [PICTURE] + [replace(SOUND, index=place, language=name) for place, name in enumerate(languages, 1)]


def test_languages_are_found_wherever_they_are():
    assert Source(sounds("en", "de"), LADDER).sounds == {1: [0], 2: [1]}
    assert Source(sounds("de", "fr", "en"), LADDER).sounds == {3: [0, 2], 1: [1]}


def test_a_rendition_without_a_track_gets_nothing():
    source = Source(sounds("fr"), LADDER)
    assert source.sounds == {}
    assert not source.uses(1)


def test_a_track_that_says_no_language_serves_all_that_ask():
    assert Source(sounds(None), LADDER).sounds == {1: [0, 1]}
