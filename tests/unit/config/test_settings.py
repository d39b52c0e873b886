"""Channel file, options and environment, merged."""

from fractions import Fraction
from pathlib import Path

import pytest

from abr.config.backup import Backup
from abr.config.loss import Loss
from abr.config.settings import default_state, load_live, load_vod
from abr.errors import ConfigError

HOME = {"HOME": "/home/tv"}
LISTEN = {"listen": "rtmp://0.0.0.0:1935/live/hunter2", "to": ("/srv/out",)}


def live(options=None, environ=None, file=None):
    return load_live(file, {**LISTEN, **(options or {})}, {**HOME, **(environ or {})})


def live_mistake(options=None, environ=None, file=None):
    with pytest.raises(ConfigError) as caught:
        load_live(file, options or {}, {**HOME, **(environ or {})})
    assert "hunter2" not in str(caught.value)
    return caught.value


@pytest.fixture
def channel(tmp_path):
    def write(text):
        path = tmp_path / "channel.toml"
        path.write_text(text)
        return path

    return write


def test_the_defaults():
    settings = live()
    assert [item.name for item in settings.inputs] == ["rtmp://0.0.0.0:1935/live/***"]
    assert settings.backup == Backup(Fraction(10), Fraction(30), Fraction(30), None)
    assert (settings.http, settings.time_url, settings.language) == (None, None, None)
    assert (settings.profile.name, settings.channel, settings.once) == ("720p", "live", False)
    assert (settings.hold, settings.grace) == (1, 30)
    assert settings.loss == Loss(ends=True, hold=Fraction(2), slate=None)
    assert settings.state == Path("/home/tv/.local/state/abr")
    assert [origin.name for origin in settings.to] == ["/srv/out"]


def test_every_option_is_read():
    settings = live({
        "profile": "test", "to": ["a", "s3://bucket/tv"], "channel": "news", "state": "/var/abr", "http": "8080",
        "once": True, "hold": "300ms", "grace": "2min", "time_url": "https://time.example/iso", "language": "de-AT",
    })  # fmt: skip
    assert (settings.profile.name, settings.channel, settings.state) == ("test", "news", Path("/var/abr"))
    assert [origin.name for origin in settings.to] == [str(Path.cwd() / "a"), "s3://bucket/tv"]
    assert (settings.http, settings.once) == (("127.0.0.1", 8080), True)
    assert (settings.hold, settings.grace) == (Fraction(3, 10), 120)
    assert (settings.time_url, settings.language) == ("https://time.example/iso", "de-AT")


def test_options_come_before_the_environment_and_that_before_the_file(channel):
    file = channel('listen = "rtmp://h/file/k"\nto = ["/file"]\nchannel = "file"\n')
    plain = load_live(file, {}, HOME)
    assert (plain.inputs[0].app, plain.channel, plain.to[0].name) == ("file", "file", "/file")
    environ = {**HOME, "ABR_LISTEN": "rtmp://h/env/k", "ABR_TO": "/a /b", "ABR_CHANNEL": "env"}
    both = load_live(file, {}, environ)
    assert (both.inputs[0].app, both.channel, [origin.name for origin in both.to]) == (
        "env",
        "env",
        ["/a", "/b"],
    )
    assert load_live(file, {"channel": "option"}, environ).channel == "option"


def test_an_option_that_was_not_given_hides_nothing(channel):
    file = channel('listen = "rtmp://h/file/k"\nto = ["/file"]\nonce = true\n')
    options = {"listen": None, "pull": None, "to": (), "once": False, "profile": None}
    assert load_live(file, options, HOME).once


def test_a_pull_on_the_command_line_replaces_a_listen_elsewhere(channel, tmp_path):
    film = tmp_path / "Late Film.mp4"
    film.touch()
    file = channel('listen = "rtmp://h/file/k"\nto = ["/file"]\n')
    settings = load_live(file, {"pull": f"{film}?loop"}, {**HOME, "ABR_LISTEN": "rtmp://h/env/k"})
    assert [(item.path, item.loop) for item in settings.inputs] == [(film, True)]
    assert (settings.channel, settings.once) == ("late-film", True)


def test_several_inputs_stand_in_order_of_preference(channel, tmp_path):
    """Those of the key that is written first come first."""
    (tmp_path / "loop.mp4").touch()
    main, spare = "rtmp://h/live/main", "rtmp://h/live/spare"
    file = channel(f'pull = "loop.mp4?loop"\nlisten = ["{main}", "{spare}"]\nto = ["/o"]\n')
    settings = load_live(file, {}, HOME)
    assert [item.name for item in settings.inputs] == [
        str(tmp_path / "loop.mp4"), "rtmp://h:1935/live/***", "rtmp://h:1935/live/***",
    ]  # fmt: skip
    assert [item.key.reveal() for item in settings.inputs[1:]] == ["main", "spare"]
    assert (settings.channel, settings.once) == ("live", False)
    swapped = load_live(file, {"listen": (main,), "pull": (str(tmp_path / "loop.mp4"),)}, HOME)
    assert [item.name for item in swapped.inputs] == ["rtmp://h:1935/live/***", str(tmp_path / "loop.mp4")]
    environ = {**HOME, "ABR_LISTEN": f"{main} {spare}"}
    assert [item.key.reveal() for item in load_live(file, {}, environ).inputs] == ["main", "spare"]


