"""docs/configuration.md names every key and its examples load."""

import re
from pathlib import Path

import pytest

from abr.config.audio import AudioTable
from abr.config.bucket import S3Origin
from abr.config.encoder import ENCODERS
from abr.config.origin import DirectoryOrigin, OriginTable, read_origin
from abr.config.profile import ProfileTable, parse_profile, profile_names
from abr.config.rung import RungTable
from abr.config.schema import keys, parse_table, parse_toml
from abr.config.settings import LiveTable

TEXT = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text("utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("table", [ProfileTable, RungTable, AudioTable, LiveTable, OriginTable])
def test_every_key_is_explained(table):
    written = set(keys(table)) - {"video", "audio"}
    assert {key for key in written if not re.search(rf"^\| .*`{key}`", TEXT, re.MULTILINE)} == set()


def test_every_profile_and_encoder_is_named():
    assert {name for name in (*profile_names(), *ENCODERS) if f"`{name}`" not in TEXT} == set()


def test_the_examples_load():
    profile, channel, tables = EXAMPLES
    assert [rung.name for rung in parse_profile(profile, "news").video] == ["720p", "360p"]
    for example in (channel, tables):
        origins = parse_table(LiveTable, parse_toml(example, "channel.toml")).to
        assert [type(read_origin(origin, Path())) for origin in origins] == [DirectoryOrigin, S3Origin]
