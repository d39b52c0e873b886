"""The end of `abr live`: whatever ended it, what was encoded goes out."""

import pytest

from abr.errors import FeedLost, StageFailed, StoreDenied
from abr.storage.memory import MemoryStore
from abr.worker.run import _run
from abr.worker.stage import Threads
from tests.fakes.log import KeptLines
from tests.fakes.origins import HurriedClock
from tests.fakes.worker import Worker, session

LOST = FeedLost("--pull film: the connection broke")


class Broken:
    """A channel whose one event has ended with a failure."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def run(self, check):
        check()
        self._worker.run(session(), 4)
        raise LOST


class Closed(MemoryStore):
    def put(self, key, body, content_type, cache_control):
        raise StoreDenied("eu: no")


def ended(folder, store):
    """What `_run` raises with a channel that fails after its event."""
    worker = Worker(folder, [store], HurriedClock(), KeptLines())
    try:
        with pytest.raises((FeedLost, StageFailed)) as caught:
            _run(Broken(worker), Threads(), worker.delivery, KeptLines())
        return caught.value
    finally:
        worker.close()


def test_a_failed_run_still_delivers_its_recording(tmp_path):
    store = MemoryStore("eu")
    assert ended(tmp_path, store) is LOST
    made = session()
    assert (
        b"#EXT-X-ENDLIST"
        in store.get(f"main/recordings/{made.event}/{made.renditions[0].name}/index.m3u8").body
    )


def test_both_reasons_are_told(tmp_path):
    text = str(ended(tmp_path, Closed("eu")))
    assert text.startswith("--pull film: the connection broke; not everything was delivered: eu lacks ")
