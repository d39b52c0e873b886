"""What an event says of itself: nothing is lost without a number."""

from abr.model.state import SAMPLES
from abr.transcode.grid import LiveGrid
from abr.worker.live import SHOWN
from tests.fakes.ladder import make_ladder

NO_LOSS = {"anchored", "stretched"}
"""How often a feed was given its place, and samples by which sound was made longer or shorter."""
ELSEWHERE = {"refused"}
"""Counted with the packets that decoders refused."""


def test_everything_that_the_grid_loses_is_shown():
    counted = set(LiveGrid(make_ladder(), hold=0).stats())
    assert counted - NO_LOSS - ELSEWHERE == set(SHOWN)
    assert set(SHOWN) >= SAMPLES