def test_what_a_loss_shows_is_read(channel, tmp_path):
    (tmp_path / "slate.png").touch()
    file = channel(
        'listen = "rtmp://h/file/k"\nto = ["/o"]\non_loss = "slate"\nhold_picture = "5s"\nslate = "slate.png"\n'
    )
    assert load_live(file, {}, HOME).loss == Loss(ends=False, hold=Fraction(5), slate=tmp_path / "slate.png")


def test_when_a_slow_machine_gets_relief_is_read():
    relief = [load_live(None, LISTEN | more, HOME).relief_after for more in ({}, {"relief_after": "0s"})]
    assert relief == [3, 0]
    assert load_live(None, LISTEN, {**HOME, "ABR_RELIEF_AFTER": "10s"}).relief_after == 10


def test_paths_in_a_file_start_from_its_folder(channel, tmp_path):
    (tmp_path / "film.mp4").touch()
    (tmp_path / "own.toml").write_text('[[video]]\nsize = "640x360"\nbitrate = "800k"\n')
    file = channel('pull = "film.mp4"\nto = ["out"]\nstate = "state"\nprofile = "own.toml"\n')
    settings = load_live(file, {}, HOME)
    assert settings.inputs[0].path == tmp_path / "film.mp4"
    assert settings.to[0].name == str(tmp_path / "out")
    assert settings.state == tmp_path / "state"
    assert settings.profile.name == "own"
    assert load_live(file, {"to": ["out"]}, HOME).to[0].name == str(Path.cwd() / "out")


@pytest.mark.parametrize(
    ("options", "path", "words"),
    [
        ({"to": ["/o"]}, "listen", "is missing"),
        ({**LISTEN, "to": []}, "to", "is missing"),
        ({**LISTEN, "pull": "x.mp4"}, "pull", "there is no file 'x.mp4'"),
        ({**LISTEN, "pull": ["https://h/a", "x.mp4"]}, "pull[2]", "there is no file 'x.mp4'"),
        ({**LISTEN, "listen": ["rtmp://h/live/hunter2", "http://h"]}, "listen[2]", "is not an address"),
        ({**LISTEN, "listen": ["rtmp://h/live/hunter2"] * 9}, "listen", "at most 8"),
        ({**LISTEN, "black_after": "10ms"}, "black_after", "1s to 1h, or 0s for never"),
        ({**LISTEN, "return_after": "0s"}, "return_after", "1s to 1h"),
        ({**LISTEN, "relief_after": "1h"}, "relief_after", "1s to 10min, or 0s for never"),
        ({**LISTEN, "input_token": "hunter2"}, "input_token", "at least 8 letters"),
        ({"pull": "no-such.mp4", "to": ["/o"]}, "pull", "there is no file 'no-such.mp4'"),
        ({**LISTEN, "to": ["/o", "gs://b"]}, "to[2]", "is no origin"),
        ({**LISTEN, "to": ["/o", "/o"]}, "to[2]", "is named twice"),
        ({**LISTEN, "channel": "My Show"}, "channel", "for example my-show"),
        ({**LISTEN, "hold": "fast"}, "hold", "'fast' is not a duration"),
        ({**LISTEN, "hold": "1h"}, "hold", "0.1s to 30s"),
        ({**LISTEN, "grace": "2000h"}, "grace", "out of range"),
        ({**LISTEN, "on_loss": "stop"}, "on_loss", "is neither 'end' nor 'slate'"),
        ({**LISTEN, "hold_picture": "40ms"}, "hold_picture", "0.5s to 1h"),
        ({**LISTEN, "slate": "no-such.png"}, "slate", "there is no file '"),
        ({**LISTEN, "http": "here"}, "http", "has no port"),
        ({**LISTEN, "time_url": "ntp://t"}, "time_url", "write https://host/path"),
        ({**LISTEN, "language": "klingon!"}, "language", "is no language tag"),
        ({**LISTEN, "profile": "721p"}, "profile", "did you mean '720p'?"),
        ({**LISTEN, "profile": "copy"}, "profile", "only `abr vod` can"),
        ({**LISTEN, "listen": "rtmp://h:1/live/hunter2/x"}, "listen", "letters that encoders change"),
    ],
)
def test_each_mistake_names_its_key(options, path, words):
    error = live_mistake(options)
    assert error.path == path
    assert words in str(error)


