"""Profiles: what ships, what is refused, and how a mistake is told."""

from fractions import Fraction

import pytest

from abr.config.profile import DEFAULT_PROFILE, load_profile, parse_profile, profile_names
from abr.errors import ConfigError

GOOD = """
description = "two rungs"
segment = "2s"
[[video]]
name = "hd"
size = "1280x720"
bitrate = "2.5M"
[[video]]
name = "sd"
width = 640
height = 360
bitrate = "800k"
[[audio]]
bitrate = "128k"
"""


def mistake(text):
    with pytest.raises(ConfigError) as caught:
        parse_profile(text, "news", file="news.toml")
    return caught.value


def changed(old, new):
    assert GOOD.count(old) >= 1
    return mistake(GOOD.replace(old, new, 1))


def test_what_is_not_said_is_filled_in():
    profile = parse_profile(GOOD, "news")
    hd, sd = profile.video
    assert (hd.name, hd.width, hd.height, hd.encoder.name, hd.preset) == (
        "hd",
        1280,
        720,
        "libx264",
        "veryfast",
    )
    assert (hd.bitrate, hd.maxrate, hd.bufsize, hd.profile) == (2_500_000, 2_750_000, 2_750_000, "high")
    assert (sd.width, sd.height, str(sd.fps)) == (640, 360, "source")
    assert [(track.name, track.channels) for track in profile.audio] == [("audio", 2)]
    assert (profile.segment, profile.window, profile.warnings) == (2, 300, ())


@pytest.mark.parametrize("name", profile_names())
def test_every_shipped_profile_is_right(name):
    profile = load_profile(name)
    assert profile.name == name
    assert profile.description
    assert not profile.warnings
    assert all(rung.bufsize == rung.maxrate for rung in profile.video)


def test_the_shipped_profiles():
    names = ("1080p", "1080p-hevc", "720p", "audio", "av1", "copy", "demo", "lowlatency-encode", "test")
    assert profile_names() == names
    assert DEFAULT_PROFILE in names
    assert [(rung.width, rung.height) for rung in load_profile("test").video] == [(416, 234), (256, 144)]
    assert [rung.width for rung in load_profile("demo").video] == [640, 416, 256]
    assert [rung.height for rung in load_profile("720p").video] == [720, 540, 360, 234]
    assert load_profile("copy").copy


def test_a_file_is_loaded_and_named_in_its_mistakes(tmp_path):
    path = tmp_path / "news.toml"
    path.write_text(GOOD.replace('"800k"', '"fast"'))
    with pytest.raises(ConfigError) as caught:
        load_profile(str(path))
    assert str(caught.value) == (
        "video[2].bitrate: 'fast' is not a bitrate; write 800k, 2.5M or bits a second (rung 'sd' in news.toml)"
    )
    assert caught.value.path == "video[2].bitrate"
    assert caught.value.exit_code == 2


def test_a_missing_profile_names_the_nearest():
    with pytest.raises(ConfigError, match=r"no profile and no file '1080'; did you mean '1080p'\?"):
        load_profile("1080")


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_profile(str(path))


