"""Files appear whole or not at all."""

import os

import pytest

from abr import files


def test_a_written_file_holds_the_new_bytes_and_nothing_lies_beside_it(tmp_path):
    path = tmp_path / "a"
    files.write_atomic(path, b"one")
    files.write_atomic(path, b"two", durable=False)
    assert path.read_bytes() == b"two"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path):
    folder = tmp_path / "a"
    (folder / "inside").mkdir(parents=True)
    with pytest.raises(OSError):
        files.write_atomic(folder, b"bytes")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_writing_new_overwrites_what_an_earlier_run_left(tmp_path):
    path = tmp_path / "1.m4s"
    path.write_bytes(b"a longer, unfinished file")
    files.write_new(path, b"whole")
    assert path.read_bytes() == b"whole"


def test_a_file_with_a_second_name_is_replaced_and_never_written_into(tmp_path):
    path, second = tmp_path / "1.m4s", tmp_path / "origin.m4s"
    files.write_new(path, b"old")
    files.link_or_copy(path, second)
    files.write_new(path, b"new")
    assert (path.read_bytes(), second.read_bytes()) == (b"new", b"old")


def test_a_large_body_is_written_to_its_end(tmp_path):
    body = os.urandom(3_000_000)
    files.write_new(tmp_path / "a", body, durable=False)
    assert (tmp_path / "a").read_bytes() == body


def test_a_second_name_shares_the_bytes(tmp_path):
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_bytes(b"bytes")
    target.write_bytes(b"old")
    for _ in range(2):
        files.link_or_copy(source, target)
        assert target.samefile(source)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("old", [None, b"old"])
def test_where_no_second_name_can_be_given_the_bytes_are_copied(tmp_path, monkeypatch, old):
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_bytes(b"bytes")
    if old is not None:
        target.write_bytes(old)

    def refuse(_source, name):
        if os.path.lexists(name):
            raise FileExistsError
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    files.link_or_copy(source, target, durable=True)
    assert (target.read_bytes(), target.samefile(source)) == (b"bytes", False)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a", "b"]


def test_a_missing_source_is_an_error(tmp_path):
    with pytest.raises(OSError):
        files.link_or_copy(tmp_path / "a", tmp_path / "b")
    assert not list(tmp_path.iterdir())


def test_removing_what_is_gone_is_fine(tmp_path):
    (tmp_path / "a").touch()
    files.remove([tmp_path / "a", tmp_path / "b"])
    assert not list(tmp_path.iterdir())


def test_a_folder_is_made_with_those_above_it_and_may_exist(tmp_path):
    for _ in range(2):
        files.make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    files.sync_folder(tmp_path)


def test_only_plain_files_are_regular(tmp_path):
    (tmp_path / "a").touch()
    os.mkfifo(tmp_path / "pipe")
    assert files.is_regular(tmp_path / "a")
    assert not any(files.is_regular(tmp_path / name) for name in ("", "pipe", "missing"))


def test_a_file_that_grows_can_be_read_meanwhile(tmp_path):
    path = tmp_path / "a"
    growing = files.Growing(path)
    growing.write(b"one")
    growing.write(b"two")
    assert (path.read_bytes(), growing.size) == (b"onetwo", 6)
    growing.close()
    growing.close()
    with pytest.raises(FileExistsError):
        files.Growing(path)
    with pytest.raises(OSError):
        growing.write(b"three")


def test_space_is_that_of_the_disk(tmp_path):
    space = files.space(tmp_path)
    assert 0 < space.free <= space.total
