"""Counters and gauges."""

import threading

from abr.metrics import Metrics, Sample


def test_counters_add_up_and_gauges_are_replaced():
    metrics = Metrics()
    metrics.count("segments", help="made", rung="720p")
    metrics.count("segments", 2, rung="720p")
    metrics.set("lag", 3)
    metrics.set("lag", 2.5)
    assert metrics.value("segments", rung="720p") == 3
    assert metrics.value("lag") == 2.5
    assert metrics.value("segments", rung="360p") == 0


def test_readings_come_in_order_with_their_help():
    metrics = Metrics()
    metrics.set("b", 1, help="second")
    metrics.count("a", rung="y")
    metrics.count("a", help="first", rung="x", origin="o")
    assert metrics.samples() == [
        Sample("a", "counter", "first", (("origin", "o"), ("rung", "x")), 1),
        Sample("a", "counter", "", (("rung", "y"),), 1),
        Sample("b", "gauge", "second", (), 1),
    ]


def test_threads_lose_no_count():
    metrics = Metrics()
    threads = [threading.Thread(target=lambda: [metrics.count("n") for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert metrics.value("n") == 2000
