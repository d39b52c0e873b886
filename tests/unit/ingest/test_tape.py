"""Files of a feed on disk: when one ends, which ones go, and when there is no room."""

from pathlib import Path

import pytest

from abr.files import Space
from abr.formats.piece import Piece
from abr.ingest.tape import Shelf, Tape

NANO = 1_000_000_000
NOON = 1_784_980_800 * NANO  # 2026-07-25T12:00:00Z
HOUR = 3600 * NANO
WIDE = Space(1 << 40, 1 << 41)
KEY, INTER = Piece(b"key!", start=True, opening=b"head"), Piece(b"next")


def shelf(folder: Path, quota: int = 1 << 30, space: Space = WIDE) -> Shelf:
    return Shelf(folder, "tv", quota, lambda _: space)


def written(tape: Tape, *entries: tuple[Piece, int]) -> list[int]:
    return [tape.write(piece, wall) for piece, wall in entries]


def names(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_file_an_hour_from_the_first_key_frame_on(tmp_path: Path) -> None:
    tape = Tape(shelf(tmp_path / "new"), "flv")
    late = NOON + HOUR - 1
    entries = [
        (INTER, NOON),
        (KEY, late),
        (INTER, late),
        (INTER, late + 1),
        (KEY, late + NANO),
        (INTER, late + NANO),
    ]
    assert written(tape, *entries) == [0, 8, 4, 4, 8, 4]
    assert names(tmp_path / "new") == {
        "tv-20260725T125959Z-1.flv": b"headkey!nextnext",
        "tv-20260725T130000Z-2.flv": b"headkey!next",
    }


def test_a_hole_ends_a_file(tmp_path: Path) -> None:
    tape = Tape(shelf(tmp_path), "mpegts")
    written(tape, (KEY, NOON), (INTER, NOON))
    tape.write(KEY, NOON, holed=True)
    assert list(names(tmp_path)) == ["tv-20260725T120000Z-1.ts", "tv-20260725T120000Z-2.ts"]


def test_a_file_ends_when_it_is_an_eighth_of_the_quota(tmp_path: Path) -> None:
    tape = Tape(shelf(tmp_path, quota=80), "flv")
    written(tape, (KEY, NOON), (KEY, NOON), (KEY, NOON))
    assert list(names(tmp_path).values()) == [b"headkey!key!", b"headkey!"]


def test_a_closed_tape_begins_a_new_file(tmp_path: Path) -> None:
    tape = Tape(shelf(tmp_path), "flv")
    written(tape, (KEY, NOON))
    tape.close()
    assert tape.path is None
    assert written(tape, (INTER, NOON), (KEY, NOON)) == [0, 8]


def test_a_name_that_is_taken_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "tv-20260725T120000Z-1.flv").write_bytes(b"mine")
    written(Tape(shelf(tmp_path), "flv"), (KEY, NOON))
    assert list(names(tmp_path).values()) == [b"mine", b"headkey!"]


def filled(folder: Path, count: int = 12) -> list[str]:
    """Files of ten bytes, the oldest first; 10 and 11 follow 9."""
    for number in range(1, count + 1):
        (folder / f"tv-20260725T12000{number // 10}Z-{number}.flv").write_bytes(b"0123456789")
    return [f"tv-20260725T12000{number // 10}Z-{number}.flv" for number in range(1, count + 1)]


def test_the_oldest_files_go_until_the_quota_is_kept(tmp_path: Path) -> None:
    all_names = filled(tmp_path)
    look = shelf(tmp_path, quota=45).trim([])
    assert look == (8, 4, 40, True)
    assert set(names(tmp_path)) == set(all_names[-4:])


def test_files_that_grow_and_files_of_others_stay(tmp_path: Path) -> None:
    others = [
        "tv2-20260725T120000Z-1.flv",
        "tv-20260725T120000Z-1.flv.bak",
        "tv-yesterday-1.flv",
        "notes.txt",
    ]
    for name in others:
        (tmp_path / name).write_bytes(b"x" * 100)
    (oldest, *_) = filled(tmp_path, 3)
    look = shelf(tmp_path, quota=15).trim([tmp_path / oldest])
    assert look == (2, 1, 10, True)
    assert set(names(tmp_path)) == {oldest, *others}


def test_a_disk_that_is_nearly_full_loses_all_of_them(tmp_path: Path) -> None:
    """They are the first to go: others need the space more."""
    filled(tmp_path, 3)
    assert shelf(tmp_path, space=Space(999, 20_000)).trim([]) == (3, 0, 0, False)


@pytest.mark.parametrize(
    ("free", "total", "once", "twice"),
    [
        (1000, 20_000, True, False),
        (999, 20_000, False, False),
        (2000, 20_000, True, True),
        (2 << 30, 1 << 50, True, False),
        (4 << 30, 1 << 50, True, True),
    ],
)
def test_a_twentieth_of_a_small_disk_or_two_gibibytes_stay_free(
    tmp_path: Path, free: int, total: int, once: bool, twice: bool
) -> None:
    found = shelf(tmp_path, space=Space(free, total))
    assert (found.has_room(), found.has_room(twice=True)) == (once, twice)


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert shelf(tmp_path / "none").kept() == []


def test_the_disk_is_looked_at_with_each_file_and_every_four_mebibytes(tmp_path: Path) -> None:
    tape = Tape(shelf(tmp_path), "flv")
    block = Piece(bytes(1 << 20))
    looks = []
    for piece in (KEY, block, block, block, block, block):
        tape.write(piece, NOON)
        looks.append(tape.wants_look())
    assert looks == [True, False, False, False, True, False]
