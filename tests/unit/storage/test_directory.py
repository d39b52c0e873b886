"""A folder as a store: what the common contract does not say."""

import errno
import os
from pathlib import Path

import pytest

from abr import files
from abr.errors import SpoolError, StoreDenied, StoreMisconfigured, StoreMissing, StoreUnavailable
from abr.storage.directory import DirectoryStore

PLAIN = ("video/mp4", "public, max-age=1")


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    made = DirectoryStore(tmp_path / "site" / "live", durable=False)
    made.check()
    return made


def test_a_file_becomes_a_second_name_and_not_a_copy(store: DirectoryStore, tmp_path: Path) -> None:
    file = tmp_path / "1.m4s"
    file.write_bytes(b"segment")
    store.put("ch/v/s/1.m4s", file, *PLAIN)
    published = tmp_path / "site/live/ch/v/s/1.m4s"
    assert published.samefile(file)
    store.put("ch/v/s/1.m4s", b"other", *PLAIN)
    assert file.read_bytes() == b"segment"


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_copied_where_it_cannot_be_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durable: bool
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    store = DirectoryStore(tmp_path / "origin", durable=durable)
    store.check()
    file = tmp_path / "1.m4s"
    file.write_bytes(b"segment")
    monkeypatch.setattr(os, "link", refuse)
    store.put("ch/1.m4s", file, *PLAIN)
    assert not (tmp_path / "origin/ch/1.m4s").samefile(file)
    assert store.get("ch/1.m4s").body == b"segment"
    assert [path.name for path in (tmp_path / "origin/ch").iterdir()] == ["1.m4s"]


def test_check_makes_the_folder_and_leaves_nothing(tmp_path: Path) -> None:
    DirectoryStore(tmp_path / "a" / "b").check()
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_file_in_its_place_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "origin").touch()
    with pytest.raises(StoreMisconfigured, match="origin is a file"):
        DirectoryStore(tmp_path / "origin").check()


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("file/below", "Not a directory"),
        ("/proc/abr", "No such file or directory"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_folder_that_cannot_be_made_is_a_mistake_with_a_cure(
    tmp_path: Path, folder: str, reason: str
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreMisconfigured) as raised:
        DirectoryStore(tmp_path / folder, name="out").check()
    cure = f"name another folder, or make {tmp_path / folder} one that can be written to"
    assert str(raised.value) == f"out: cannot make the folder: {reason} ({cure})"


def test_a_root_that_is_gone_is_not_made_again(store: DirectoryStore, tmp_path: Path) -> None:
    """Whoever deleted it, or unmounted it, is told; by every method, check too."""
    (tmp_path / "site/live").rmdir()
    for call in (
        lambda: store.put("a.m4s", b"x", *PLAIN),
        lambda: store.get("a.m4s"),
        lambda: list(store.list("")),
        lambda: store.delete(["a.m4s"]),
        store.check,
    ):
        with pytest.raises(StoreMisconfigured, match="is gone"):
            call()
    assert not (tmp_path / "site/live").exists()


def test_another_folder_under_the_same_name_is_noticed(store: DirectoryStore, tmp_path: Path) -> None:
    (tmp_path / "site/live").rename(tmp_path / "site/old")
    (tmp_path / "site/live").mkdir()
    with pytest.raises(StoreMisconfigured, match="not the folder that it was"):
        store.put("a.m4s", b"x", *PLAIN)
    assert list((tmp_path / "site/live").iterdir()) == []


def test_empty_folders_go_with_their_last_object(store: DirectoryStore, tmp_path: Path) -> None:
    store.put("ch/v/s/1.m4s", b"x", *PLAIN)
    store.put("ch/index.m3u8", b"x", *PLAIN)
    store.delete(["ch/v/s/1.m4s"])
    assert [path.name for path in (tmp_path / "site/live/ch").iterdir()] == ["index.m3u8"]
    store.delete(["ch/index.m3u8"])
    assert list((tmp_path / "site/live").iterdir()) == []


def test_files_that_are_being_written_are_not_listed(store: DirectoryStore, tmp_path: Path) -> None:
    store.put("ch/1.m4s", b"x", *PLAIN)
    (tmp_path / "site/live/ch/.2.m4s.a1b2c3").touch()
    assert [found.key for found in store.list("")] == ["ch/1.m4s"]


def test_a_folder_is_no_object(store: DirectoryStore) -> None:
    store.put("ch/v/1.m4s", b"x", *PLAIN)
    for call in (store.get, store.head):
        with pytest.raises(StoreMissing, match="there is no ch/v"):
            call("ch/v")
    store.delete(["ch/v", "ch/v/1.m4s/x"])
    with pytest.raises(StoreMisconfigured):
        store.put("ch/v", b"x", *PLAIN)
    with pytest.raises(StoreMisconfigured):
        store.put("ch/v/1.m4s/x", b"x", *PLAIN)
    assert [found.key for found in store.list("")] == ["ch/v/1.m4s"]


def test_a_listing_leads_nowhere_else(store: DirectoryStore, tmp_path: Path) -> None:
    (tmp_path / "site/secret.txt").touch()
    with pytest.raises(Exception, match="is not a key"):
        list(store.list("../"))
    (tmp_path / "site/live/loop").symlink_to(tmp_path / "site/live")
    assert [found.key for found in store.list("")] in ([], ["loop"])


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, StoreUnavailable),
        (errno.EDQUOT, StoreUnavailable),
        (errno.EIO, StoreUnavailable),
        (errno.ESTALE, StoreUnavailable),
        (errno.EACCES, StoreDenied),
        (errno.EROFS, StoreMisconfigured),
    ],
)
def test_what_the_disk_says_is_told_in_a_sentence(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files, "write_atomic", fail)
    with pytest.raises(kind, match=f"live: cannot put ch/1.m4s: {os.strerror(number)}"):
        store.put("ch/1.m4s", b"x", *PLAIN)


def test_a_file_that_vanished_is_not_the_stores_fault(store: DirectoryStore, tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match=r"1\.m4s"):
        store.put("ch/1.m4s", tmp_path / "1.m4s", *PLAIN)


def test_no_object_is_left_of_a_put_that_failed(store: DirectoryStore, tmp_path: Path) -> None:
    with pytest.raises(SpoolError):
        store.put("ch/1.m4s", tmp_path, *PLAIN)
    assert list(store.list("")) == []
