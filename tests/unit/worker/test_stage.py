"""Queues and threads: ends and deaths wake both sides."""

import threading

import pytest

from abr.errors import MediaError, StageFailed
from abr.worker.stage import Closed, Horizon, Inbox, Threads, run_stage


class Doubler:
    """A stage that gives each item twice and counts its ticks."""

    def __init__(self):
        self.deadline = None
        self.ticks = 0

    def push(self, item, now):
        return [item, item]

    def tick(self, now):
        self.ticks += 1
        self.deadline = None
        return ["tick"]

    def due(self):
        return self.deadline

    def flush(self):
        return ["end"]


def test_a_stage_gives_everything_in_order_and_flushes_at_the_end():
    inbox, seen = Inbox(8), []
    for item in (1, 2):
        inbox.put(item)
    inbox.end()
    run_stage(Doubler(), inbox, seen.extend, lambda: 0)
    assert seen == [1, 1, 2, 2, "end"]


def test_a_stage_is_ticked_when_it_is_due_though_nothing_arrives():
    inbox, seen, stage = Inbox(8), [], Doubler()
    stage.deadline = 5

    def emit(items):
        seen.extend(items)
        inbox.end()

    run_stage(stage, inbox, emit, lambda: 9)
    assert seen == ["tick", "end"]


def test_a_writer_waits_for_room():
    inbox, threads = Inbox(1), Threads()
    inbox.put(1)
    threads.spawn("writer", lambda: inbox.put(2))
    assert inbox.get(5) == [1]
    assert inbox.get(5) == [2]
    assert threads.join(5)


def test_a_dead_thread_wakes_a_writer_before_a_full_queue_and_keeps_the_reason():
    threads = Threads()
    inbox, woken = threads.inbox(1), threading.Event()
    inbox.put(1)

    def writer():
        try:
            inbox.put(2)
        finally:
            woken.set()

    def dies():
        raise MediaError("libx264 gave up")

    threads.spawn("writer", writer)
    threads.spawn("encode 720p", dies)
    assert woken.wait(5)
    assert threads.join(5)
    with pytest.raises(StageFailed, match="encode 720p: libx264 gave up"):
        threads.check()


def test_a_dead_thread_wakes_a_reader_of_an_empty_queue():
    threads, closed = Threads(), threading.Event()
    inbox = threads.inbox(1)

    def reader():
        try:
            inbox.get(None)
        except Closed:
            closed.set()

    threads.spawn("reader", reader)
    threads.spawn("dies", lambda: 1 / 0)
    assert closed.wait(5)
    assert "ZeroDivisionError" in str(threads.failure)


def test_the_end_comes_after_what_waits():
    inbox = Inbox(4)
    inbox.put(1)
    inbox.end()
    assert inbox.get(0) == [1]
    assert inbox.get(0) is None


def test_time_inside_the_worker_waits_for_what_has_arrived():
    clock = iter([10, 20, 30, 40, 50])
    horizon = Horizon(lambda: next(clock))
    assert horizon.enter() == 10
    assert horizon.enter() == 20
    assert horizon.now() == 10
    horizon.leave()
    assert horizon.now() == 20
    horizon.leave()
    assert horizon.now() == 50


def test_a_writer_that_comes_after_the_end_is_told():
    """Else it would wait for ever before a queue that nobody reads any more."""
    inbox = Inbox(4)
    inbox.put(1)
    inbox.end()
    with pytest.raises(Closed):
        inbox.put(2)
    assert inbox.get(0) == [1]
    assert inbox.get(0) is None


def test_a_writer_that_waits_for_room_is_woken_by_the_end():
    threads, told = Threads(), threading.Event()
    inbox = threads.inbox(1)
    inbox.put(1)

    def writer():
        try:
            inbox.put(2)
        except Closed:
            told.set()

    threads.spawn("writer", writer)
    inbox.end()
    assert told.wait(5)
