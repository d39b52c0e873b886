"""The spool: whole files, under their names, only ours."""

import errno
import os
from hashlib import sha256
from pathlib import Path

import pytest

from abr import files
from abr.errors import SpoolError, SpoolFull
from abr.journal.record import InitRow
from abr.journal.spool import Spool
from abr.model.segment import Part, Segment, SegmentRow

DATA = b"styp moof mdat" * 100
SEGMENT = Segment("720p", 42, 7_560_000, 180_000, DATA, 24, 300, (Part(180_000, len(DATA), True),))


@pytest.fixture(params=[True, False], ids=["durable", "quick"])
def spool(request: pytest.FixtureRequest, tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", durable=request.param)


def test_a_segment_is_a_file_and_a_row(spool: Spool, tmp_path: Path) -> None:
    row = spool.write("S1", SEGMENT, slate=True, shed=1)
    assert row == SegmentRow(
        "S1",
        "720p",
        42,
        7_560_000,
        180_000,
        1400,
        sha256(DATA).hexdigest(),
        24,
        300,
        SEGMENT.parts,
        slate=True,
        shed=1,
    )
    assert spool.path("S1", "720p", 42) == tmp_path / "spool/S1/720p/42.m4s"
    assert spool.path("S1", "720p", 42).read_bytes() == DATA
    assert spool.write_init("S1", "720p", b"ftyp") == InitRow(sha256(b"ftyp").hexdigest(), 4)
    assert spool.path("S1", "720p", None).read_bytes() == b"ftyp"
    assert spool.size() == 1404


def test_a_second_name_of_a_file_never_changes(spool: Spool, tmp_path: Path) -> None:
    """What an origin's folder has linked stays, though the same number is written again."""
    spool.write("S1", SEGMENT)
    os.link(spool.path("S1", "720p", 42), tmp_path / "published.m4s")
    spool.write("S1", SEGMENT._replace(data=b"other"))
    assert (tmp_path / "published.m4s").read_bytes() == DATA
    assert spool.path("S1", "720p", 42).read_bytes() == b"other"


def test_what_is_removed_is_gone_and_may_be_removed_again(spool: Spool, tmp_path: Path) -> None:
    for number in (1, 2):
        spool.write("S1", SEGMENT._replace(number=number))
    spool.write_init("S1", "720p", b"ftyp")
    spool.write("S2", SEGMENT)
    for _ in range(2):
        spool.remove("S1", "720p", 1)
    assert [path.name for path in spool.orphans(())] == ["2.m4s", "init.mp4", "42.m4s"]
    for _ in range(2):
        spool.remove_session("S1")
    assert sorted(path.name for path in (tmp_path / "spool").iterdir()) == ["S2"]


def test_files_that_no_row_names_are_orphans(spool: Spool, tmp_path: Path) -> None:
    """Segments of a worker that died before its commit, unfinished files, and what is not ours to name."""
    spool.write_init("S1", "720p", b"ftyp")
    for number in (1, 2):
        spool.write("S1", SEGMENT._replace(number=number))
    strange = tmp_path / "spool/S1/720p/.1.m4s.abc123"
    strange.touch()
    orphans = spool.orphans({("S1", "720p", None), ("S1", "720p", 1)})
    assert orphans == [strange, tmp_path / "spool/S1/720p/2.m4s"]
    spool.discard(orphans)
    assert spool.orphans({("S1", "720p", None), ("S1", "720p", 1)}) == []


def test_an_empty_spool_has_no_orphans(spool: Spool) -> None:
    assert spool.orphans(()) == []
    assert spool.size() == 0


def test_a_full_disk_leaves_no_part_of_a_file(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(path: str, data: bytes, *, durable: bool) -> None:
        Path(path).write_bytes(data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "write_new", fill)
    with pytest.raises(SpoolFull, match=f"{tmp_path}/spool: no space is left for segments") as caught:
        spool.write("S1", SEGMENT)
    assert caught.value.retry
    assert not spool.path("S1", "720p", 42).exists()


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "spool").touch()
    with pytest.raises(SpoolError, match="spool cannot be used") as caught:
        Spool(tmp_path / "spool", durable=False).write("S1", SEGMENT)
    assert "--state" in caught.value.hint