@pytest.mark.parametrize("written", ["918273645", "[91827, 3645]", "9.18273645e8", "{a = 918273645}"])
def test_a_token_that_is_no_text_is_not_shown(channel, written):
    error = live_mistake(LISTEN, file=channel(f"input_token = {written}\n"))
    assert str(error).startswith("input_token: is not text; put it in quotes")
    assert "3645" not in str(error)


def test_a_key_of_the_wrong_type_shows_no_secret(channel):
    error = live_mistake(file=channel('listen = {a = "rtmp://h/live/hunter2"}\n'))
    assert error.path == "listen"


def test_a_misspelt_key_of_a_file_is_named(channel):
    error = live_mistake(file=channel('lisen = "rtmp://h/live/hunter2"\n'))
    assert str(error) == "lisen: unknown key; did you mean 'listen'? (in channel.toml)"


def test_a_missing_file_is_named(tmp_path):
    assert "channel.toml cannot be read: No such file" in str(live_mistake(file=tmp_path / "channel.toml"))


def test_an_address_in_the_place_of_a_file_is_not_shown():
    assert "--listen" in str(live_mistake(file=Path("rtmp://0.0.0.0/live/hunter2")))


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"XDG_STATE_HOME": "/var/state"}, "/var/state/abr"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/root"}, "/root/.local/state/abr"),
        ({"HOME": "/home/tv"}, "/home/tv/.local/state/abr"),
    ],
)
def test_the_state_folder_is_where_state_belongs(environ, folder):
    assert default_state(environ) == Path(folder)


def test_films_become_channels(tmp_path):
    films = [tmp_path / "One.mp4", tmp_path / "two 2.mkv"]
    for film in films:
        film.touch()
    settings = load_vod({"files": tuple(map(str, films)), "to": ["/o"], "profile": "test"}, HOME)
    assert [(film.source.path, film.channel) for film in settings.films] == list(
        zip(films, ["one", "two-2"], strict=True)
    )
    assert (settings.profile.name, settings.state) == ("test", Path("/home/tv/.local/state/abr"))
    assert load_vod({"files": (films[0],), "to": ["/o"], "channel": "tv"}, HOME).films[0].channel == "tv"
    url = "https://host/a/Talk.mp4?token=hunter2"
    assert load_vod({"files": (url,), "to": ["/o"]}, HOME).films[0].channel == "talk"


def test_two_films_of_one_name_show_no_query():
    urls = ("https://h/a.mp4?k=hunter2", "https://h/b/a.mp4?k=hunter2")
    with pytest.raises(ConfigError, match=r"files\[2\]: 'https://h/b/a.mp4' would become channel 'a' too"):
        load_vod({"files": urls, "to": ["/o"]}, HOME)


@pytest.mark.parametrize(
    ("files", "more", "path", "words"),
    [
        ((), {}, "files", "is missing"),
        (("a.mp4", "b.mp4"), {"channel": "x"}, "channel", "several files"),
        (("a.mp4", "A.mkv"), {}, "files[2]", "channel 'a' too"),
        (("no.mp4",), {}, "files", "there is no file 'no.mp4'"),
        (("a.mp4?loop",), {}, "files", "loops"),
    ],
)
def test_each_mistake_with_films_names_its_key(files, more, path, words, tmp_path, monkeypatch):
    for name in ("a.mp4", "b.mp4", "A.mkv"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load_vod({"files": files, "to": ["/o"], **more}, HOME)
    assert caught.value.path == path
    assert words in str(caught.value)


def test_an_origin_may_be_a_table_of_the_channel_file(channel, tmp_path):
    file = channel("""
        listen = "rtmp://h/a/hunter2"
        to = ["/srv", { url = "s3://media", ca = "ca.pem", access_key = "A", secret_key = "hunter2" }]
    """)
    folder, bucket = load_live(file, {}, HOME).to
    assert (folder.name, bucket.name, bucket.ca) == ("/srv", "s3://media", tmp_path / "ca.pem")
    assert bucket.secret_key.reveal() == "hunter2"
    assert load_live(file, {"to": ["/other"]}, HOME).to[0].name == "/other"


@pytest.mark.parametrize(
    ("written", "path", "words"),
    [
        ('["/srv", { url = "s3://media", endpiont = "x" }]', "to[2].endpiont", "did you mean 'endpoint'?"),
        ('[{ endpoint = "https://h" }]', "to[1].url", "is missing"),
        ('["/srv", { url = "s3://media", acl = "open" }]', "to[2].acl", "is not known"),
        ('["/srv", { url = "s3://media", connections = "x" }]', "to[2].connections", "is not a whole number"),
        ('[{ url = "s3://media", session_token = ["hunter2"] }]', "to[1].session_token", "is not text"),
        ("[1]", "to[1]", "is not text or a table"),
    ],
)
def test_a_mistake_in_an_origins_table_names_its_key_and_the_file(channel, written, path, words):
    error = live_mistake(file=channel(f'listen = "rtmp://h/a/k"\nto = {written}\n'))
    assert error.path == path
    assert words in str(error)
    assert str(error).endswith("(in channel.toml)")
