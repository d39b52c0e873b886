"""Which keys may stand below an origin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import StoreError
from abr.storage.key import check_key, type_of


@given(st.text(st.sampled_from("ab./-_ \\\n\0~%é"), max_size=12))
def test_a_key_stays_below_its_root(key: str) -> None:
    """What passes has no empty part, none that begins with a dot, and only plain letters."""
    try:
        check_key("store", key)
    except StoreError:
        return
    assert all(part and part[0] != "." for part in key.split("/"))
    assert set(key) <= set("ab./-_")


@pytest.mark.parametrize(
    "key", ["news/720p/20260829T181500Z-0f/7.m4s", "a", "news/index.m3u8", "a..b/c-", "_/-"]
)
def test_the_keys_that_we_make_pass(key: str) -> None:
    check_key("store", key)


def test_the_error_names_store_and_key() -> None:
    with pytest.raises(StoreError, match=r"^/srv: '\.\./x' is not a key"):
        check_key("/srv", "../x")


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("a/index.m3u8", "application/vnd.apple.mpegurl"),
        ("a/manifest.mpd", "application/dash+xml"),
        ("a/init.mp4", "video/mp4"),
        ("a/7.m4s", "video/mp4"),
        ("a/state.json", "application/json"),
        ("a/b", "application/octet-stream"),
    ],
)
def test_the_ending_tells_the_type(key: str, kind: str) -> None:
    assert type_of(key) == kind
