"""A short command is mostly start-up: what it does not need is not loaded."""

import subprocess
import sys

import pytest

HEAVY = {"rich", "structlog", "boto3", "botocore", "tenacity", "m3u8", "prometheus_client", "watchdog"}
CODECS = {"abr.transcode", "abr.verify", "abr.demo", "abr.worker.pipeline"}


def loaded(code: str) -> set[str]:
    """The modules that a program has loaded at its end."""
    told = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(told.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import abr", {"importlib.metadata"}),
        ("import abr.cli.commands", {"abr.worker", "av", "numpy", "msgspec"}),
        ("import abr.cli.vod, abr.config.settings, abr.worker.vod", HEAVY | CODECS),
        ("import abr.worker.run", HEAVY | {"abr.verify", "abr.demo"}),
    ],
)
def test_what_is_not_needed_is_not_loaded(code, absent):
    assert not loaded(code) & absent


def test_the_version_is_found_when_it_is_asked_for():
    import abr

    assert abr.__version__
    with pytest.raises(AttributeError, match="has no attribute 'other'"):
        abr.other  # noqa: B018
