"""The command line as a person meets it."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

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


def test_help_loads_neither_ffmpeg_nor_the_stores():
    code = "import sys; from abr.cli.commands import abr; abr(['--help'], standalone_mode=False); "
    code += "sys.exit(bool({'av', 'boto3', 'numpy', 'msgspec'} & sys.modules.keys()))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=30).returncode
        == 0
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["vod", "nothing.mp4", "--to", "out"], "abr: files: there is no file 'nothing.mp4'\n"),
        (
            ["live", "--to", "out"],
            "abr: listen: is missing; say where the feed comes from: listen (RTMP) or pull (a file or URL)\n",
        ),
        (["live", "--listen", "rtmp://127.0.0.1/live/k", "--to", "out", "--profile", "720"], None),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(arguments, sentence, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "abr", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        cwd=tmp_path,
        env={
            "HOME": str(tmp_path),
            "PYTHONPATH": ":".join(path for path in sys.path if path),
            "PATH": "/usr/bin",
        },
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("abr: ")
    assert sentence is None or done.stderr == sentence
    assert list(tmp_path.iterdir()) == []
