"""Every kind of mistake that a table can hold, with its path and its whole sentence."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abr.config.schema import Table, keys, nearest, parse_table, parse_toml, path_text, root_key
from abr.config.written import Bitrate, Duration, RateText, SizeText, Word
from abr.errors import ConfigError


class Rung(Table, frozen=True):
    name: str
    bitrate: Bitrate | None = None
    size: SizeText | None = None
    fps: RateText = RateText("source")
    crf: int | float | None = None
    level: Word | None = None
    width: int = 0
    options: dict[str, Any] | None = None


class Ladder(Table, frozen=True):
    title: str = ""
    length: Duration = Fraction(2)
    live: bool = False
    main: Rung | None = None
    video: tuple[Rung, ...] = ()
    to: tuple[str, ...] = ()


def mistake(text, **more):
    with pytest.raises(ConfigError) as caught:
        parse_table(Ladder, {**parse_toml(text, "ladder.toml"), **more})
    assert caught.value.__cause__ is None
    return str(caught.value)


def rung(line):
    return f'[[video]]\nname = "one"\n[[video]]\nname = "two"\n{line}\n'


def test_what_is_written_becomes_values():
    text = 'length = 1.92\nto = ["a", "b"]\n' + rung('bitrate = "2.5M"\nlevel = 4.0\noptions = { bf = 2 }')
    table = parse_table(Ladder, parse_toml(text, "ladder.toml"))
    assert (table.title, table.length, table.live, table.to) == ("", Fraction(48, 25), False, ("a", "b"))
    assert table.video == (
        Rung(name="one"),
        Rung(name="two", bitrate=Bitrate(2_500_000), level=Word("4.0"), options={"bf": 2}),
    )


def test_a_checked_table_does_not_change():
    table = parse_table(Rung, {"name": "one"})
    with pytest.raises(AttributeError):
        table.name = "two"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('titel = "x"', "titel: unknown key; did you mean 'title'?"),
        ("zzz = 1", "zzz: unknown key; known: length, live, main, title, to, video"),
        ('[main]\nname = "x"\nbitrat = 1', "main.bitrat: unknown key; did you mean 'bitrate'?"),
        (rung("widht = 1"), "video[2].widht: unknown key; did you mean 'width'?"),
        ('"x - at `$.to" = 1', "x - at `$.to: unknown key; known: length, live, main, title, to, video"),
        (rung('"x` - at `$.to" = 1'), "video[2].x` - at `$.to: unknown key; known: "),
    ],
)
def test_an_unknown_key_is_named_where_it_stands(text, sentence):
    assert mistake(text).startswith(sentence)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("[main]", "main.name: is missing"), ('[[video]]\nname = "x"\n[[video]]', "video[2].name: is missing")],
)
def test_a_missing_key_is_named(text, sentence):
    assert mistake(text) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("title = 2", "title: 2 is not text; put it in quotes"),
        ("title = true", "title: True is not text; put it in quotes"),
        ("title = ['a']", "title: ['a'] is not text; put it in quotes"),
        ("title = 2026-01-02", "title: datetime.date(2026, 1, 2) is not text; put it in quotes"),
        ("live = 1", "live: 1 is not true or false"),
        ("live = 'true'", "live: 'true' is not true or false"),
        ("to = 'a'", "to: 'a' is not a list"),
        ("to = { a = 1 }", "to: {'a': 1} is not a list"),
        ("to = ['a', 1]", "to[2]: 1 is not text; put it in quotes"),
        ("main = 3", "main: 3 is not a table"),
        ("main = []", "main: [] is not a table"),
        ("video = [3]", "video[1]: 3 is not a table"),
        ("[video]\nname = 'x'", "video: {'name': 'x'} is not a list"),
        (rung("width = 640.0"), "video[2].width: 640.0 is not a whole number"),
        (rung("width = '640'"), "video[2].width: '640' is not a whole number"),
        (rung("width = true"), "video[2].width: True is not a whole number"),
        (rung("crf = true"), "video[2].crf: True is not a number"),
        (rung("crf = '20'"), "video[2].crf: '20' is not a number"),
        (rung("options = 3"), "video[2].options: 3 is not a table"),
        (rung("options = [1]"), "video[2].options: [1] is not a table"),
        (rung("level = true"), "video[2].level: True is not text; put it in quotes"),
        (rung("level = [4]"), "video[2].level: [4] is not text; put it in quotes"),
    ],
)
def test_nothing_is_converted_silently(text, sentence):
    assert mistake(text) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("length = 'long'", "length: 'long' is not a duration; write 2s, 1500ms, 5min or seconds"),
        ("length = true", "length: True is not a duration; write 2s, 1500ms, 5min or seconds"),
        (
            rung("bitrate = 'fast'"),
            "video[2].bitrate: 'fast' is not a bitrate; write 800k, 2.5M or bits a second",
        ),
        (
            rung("bitrate = '1 - at `$.to'"),
            "video[2].bitrate: '1 - at `$.to' is not a bitrate; write 800k, 2.5M or bits a second",
        ),
        (
            rung("size = [1280, 720]"),
            "video[2].size: [1280, 720] is not a size; write width and height, for example 1280x720",
        ),
        (rung("fps = 'fast'"), "video[2].fps: 'fast' is not a frame rate; write 25, 29.97 or 30000/1001"),
        ("main = { name = 'x', fps = 0.5 }", "main.fps: 0.5 is no frame rate; write one from 1 to 300"),
    ],
)
def test_a_value_that_its_reader_refuses_is_told_in_the_readers_words(text, sentence):
    assert mistake(text) == sentence


@pytest.mark.parametrize("number", [20, 20.5])
def test_a_whole_number_and_a_broken_one_stay_what_they_are(number):
    crf = parse_table(Rung, {"name": "x", "crf": number}).crf
    assert (crf, type(crf)) == (number, type(number))


def test_a_value_that_has_its_type_already_is_left_alone():
    assert parse_table(Ladder, {"length": Fraction(1, 3)}).length == Fraction(1, 3)


def test_a_value_is_shown_short_and_without_its_secret():
    secret = mistake("", to=["a", {"listen": "rtmp://h/live/hunter2"}])
    assert secret == "to[2]: {'listen': 'rtmp://h/live/*** is not text; put it in quotes"
    assert mistake(f"live = '{'x' * 60}'") == f"live: '{'x' * 36}… is not true or false"


def test_text_that_is_no_toml_is_refused_with_its_file():
    with pytest.raises(ConfigError, match=r"^ladder\.toml is not TOML: .*line 1") as caught:
        parse_toml("= 1", "ladder.toml")
    assert caught.value.path == ""
    with pytest.raises(ConfigError, match=r"^ladder\.toml is not TOML: "):
        parse_toml(f"a = {'1' * 5000}", "ladder.toml")


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*keys(Ladder), *keys(Rung), "x` - at `$.to"]), _VALUES, max_size=3))
def test_whatever_stands_in_a_file_gives_a_table_or_one_mistake(raw):
    for table in (raw, {"video": [raw]}, {"main": raw}):
        try:
            assert parse_table(Ladder, table) is not None
        except ConfigError as error:
            assert error.path  # noqa: PT017 - either end is right


def test_the_keys_of_a_table():
    assert keys(Ladder) == ("title", "length", "live", "main", "video", "to")


def test_places_as_they_are_written():
    assert path_text(("video", 1, "options", "bf")) == "video[2].options.bf"
    assert [root_key(path) for path in ("to[2].region", "main.name", "title")] == ["to", "main", "title"]


def test_the_nearest_word_or_all_words():
    assert nearest("hieght", ["height", "width"]) == "; did you mean 'height'?"
    assert nearest("zzz", ["width", "height"]) == "; known: height, width"
