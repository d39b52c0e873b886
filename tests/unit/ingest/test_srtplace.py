"""Which place a caller's stream id means, and what it is told when there is none."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.config.secret import Secret
from abr.config.srt import SrtAddress
from abr.ingest.srtplace import WORDS, Place, Rejection, Turned, find_place


def place(stream_id: str | None) -> Place:
    secret = None if stream_id is None else Secret(stream_id)
    return Place(SrtAddress("127.0.0.1", 9000, secret), lambda _: None)


CAM1, ANNA, BERT, ANY = place("cam1"), place("#!::r=cam2,u=anna"), place("#!::r=cam2,u=bert"), place(None)
NAMED = (CAM1, ANNA, BERT)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cam1", CAM1),
        ("#!::r=cam1", CAM1),
        ("#!::r=cam1,m=publish,u=whoever", CAM1),
        ("#!::u=bert,r=cam2", BERT),
        ("#!::u=anna,r=cam2,t=stream", ANNA),
    ],
)
def test_a_stream_id_finds_its_place_in_either_form(text, found):
    assert find_place((*NAMED, ANY), text) is found


@pytest.mark.parametrize("text", ["", "cam3", "#!::m=publish", "CAM1"])
def test_what_no_other_takes_goes_to_the_place_without_a_stream_id(text):
    assert find_place((ANY, *NAMED), text) is ANY


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", Rejection.NOT_FOUND),
        ("cam3", Rejection.NOT_FOUND),
        ("cam2", Rejection.UNAUTHORIZED),
        ("#!::r=cam2,u=carl", Rejection.UNAUTHORIZED),
        ("#!::r=cam1,m=request", Rejection.BAD_MODE),
        ("#!::r=cam1,m=bidirectional", Rejection.BAD_MODE),
        ("#!::r=cam1,t=file", Rejection.NO_SUCH_MEDIA),
        ("#!::cam1", Rejection.BAD_REQUEST),
        ("#!:{r:cam1}", Rejection.BAD_REQUEST),
    ],
)
def test_who_is_turned_away_is_told_why(text, code):
    with pytest.raises(Turned) as caught:
        find_place(NAMED, text)
    assert caught.value.code == code
    assert str(caught.value)


def test_codes_are_those_of_the_guidelines_and_each_has_words():
    codes = {1400, 1401, 1402, 1403, 1404, 1405, 1409, 1415, 1500, 1503}
    assert {int(code) for code in Rejection} == codes
    assert set(WORDS) == set(Rejection)


@given(st.text(max_size=30), st.sampled_from(["", "#!::", "#!::r=cam1,"]))
def test_any_stream_id_finds_a_place_or_is_turned_away(text, start):
    with suppress(Turned):
        assert find_place(NAMED, start + text) in NAMED
