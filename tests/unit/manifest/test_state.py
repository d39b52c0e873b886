"""The public state: one text."""

from abr.manifest.state import public_state
from tests.fakes.history import live_session, rungs, sound


def test_the_state_of_an_event_with_two_sessions(golden):
    renditions = (*rungs(count=1), sound(label="Hall"))
    sessions = [(live_session("a", renditions), 6), (live_session("b", renditions), 7)]
    golden("state.json", public_state(sessions, ended=False).decode())
