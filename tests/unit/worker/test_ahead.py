"""Packets that a thread reads ahead: who wants an end has it, whatever the source does."""

import threading
from itertools import count

from abr.clock import SystemClock
from abr.worker.ahead import Ahead
from tests.fakes.packets import packet


class Endless:
    """A source that gives packets as fast as they are taken, for ever."""

    silence = None
    closed = False

    def __init__(self, packets=None):
        self.demuxer = self
        self.packets = (lambda: iter(packets)) if packets is not None else lambda: map(packet, count())

    def abort(self, reason):
        pass

    def close(self):
        self.closed = True


def reading(source, stop):
    ahead = Ahead(source, clock=SystemClock(), stop=stop)
    thread = threading.Thread(target=ahead.read)
    thread.start()
    return ahead, thread


def test_a_source_that_goes_on_for_ever_ends_within_one_packet_of_the_stop():
    source, stop = Endless(), threading.Event()
    ahead, thread = reading(source, stop.is_set)
    after = 0
    for place, _ in enumerate(ahead.packets()):
        after += stop.is_set()
        if place == 100:
            stop.set()
    assert after <= 1
    ahead.leave("the test is over")
    thread.join(10)
    assert source.closed


def test_what_was_read_before_the_end_is_given():
    ahead, thread = reading(Endless([packet(0), packet(1)]), lambda: False)
    assert list(ahead.packets()) == [packet(0), packet(1)]
    ahead.leave("the test is over")
    thread.join(10)