def test_broken_toml_is_told_with_its_line():
    assert "news.toml is not TOML" in str(mistake("[[video]\n"))
    assert "line 1" in str(mistake("[[video]\n"))


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ("height", "heigth", "video[2].heigth", "unknown key; did you mean 'height'?"),
        ("segment", "segmnt", "segmnt", "unknown key; did you mean 'segment'?"),
        ('"1280x720"', '"1281x720"', "video[1].size", "1281x720 is odd"),
        ("height = 360", "height = 361", "video[2].height", "for example 640x360"),
        ('"1280x720"', '"1280x720"\nwidth = 1280', "video[1].size", "keep one of them"),
        ('size = "1280x720"', "", "video[1].size", 'write size = "1280x720"'),
        ('"1280x720"', '"16x16"', "video[1].size", "out of range"),
        ('"sd"', '"hd"', "video[2].name", "'hd' is the name of video[1] already"),
        ('"sd"', '"audio"', "audio[1].name", "'audio' is the name of video[2] already"),
        ('"sd"', '"S D"', "video[2].name", "is no name"),
        ('"sd"', '"recordings"', "video[2].name", "take another name"),
        ('"1280x720"', '"320x180"', "video[2].size", "640x360 is larger than the rung before it (320x180)"),
        ('"800k"', '"3M"', "video[2].bitrate", "3M is not below the 2.5M of the rung before it"),
        ('"800k"', '"800k"\nmaxrate = "2.75M"', "video[2].maxrate", "not below the 2.75M"),
        ('"2.5M"', '"2.5M"\nmaxrate = "2M"', "video[1].maxrate", "2M is below the bitrate of 2.5M"),
        ('"2.5M"', '"2.5M"\nbufsize = "100k"', "video[1].bufsize", "1 s is 2.75M"),
        ('"2.5M"', '"2.5M"\ncrf = 23', "video[1].maxrate", "crf needs maxrate and bufsize"),
        ('bitrate = "2.5M"', "", "video[1].bitrate", "is missing"),
        (
            '"2.5M"',
            '"2.5M"\nlevel = "3.0"',
            "video[1].level",
            "level 3.0 allows 1620 macroblocks a picture, not 3600",
        ),
        ('"2.5M"', '"2.5M"\nlevel = 9', "video[1].level", "'9' is no level of libx264"),
        ('"2.5M"', '"2.5M"\nlevel = 3.1\nfps = 50', "video[1].level", "macroblocks a second, not 180000"),
        ('"2.5M"', '"2.5M"\ncodec = "libsvtav"', "video[1].codec", "did you mean 'libsvtav1'?"),
        ('"2.5M"', '"2.5M"\ncodec = "copy"', "video[1].codec", "copy = true"),
        ('"800k"', '"800k"\ncodec = "hevc"', "video[2].codec", "one profile for each"),
        ('"2.5M"', '"2.5M"\ncodec = "av1"', "video[1].crf", "holds a maximum rate only with crf"),
        ('"2.5M"', '"2.5M"\npreset = "fastest"', "video[1].preset", "is no preset of libx264"),
        ('"2.5M"', '"2.5M"\nprofile = "hihg"', "video[1].profile", "did you mean 'high'?"),
        ('"2.5M"', '"2.5M"\nfps = "fast"', "video[1].fps", "is not a frame rate"),
        ('"2.5M"', '"2.5M"\noptions = { bf = [1] }', "video[1].options.bf", "text, a number, true or false"),
        ('"2.5M"', '"2.5M"\noptions = { g = 12 }', "video[1].options.g", "cannot be set for libx264"),
        ('"2.5M"', '"2.5M"\noptions = 3', "video[1].options", "3 is not a table"),
        ("width = 640", 'width = "640"', "video[2].width", "'640' is not a whole number"),
        ('"two rungs"', "2", "description", "2 is not text; put it in quotes"),
        ('"2s"', '"20s"', "segment", "out of range"),
        ('"2s"', '"2s"\nwindow = "5h"', "window", "at most 4h"),
        ('"2s"', '"2s"\nwindow = "5s"', "window", "at least six segments, 12s"),
        ('"2s"', '"2s"\ncopy = true', "copy", "has no rungs"),
        ('"2s"', '"2s"\ncopy = 1', "copy", "1 is not true or false"),
        ('"128k"', '"8k"', "audio[1].bitrate", "2 channels take 32k to 512k"),
        ('"128k"', '"128k"\nchannels = 3', "audio[1].channels", "write 1, 2 or 6"),
        ('"128k"', '"128k"\ncodec = "mp3"', "audio[1].codec", "is no audio encoder"),
        ('"128k"', '"128k"\nlanguage = "english!"', "audio[1].language", "write for example en"),
        ('"128k"', '"128k"\nlabel = \'a "b"\'', "audio[1].label", "without double quotes"),
    ],
)
def test_each_mistake_has_its_path_its_value_and_its_cure(old, new, path, words):
    error = changed(old, new)
    assert error.path == path
    assert words in str(error)
    assert str(error).endswith("in news.toml)")


def test_an_empty_profile_is_refused():
    assert mistake("").path == "video"


def test_a_long_window_is_allowed_and_warned_of():
    warnings = parse_profile(GOOD.replace('"2s"', '"2s"\nwindow = "30min"'), "news").warnings
    assert warnings == ("window: 30min makes long playlists; above 15min every reload costs the viewer",)


def test_capped_quality_is_taken_with_its_bounds():
    text = GOOD.replace('bitrate = "2.5M"', 'crf = 21.5\nmaxrate = "3M"\nbufsize = "3M"')
    rung = parse_profile(text, "news").video[0]
    assert (rung.crf, rung.bitrate, rung.maxrate) == (Fraction(43, 2), 3_000_000, 3_000_000)


def test_two_rungs_of_one_size_may_differ_in_rate_alone():
    text = GOOD.replace("640", "1280").replace("360", "720")
    assert [rung.bitrate for rung in parse_profile(text, "news").video] == [2_500_000, 800_000]


@pytest.mark.parametrize("level", ["4", "4.0", "level = 4", "level = 4.0"])
def test_a_level_may_be_written_as_a_number(level):
    line = level if "=" in level else f'level = "{level}"'
    assert parse_profile(GOOD.replace('"2.5M"', f'"2.5M"\n{line}'), "news").video[0].level == "4.0"


def test_a_loudness_is_asked_for_in_the_audio_table():
    text = GOOD.replace('bitrate = "128k"', 'bitrate = "128k"\nloudness = "-23 LUFS"')
    assert parse_profile(text, "news").audio[0].loudness == -23.0
    assert parse_profile(GOOD, "news").audio[0].loudness is None
    error = changed('bitrate = "128k"', 'loudness = "loud"')
    assert str(error) == "audio[1].loudness: 'loud' is not a loudness; write -23 LUFS (in news.toml)"
