"""Stream keys: whose a key is, and what may stand in their file."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.config.keyring import MAX_FILE, Keyring, keyring_of, parse_keys, read_keys
from abr.config.secret import Secret
from abr.errors import ConfigError


def hashed(key: str) -> str:
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def test_a_key_tells_whose_it_is() -> None:
    ring = parse_keys(
        ["# crews", "", f"studio {hashed('hunter2')}", "\tvan-2   hunter3  ", f"van-2 {hashed('new')}"]
    )
    assert [ring.name_of(key) for key in ("hunter2", "hunter3", "new", "hunter4", "", "studio")] == [
        "studio", "van-2", "van-2", None, None, None,
    ]  # fmt: skip
    assert ring.written_out == ("van-2",)


def test_digits_of_a_digest_may_be_large() -> None:
    assert parse_keys([f"a {hashed('k')[:7]}{hashed('k')[7:].upper()}"]).name_of("k") == "a"


def test_a_digest_is_not_its_own_key() -> None:
    ring = parse_keys([f"studio {hashed('hunter2')}"])
    assert ring.name_of(hashed("hunter2")) is None
    assert ring.name_of(hashed("hunter2").removeprefix("sha256:")) is None


def test_the_key_of_an_address_has_no_name() -> None:
    ring = keyring_of(Secret("hunter2"))
    assert (ring.name_of("hunter2"), ring.name_of("hunter3")) == ("", None)


def test_no_key_and_no_digest_is_shown() -> None:
    ring = parse_keys(["studio hunter2"])
    assert "hunter2" not in repr(ring)
    assert "hunter2" not in repr(ring.entries)
    assert hashed("hunter2")[7:] not in repr(ring)


@given(st.text(max_size=30))
def test_any_text_may_be_tried(candidate: str) -> None:
    assert Keyring(()).name_of(candidate) is None
    assert parse_keys(["a key"]).name_of(candidate) == ("a" if candidate == "key" else None)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "holds no key"),
        (["# studio hunter2"], "holds no key"),
        (["hunter2"], "line 1 is not a name and a key"),
        (["", "studio hunter2 more"], "line 2 is not a name and a key"),
        (["hunter2! x"], "line 1 has no usable name"),
        (["studio sha256:12"], "line 1: sha256: is followed by 64 hexadecimal digits"),
        (["studio hunter2/x"], "line 1 has a key with letters that encoders change"),
        (["studio hunter2", "van hunter2"], "line 2: 'van' has the key of 'studio'; each has its own"),
        (["studio hunter2", f"van {hashed('hunter2')}"], "line 2: 'van' has the key of 'studio'"),
    ],
)
def test_a_mistake_is_told_without_the_key(lines: list[str], sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("\n".join(lines))
    with pytest.raises(ConfigError, match=r"^keys: ") as caught:
        read_keys(path)
    assert sentence in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_no_list_of_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    for data, sentence in ((b"\xff\xfe", "it is no text"), (b"#" * (MAX_FILE + 1), "it is no list of keys")):
        path.write_bytes(data)
        with pytest.raises(ConfigError, match=sentence):
            read_keys(path)
    with pytest.raises(ConfigError, match=r"keys: '.*/none' cannot be read: No such file"):
        read_keys(tmp_path / "none")


def test_a_file_saved_on_windows_is_read(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_bytes(b"\xef\xbb\xbfstudio hunter2\r\nvan hunter3\r\n")
    assert read_keys(path).name_of("hunter2") == "studio"
