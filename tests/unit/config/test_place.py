"""Paths as the user writes them."""

from pathlib import Path

import pytest

from abr.config.place import parse_path
from abr.errors import ConfigError


def test_a_relative_path_starts_from_its_base():
    assert parse_path("in/a.mp4", Path("/srv"), "pull") == Path("/srv/in/a.mp4")
    assert parse_path("/in/a.mp4", Path("/srv"), "pull") == Path("/in/a.mp4")
    assert parse_path("~/a.mp4", Path("/srv"), "pull") == Path.home() / "a.mp4"


def test_a_home_that_nobody_has_is_one_sentence():
    with pytest.raises(ConfigError, match=r"^state: '~0' begins with a home that is not known"):
        parse_path("~0", Path(), "state")
