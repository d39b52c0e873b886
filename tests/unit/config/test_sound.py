"""Audio tables choose tracks by number or language; what is missing is said."""

from dataclasses import replace
from fractions import Fraction

import pytest

from abr.config.profile import load_profile, parse_profile
from abr.config.sound import audio_targets
from abr.errors import ConfigError, MediaError
from abr.model.media import Kind, Track

SOUND = Track(1, Kind.AUDIO, "aac", Fraction(1, 48_000), sample_rate=44_100, channels=2)


def made(text: str, *languages: str | None, silence: bool = True):
    """Name, language and track of each rendition; and the notes."""
    tracks = [replace(SOUND, index=place, language=name) for place, name in enumerate(languages, 1)]
    notes: list[str] = []
    targets = audio_targets(parse_profile(text, "made"), tracks, notes, silence=silence)
    return [(target.name, target.language, target.track) for target in targets], notes


TWO = '[[audio]]\nname="en"\nlanguage="en"\n[[audio]]\nname="de"\nlanguage="de"'
SECOND = '[[audio]]\nname="x"\ntrack=2\n[[audio]]\nname="y"\ntrack=1\nlanguage="de"'


def test_each_language_gets_its_track():
    assert made(TWO, "de", "en") == ([("en", "en", 1), ("de", "de", 0)], [])


def test_a_missing_language_is_silent_in_live_output_and_left_out_of_a_film():
    note = "audio 'de': the source has no sound in de (its tracks: en, fr): "
    assert made(TWO, "en", "fr") == ([("en", "en", 0), ("de", "de", 0)], [note + "it is silent"])
    assert made(TWO, "en", "fr", silence=False) == ([("en", "en", 0)], [note + "left out"])


def test_a_track_that_does_not_say_its_language_may_be_the_one():
    assert made(TWO, None) == ([("en", "en", 0), ("de", "de", 0)], [])
    targets, notes = made(TWO, "en", None)
    assert targets == [("en", "en", 0), ("de", "de", 1)]
    assert notes == ["audio 'de': no track says that it is de: track 2 is taken"]


def test_numbers_count_from_one_and_languages_are_then_labels():
    assert made(SECOND, "en", "fr") == ([("x", "fr", 1), ("y", "de", 0)], [])


def test_a_missing_number_is_said():
    targets, notes = made(SECOND, "en")
    assert targets == [("x", None, 1), ("y", "de", 0)]
    assert notes == ["audio 'x': the source has no audio track 2 (its tracks: en): it is silent"]


@pytest.mark.parametrize("track", [0, -1, 65])
def test_a_number_out_of_range_is_refused(track):
    with pytest.raises(ConfigError, match=r"audio\[1\]\.track: -?\d+ is no track; 1 is the first"):
        parse_profile(f"[[audio]]\ntrack={track}", "made")


def copied(text: str, *codecs: str):
    tracks = [replace(SOUND, index=place, codec=codec) for place, codec in enumerate(codecs, 1)]
    notes: list[str] = []
    targets = audio_targets(parse_profile(f"copy = true\n{text}", "made"), tracks, notes, silence=False)
    return [(target.name, target.codec, target.track) for target in targets], notes


def test_a_copy_takes_the_first_sound_that_can_be_copied():
    assert copied("", "ac3", "aac") == ([("audio", "copy", 1)], [])


def test_sound_that_cannot_be_copied_is_refused():
    for text, codecs in (("", ["opus"]), ("[[audio]]\ntrack = 1", ["opus", "aac"])):
        with pytest.raises(
            MediaError, match="the source's opus sound cannot be copied into CMAF, only AAC can"
        ):
            copied(text, *codecs)


def test_a_copy_carries_as_many_tracks_as_it_names_and_each_once():
    text = '[[audio]]\nname="a"\ntrack=1\n[[audio]]\nname="b"\ntrack=2\n[[audio]]\nname="c"\ntrack=2'
    assert copied(text, "aac", "aac") == (
        [("a", "copy", 0), ("b", "copy", 1)],
        ["audio 'c': track 2 is copied as 'b': left out"],
    )


def test_the_shipped_copy_is_what_it_was():
    [target] = audio_targets(load_profile("copy"), [SOUND], [], silence=False)
    assert (target.codec, target.sample_rate, target.channels) == ("copy", 44_100, 2)
