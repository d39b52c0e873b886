"""SRT stream ids, plain and keyed."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import RemoteProtocolError
from abr.formats.streamid import StreamId, parse_stream_id

VALUES = st.text(st.characters(exclude_characters=",", exclude_categories=["Cs"]), max_size=20)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", StreamId("")),
        ("live/cam1", StreamId("live/cam1")),
        ("r=cam1,m=publish", StreamId("r=cam1,m=publish")),
        ("#!cam1", StreamId("#!cam1")),
        ("#!::r=cam1", StreamId("cam1")),
        ("#!::r=cam1,m=publish", StreamId("cam1", mode="publish")),
        ("#!::u=anna,m=publish,r=live/cam1,t=stream", StreamId("live/cam1", "anna", "publish", "stream")),
        ("#!::h=host,s=5,x-own=1,r=a=b", StreamId("a=b")),
        ("#!::m=request", StreamId("", mode="request")),
    ],
)
def test_a_stream_id_names_what_is_wanted(text, found):
    assert parse_stream_id(text) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#!::", "not key=value"),
        ("#!::cam1", "not key=value"),
        ("#!::r=cam1,", "not key=value"),
        ("#!::=cam1", "not key=value"),
        ("#!::r=hunter2,r=hunter3", "names a key twice"),
        ("#!:{r:hunter2}", "nested"),
    ],
)
def test_a_broken_one_is_told_without_its_words(text, words):
    with pytest.raises(RemoteProtocolError, match=words) as caught:
        parse_stream_id(text)
    assert "hunter" not in str(caught.value)


@given(VALUES, VALUES, st.permutations("rumt"))
def test_keys_may_stand_in_any_order(resource, user, order):
    values = {"r": resource, "u": user, "m": "publish", "t": "stream"}
    text = "#!::" + ",".join(f"{key}={values[key]}" for key in order)
    assert parse_stream_id(text) == StreamId(resource, user, "publish", "stream")


@given(st.text(max_size=30), st.sampled_from(["", "#!::", "#!:{", "#!::r=a,"]))
def test_any_text_is_a_stream_id_or_a_mistake(text, start):
    with suppress(RemoteProtocolError):
        assert isinstance(parse_stream_id(start + text), StreamId)


@given(st.text(max_size=30).filter(lambda text: not text.startswith("#!:")))
def test_what_is_not_keyed_is_taken_as_it_stands(text):
    assert parse_stream_id(text) == StreamId(text)
