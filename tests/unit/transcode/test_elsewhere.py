"""Sound whose clock starts elsewhere than its pictures', from the normaliser to the exit of the grid."""

import tracemalloc

import numpy as np
import pytest

from abr.ingest.normalise import Normaliser
from abr.model.media import Packet
from abr.model.time import NANO
from abr.transcode.frame import Decoded, Sound
from abr.transcode.grid import LiveGrid
from tests.fakes.decoded import TRACKS, beeping, shown
from tests.fakes.ladder import make_ladder
from tests.fakes.packets import packet

NOON = 1_788_027_300 * NANO + 123_456_789
S = 90_000
SECONDS = 12
BEEPS = [item for _, item in beeping(0, SECONDS * 46)]


def arrivals(sound_from: int, offset: int) -> list[tuple[int, Packet]]:
    """When packets come, and they: pictures from 0 on, sound `sound_from` s later on a clock `offset` s ahead."""
    pictures = [(place * 3600, packet(place * 3600)) for place in range(SECONDS * 25)]
    sounds = [
        (place * 1920, packet(place * 1920 + offset * S, track=1, duration=1920))
        for place in range(sound_from * 47, len(BEEPS))
    ]
    return sorted(pictures + sounds, key=lambda event: (event[0], event[1].track))


def decoded(item: Packet, time: int) -> Decoded:
    """What is in a packet that was sent for this time."""
    assert item.dts is not None
    return BEEPS[time // 1920]._replace(pts=item.dts) if item.track else shown(time // 3600, item.dts)


@pytest.mark.parametrize("offset", [0, 3600, -3600, 5, -5])
@pytest.mark.parametrize("sound_from", [0, 4])
def test_it_is_heard_with_its_pictures_and_takes_no_memory(sound_from, offset):
    normaliser, grid, heard, held = Normaliser(TRACKS), LiveGrid(make_ladder(), hold=NANO), [], 0
    grid.begin_feed(TRACKS)
    tracemalloc.start()
    for time, item in arrivals(sound_from, offset):
        now = NOON + time * NANO // S
        for made in normaliser.push(item):
            assert isinstance(made, Packet)
            assert abs(made.dts - time) <= 3600
            for out in grid.push(decoded(made, time), now):
                heard += [float(out.samples.max())] if isinstance(out, Sound) else []
        held = max(held, tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert normaliser.stats()["jumps"] == bool(offset)
    assert np.count_nonzero(np.diff(np.array(heard) > 0.7)) // 2 >= SECONDS - sound_from - 4
    assert grid.stats()["early"] == 0
    assert held < 4_000_000
