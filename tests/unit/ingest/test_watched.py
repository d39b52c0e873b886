"""Values made of files."""

from pathlib import Path

import pytest

from abr.errors import ConfigError
from abr.ingest.watched import Watched
from tests.fakes.log import KeptLines


class Shelf:
    """A file that holds a word, and how often it was read."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "word"
        self.reads = 0
        self.log = KeptLines()

    def load(self) -> str:
        self.reads += 1
        if not self.path.exists() or not (text := self.path.read_text()):
            raise ConfigError("word", "is missing")
        return text

    def watched(self) -> Watched[str]:
        return Watched("word", (self.path,), self.load, self.log)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def test_a_file_is_read_once_until_it_changes(shelf: Shelf) -> None:
    shelf.path.write_text("old")
    watched = shelf.watched()
    assert [watched.get(), watched.get(), shelf.reads] == ["old", "old", 1]
    shelf.path.write_text("newer")
    assert [watched.get(), watched.get(), shelf.reads] == ["newer", "newer", 2]
    assert shelf.log.lines == [("word read again", {"level": "info"})]


def test_a_file_replaced_by_another_is_read_again(shelf: Shelf) -> None:
    """As certbot does: a link that points elsewhere."""
    for name in ("one", "two"):
        (shelf.path.parent / name).write_text(name)
    shelf.path.symlink_to("one")
    watched = shelf.watched()
    shelf.path.unlink()
    shelf.path.symlink_to("two")
    assert watched.get() == "two"


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("")])
def test_a_mistake_leaves_the_old_value_with_one_warning(shelf: Shelf, damage) -> None:
    shelf.path.write_text("old")
    watched = shelf.watched()
    damage(shelf.path)
    assert [watched.get(), watched.get()] == ["old", "old"]
    [(event, values)] = shelf.log.lines
    assert (event, values["reason"], values["level"]) == (
        "word not read again",
        "word: is missing",
        "warning",
    )
    shelf.path.write_text("mended")
    assert watched.get() == "mended"


def test_what_cannot_be_read_at_first_is_an_error(shelf: Shelf) -> None:
    with pytest.raises(ConfigError, match="is missing"):
        shelf.watched()
