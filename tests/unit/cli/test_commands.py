"""The command line as a person meets it."""

import os
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from abr.__main__ import main
from abr.cli.commands import abr

COMMANDS = ("live", "vod", "demo", "verify", "profile")


def run(*arguments):
    return CliRunner().invoke(abr, list(arguments))


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_shows_an_example(name):
    result = run(name, "--help")
    assert result.exit_code == 0
    assert f"abr {name}" in result.output.split("xample", 1)[1]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_says_what_it_does(name):
    command = abr.get_command(click.Context(abr), name)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


def test_the_first_page_names_every_command():
    output = run("--help").output
    assert all(f"\n  {name} " in output for name in COMMANDS)


def test_an_unknown_command_is_wrong_usage():
    result = run("liv")
    assert result.exit_code == 2
    assert "No such command 'liv'" in result.output


MISTAKES = [
    (["vod", "nothing.mp4", "--to", "out"], "abr: files: there is no file 'nothing.mp4'\n"),
    (
        ["live", "--to", "out"],
        "abr: listen: is missing; say where the feed comes from: listen (RTMP, SRT) or pull (a file or URL)\n",
    ),
    (["live", "--listen", "rtmp://127.0.0.1/live/k", "--to", "out", "--profile", "720"], None),
]


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """An empty folder as the current one; nothing is set in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name != "PATH":
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(("arguments", "sentence"), MISTAKES)
def test_a_mistake_is_one_sentence_and_exit_code_2(arguments, sentence, nowhere, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["abr", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.count("\n") == 1
    assert said.startswith("abr: ")
    assert sentence is None or said == sentence
    assert list(nowhere.iterdir()) == []


def test_the_program_itself_ends_so(tmp_path):
    """As a process of its own, with nothing but its error on stderr."""
    arguments, sentence = MISTAKES[0]
    paths = ":".join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-m", "abr", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PYTHONPATH": paths, "PATH": "/usr/bin"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, "", sentence)
    assert list(tmp_path.iterdir()) == []
