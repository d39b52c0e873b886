"""Sessions as text: exact there and back."""

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import JournalNewer
from abr.journal.record import session_of, session_text
from abr.model.media import Kind
from abr.model.segment import Rendition, Session

_counts = st.integers(0, 10**12)
_fractions = st.fractions(min_value=0, max_denominator=10**6)
_renditions = st.builds(
    Rendition,
    name=st.text(),
    kind=st.sampled_from(Kind),
    timescale=_counts,
    codec=st.text(),
    bandwidth=_counts,
    average_bandwidth=_counts,
    delay=_counts,
    width=_counts,
    height=_counts,
    frame_rate=st.none() | _fractions,
    sample_rate=_counts,
    channels=_counts,
    language=st.none() | st.text(),
    label=st.text(),
)
_sessions = st.builds(
    Session,
    id=st.text(),
    channel=st.text(),
    renditions=st.lists(_renditions, max_size=3).map(tuple),
    duration=_fractions,
    live=st.booleans(),
    lag=_fractions,
    window=_fractions,
    media_start=_fractions,
    event=st.text(),
)


@given(_sessions)
def test_a_session_survives_its_text(session: Session) -> None:
    """Every field, types included: a fraction is a fraction, a kind a kind."""
    again = session_of(session_text(session))
    assert again == session
    assert repr(again) == repr(session)


def test_the_text_is_what_another_program_can_read() -> None:
    text = session_text(Session("S1", "news", (), Fraction(48, 25), live=True))
    assert json.loads(text) == {
        "id": "S1", "channel": "news", "renditions": [], "duration": "48/25", "live": True,
        "lag": "0", "window": "300", "media_start": "0", "event": "",
    }  # fmt: skip


def test_a_field_that_was_added_later_has_its_default() -> None:
    text = '{"id": "S1", "channel": "news", "renditions": [], "duration": "2", "live": false}'
    assert session_of(text) == Session("S1", "news", (), Fraction(2), live=False)


def test_a_field_of_the_future_is_not_dropped_silently() -> None:
    text = '{"id": "S1", "channel": "c", "renditions": [], "duration": "2", "live": true, "parts": 4}'
    with pytest.raises(JournalNewer, match="unknown field 'parts'"):
        session_of(text)
