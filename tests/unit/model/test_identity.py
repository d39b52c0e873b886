"""Names of sessions and channels."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.model.identity import channel_of, is_channel, session_id
from abr.model.time import NANO

STARTS = st.integers(0, 4_000_000_000)


def test_a_session_is_its_start_and_64_random_bits():
    assert (
        session_id(1_788_027_300 * NANO + 999_999_999, bytes(range(8))) == "20260829T181500Z-0001020304050607"
    )


@given(STARTS, STARTS, st.binary(min_size=8, max_size=8))
def test_sessions_sort_by_their_start(one, other, entropy):
    first, second = session_id(one * NANO, entropy), session_id(other * NANO, entropy)
    assert (first < second) == (one < other)
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{16}", first)


@pytest.mark.parametrize("name", ["a", "live", "tv-1.hd_2", "0", "a" * 64])
def test_a_channel_may_stand_in_a_url(name):
    assert is_channel(name)


@pytest.mark.parametrize("name", ["", ".", "..", "-a", "a-", "A", "a b", "a/b", "a" * 65, "ä", "a\n"])
def test_other_names_may_not(name):
    assert not is_channel(name)


@pytest.mark.parametrize(
    ("stem", "name"),
    [("Sunday Service (HD)", "sunday-service-hd"), ("a", "a"), ("???", "film"), ("", "film"), ("..", "film")],
)
def test_a_files_name_becomes_a_channels(stem, name):
    assert channel_of(stem) == name


@given(st.text(max_size=100))
def test_whatever_a_file_is_called_its_channel_is_usable(stem):
    assert is_channel(channel_of(stem))
