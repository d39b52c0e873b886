"""SIGKILL at any instant: what lies at the origins, in the spool and in the journal agrees, each time again."""

import hashlib
import random
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from lxml import etree

from abr.journal.journal import Journal
from abr.journal.spool import Spool
from tests.e2e.processes import ROOT, Program
from tests.fakes.origins import listed

pytestmark = pytest.mark.faults
SOON = 60
DASH = {"d": "urn:mpeg:dash:schema:mpd:2011"}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.timeout(300)
def test_a_worker_that_is_killed_leaves_nothing_that_lies(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    origins = [tmp_path / "eu", tmp_path / "us"]
    for life in range(5):
        _live_and_die(tmp_path, f"{life:x}", origins, chance)
        with closing(Journal.open(tmp_path / "state" / "journal.db")) as journal:
            _check_spool(journal, tmp_path / "state" / "spool", origins)
            for origin in origins:
                _check_origin(journal, origin)
    _check_database(tmp_path / "state" / "journal.db")
    assert list(tmp_path.glob("*/main/index.m3u8")), "no life was long enough to show anything"


def _live_and_die(folder: Path, tag: str, origins: list[Path], chance: random.Random) -> None:
    """A worker packages some segments and is killed between any two steps of its threads."""
    command = [sys.executable, "-m", "tests.fakes.mortal", "../state", tag, *map(str, origins)]
    program = Program(folder / "run", tag, command, {"PYTHONPATH": str(ROOT)})
    try:
        enough = chance.choice([1, 2, 5, 12])
        program.until("releases", lambda: program.out.count("\n") >= enough, SOON, pace=0.002)
        time.sleep(chance.random() / 20)
    finally:
        program.kill()


def _check_spool(journal: Journal, folder: Path, origins: list[Path]) -> None:
    """What an origin has not confirmed lies in the spool, whole."""
    spool = Spool(folder, durable=False)
    rows = 0
    for origin in origins:
        lacks = journal.unconfirmed(str(origin))
        for init in lacks.inits:
            assert _hash(spool.path(init.session, init.rendition, None)) == init.row.sha256
        for row in (row for release in lacks.releases for row in release.rows):
            assert _hash(spool.path(row.session, row.rendition, row.number)) == row.sha256
            rows += 1
    assert rows + sum(len(journal.confirmed(str(origin))) for origin in origins) > 0


def _check_origin(journal: Journal, origin: Path) -> None:
    """What the journal calls confirmed is there as it says, and playlists name nothing else."""
    channel = origin / "main"
    hashes = {
        f"{row.rendition}/{row.session}/{row.number}.m4s": (row.size, row.sha256)
        for release in journal.releases()
        for row in release.rows
    }
    confirmed = set()
    for item in journal.confirmed(str(origin)):
        name = "init.mp4" if item.number is None else f"{item.number}.m4s"
        key = f"{item.rendition}/{item.session}/{name}"
        confirmed.add(key)
        assert (channel / key).stat().st_size == item.size
        if item.number is not None:
            assert (item.size, _hash(channel / key)) == hashes[key]
    for playlist in channel.glob("*/index.m3u8"):
        assert _named(playlist) <= confirmed
    if (channel / "manifest.mpd").exists():
        assert _timed(channel / "manifest.mpd") <= confirmed
    if (channel / "index.m3u8").exists():
        names = listed((channel / "index.m3u8").read_bytes())
        assert names
        assert all((channel / name).is_file() for name in names)


def _named(playlist: Path) -> set[str]:
    """The keys, below the channel, that a media playlist names. It is whole: it ends where a line ends."""
    text = playlist.read_text()
    assert text.startswith("#EXTM3U\n")
    assert text.endswith("\n")
    names = listed(text.encode())
    assert len(names) >= 3
    assert len(names) == text.count("#EXTINF:")
    maps = [line.split('"')[1] for line in text.splitlines() if line.startswith("#EXT-X-MAP:")]
    assert maps
    return {f"{playlist.parent.name}/{name}" for name in (*names, *maps)}


def _timed(manifest: Path) -> set[str]:
    """The keys that a manifest names."""
    keys = set()
    for template in etree.parse(manifest).iterfind(".//d:SegmentTemplate", DASH):
        count = sum(1 + int(item.get("r", 0)) for item in template.iterfind(".//d:S", DASH))
        first = int(template.get("startNumber"))
        for representation in template.getparent().iterfind("d:Representation", DASH):
            names = [template.get("initialization")]
            names += [template.get("media").replace("$Number$", str(first + place)) for place in range(count)]
            keys |= {name.replace("$RepresentationID$", representation.get("id")) for name in names}
    assert keys
    return keys


def _check_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
