"""A short command is mostly start-up: what it does not need is not loaded."""

import json
import subprocess
import sys

import pytest

HEAVY = {"rich", "structlog", "boto3", "botocore", "tenacity", "m3u8", "prometheus_client", "watchdog"}
CODECS = {"abr.transcode", "abr.verify", "abr.demo", "abr.worker.pipeline"}
STEPS = {
    "import abr": {"importlib.metadata"},
    "from abr.cli.commands import abr; abr(['--help'], standalone_mode=False)": {
        "abr.worker", "av", "boto3", "numpy", "msgspec",
    },
    "import abr.cli.vod, abr.config.settings, abr.worker.vod": HEAVY | CODECS,
    "import abr.worker.run": HEAVY | {"abr.verify", "abr.demo"},
    "from abr.config.bucket import S3Origin; from abr.storage import place, s3; s3.S3Store(S3Origin(bucket='live'))": {"boto3", "botocore"},
}  # fmt: skip
"""What a command does one after another, and what must not be loaded after each step."""


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    """The modules of one program after each of its steps."""
    told = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *STEPS], capture_output=True, text=True, timeout=60, check=True
    )
    names = (set(json.loads(line)) for line in told.stdout.splitlines() if line.startswith("["))
    return dict(zip(STEPS, names, strict=True))


_PROGRAM = """
import sys
for step in sys.argv[1:]:
    exec(step)
    names = ", ".join(f'"{name}"' for name in sys.modules)
    print(f"[{names}]")
"""


@pytest.mark.parametrize("step", STEPS)
def test_what_is_not_needed_is_not_loaded(loaded, step):
    assert not loaded[step] & STEPS[step]


def test_the_version_is_found_when_it_is_asked_for():
    import abr

    assert abr.__version__
    with pytest.raises(AttributeError, match="has no attribute 'other'"):
        abr.other  # noqa: B018
