"""The decoder of the feed on air: feeds come and go, and one that cannot be decoded harms nobody else."""

import pytest

from abr.errors import MediaError
from abr.worker.pipeline import FeedBegin, FeedEnd, _Decoding

BAD = MediaError("track 0 (h264): 10 s of media without one frame")
FIRST, SECOND = FeedBegin(()), FeedBegin((), again=True)


class Echo:
    """Gives packets back as frames, the last one when it is flushed; "bad" is refused."""

    def __init__(self) -> None:
        self._held = []

    def push(self, packet):
        if packet == "bad":
            raise BAD
        given, self._held = self._held, [packet]
        return given

    def flush(self):
        given, self._held = self._held, []
        return given


def decoding(refused=None):
    return _Decoding(lambda _: Echo(), refused)


def test_a_feed_begins_and_ends_after_the_frames_before_it():
    it = decoding()
    assert it.take(FIRST) == ([], FIRST, False)
    assert it.take(["a", "b"]) == (["a"], None, False)
    assert it.take(SECOND) == (["b"], SECOND, False)
    assert it.take(["c"]) == ([], None, False)
    assert it.take(FeedEnd()) == (["c"], None, True)


def test_packets_of_no_feed_become_nothing():
    assert decoding().take(["a"]) == ((), None, False)


def test_a_feed_that_cannot_be_decoded_is_named_and_the_next_one_is():
    told = []
    it = decoding(lambda feed, error: told.append((feed, error)))
    it.take(FIRST)
    it.take(["a"])
    assert it.take(["bad"]) == (["a"], None, False)
    assert it.take(["b"]) == ((), None, False)
    assert it.take(FeedEnd()) == ([], None, True)
    assert told == [(FIRST, BAD)]
    assert told[0][0] is FIRST
    it.take(SECOND)
    it.take(["c"])
    assert it.take(FeedEnd()) == (["c"], None, True)


def test_a_film_that_cannot_be_decoded_ends_its_pipeline():
    it = decoding()
    it.take(FIRST)
    with pytest.raises(MediaError):
        it.take(["bad"])


def test_a_codec_without_decoder_is_a_refused_feed_too():
    told = []

    def make(_):
        raise BAD

    it = _Decoding(make, lambda feed, error: told.append(error))
    assert it.take(FIRST) == ([], None, False)
    assert told == [BAD]
