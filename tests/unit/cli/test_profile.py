"""`abr profile`."""

import json

import pytest
from click.testing import CliRunner

from abr.cli.profile import profile
from abr.config.profile import profile_names
from abr.errors import ConfigError


def run(*words):
    return CliRunner().invoke(profile, words, catch_exceptions=False).output


def test_list_names_every_profile_and_what_it_makes():
    lines = run("list").splitlines()
    assert lines[0].split() == ["profile", "what", "it", "makes"]
    assert [line.split()[0] for line in lines[1:]] == list(profile_names())
    assert "720p (default)" in run("list")


def test_show_prints_the_rungs():
    lines = [line.rstrip() for line in run("show", "test").splitlines()]
    assert lines == [
        "test: Two small rungs for tests: 416x234 and 256x144, H.264",
        "rung  size     fps  codec    preset    bitrate  maxrate  bufsize  profile  level",
        "234p  416x234  25   libx264  veryfast  365k     400k     400k     main     1.3",
        "144p  256x144  25   libx264  veryfast  145k     160k     160k     main     1.2",
        "audio  codec  bitrate  channels  language",
        "audio  aac    96k      2",
        "segments of 1.92s, live window 5min",
    ]


def test_show_assumes_the_frame_rate_it_is_given():
    assert "segments of 2.002s" in run("show", "test", "--fps", "29.97")
    assert "30000/1001" in run("show", "test", "--fps", "29.97")


def test_show_json_has_plain_numbers():
    shown = json.loads(run("show", "720p", "--json"))
    assert (shown["segment"], shown["window"], shown["copy"]) == (1.92, 300, False)
    top = shown["video"][0]
    wanted = {
        "name": "720p", "width": 1280, "height": 720, "fps": 25, "codec": "libx264", "bitrate": 3_000_000,
        "maxrate": 3_300_000, "bufsize": 3_300_000, "preset": "veryfast", "profile": "high", "level": "3.1",
    }  # fmt: skip
    assert wanted.items() <= top.items()
    assert shown["audio"][0]["bitrate"] == 128_000
    assert [rung["name"] for rung in shown["video"]] == ["720p", "540p", "360p", "234p"]


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_can_be_shown(name):
    assert run("show", name).startswith(f"{name}: ")
    assert json.loads(run("show", name, "--json"))["name"] == name


def test_check_says_that_a_file_is_fine(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('window = "30min"\n[[video]]\nsize = "640x360"\nbitrate = "800k"\n')
    output = run("check", str(path))
    assert output.startswith("note: window: 30min makes long playlists")
    assert output.endswith("own.toml: fine, 1 rung and 0 audio renditions\n")


def test_check_asks_the_encoder_about_its_options(tmp_path):
    path = tmp_path / "own.toml"
    rung = '[[video]]\nname = "{}"\nsize = "{}"\nbitrate = "{}"\n'
    path.write_text(
        rung.format("hi", "640x360", "800k")
        + rung.format("lo", "256x144", "100k")
        + "options = {bogus = 1}\n"
    )
    with pytest.raises(ConfigError, match=r"^video\[2\]\.options\.bogus: libx264 has no such option"):
        run("check", str(path))


def test_a_rate_that_no_encoder_reaches_is_refused(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('[[video]]\nsize = "1280x720"\nbitrate = "20k"\n')
    with pytest.raises(
        ConfigError, match=r"^video\[1\]\.bitrate: 22k cannot be met by 1280x720; give it at least"
    ):
        run("check", str(path))


def test_mistakes_reach_the_caller_with_their_path(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('[[video]]\nsize = "640x360"\nbitrate = "fast"\n')
    for words in (["check", str(path)], ["show", str(path)]):
        with pytest.raises(ConfigError, match=r"^video\[1\]\.bitrate: 'fast' is not a bitrate"):
            run(*words)
    with pytest.raises(ConfigError, match=r"^--fps: "):
        run("show", "test", "--fps", "fast")


@pytest.mark.parametrize("command", ["list", "show", "check"])
def test_every_command_has_an_example(command):
    assert f"abr profile {command}" in run(command, "--help")
