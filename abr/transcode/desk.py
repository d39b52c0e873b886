"""The sound of all renditions of a ladder: from decoded frames with their times to blocks."""

from collections import Counter

import av

from abr.model.ladder import Ladder
from abr.model.time import NANO
from abr.transcode.frame import Sound
from abr.transcode.resample import Resampler
from abr.transcode.sound import SoundLine


class SoundDesk:
    """One line per audio rendition, with what it needs of the feed that is on air. Places are nanoseconds."""

    def __init__(self, ladder: Ladder) -> None:
        self._targets = ladder.audio
        self._lines = [SoundLine(target) for target in ladder.audio]
        self._feeds = [self._feed(place) for place in range(len(ladder.audio))]
        self._refused = 0
        """Frames that the feeds before it brought and nobody could convert."""

    def begin(self, start: int) -> None:
        """Output begins at the first frame border at or after `start`."""
        for line, target in zip(self._lines, self._targets, strict=True):
            first = -(-start * target.sample_rate // NANO)
            line.begin(first + -first % target.frame)

    def new_feed(self) -> None:
        """Sound of another feed, or another time line, follows."""
        self._refused += sum(feed.refused for feed in self._feeds)
        self._feeds = [self._feed(place) for place in range(len(self._targets))]
        self.restart()

    def restart(self) -> None:
        """The next sound stands where its place says."""
        for line in self._lines:
            line.restart()

    def shift(self, by: int) -> None:
        """All places that follow are moved by so much; the sound follows softly."""
        for line, target in zip(self._lines, self._targets, strict=True):
            line.shift(_samples(by, target.sample_rate))

    def put(self, places: list[int], time: int, frame: av.AudioFrame) -> None:
        """A decoded frame whose first sample belongs at `time`, for the renditions at these places."""
        for place in places:
            rate = self._targets[place].sample_rate
            for at, samples in self._feeds[place].push(time, frame):
                self._lines[place].put(_samples(at, rate), samples)

    def drop(self, places: list[int], frame: av.AudioFrame) -> None:
        """Count a frame that comes too early to be kept."""
        for place in places:
            rate = self._targets[place].sample_rate
            self._lines[place].counts["early"] += frame.samples * rate // frame.sample_rate

    def drain(self) -> None:
        """The feed has ended: what its resamplers hold belongs to it."""
        for line, feed, target in zip(self._lines, self._feeds, self._targets, strict=True):
            for at, samples in feed.flush():
                line.put(_samples(at, target.sample_rate), samples)

    def take(self, until: int, *, patience: int = 0) -> list[Sound]:
        """Blocks of all renditions up to this instant; sound that is missing for less than `patience` is waited for."""
        made: list[Sound] = []
        for line, target in zip(self._lines, self._targets, strict=True):
            rate = target.sample_rate
            end = until * rate // NANO
            if patience:
                here = end if line.tail is None else min(end, line.tail)
                overdue = end - patience * rate // NANO
                end = overdue if line.tail is None else max(here, overdue)
            made += line.take(end)
        return made

    def end(self, until: int) -> list[Sound]:
        """The last blocks of all renditions."""
        return [
            sound
            for line, target in zip(self._lines, self._targets, strict=True)
            for sound in line.end(_samples(until, target.sample_rate))
        ]

    @property
    def tails(self) -> list[int | None]:
        """Where the sound of each rendition ends so far, ns (rounded down)."""
        return [
            None if line.tail is None else line.tail * NANO // target.sample_rate
            for line, target in zip(self._lines, self._targets, strict=True)
        ]

    def counts(self) -> Counter[str]:
        """Samples of all lines together: silence, late, early, cut, stretched; frames refused."""
        total = Counter(dict.fromkeys(("silence", "late", "early", "cut", "stretched"), 0))
        for line in self._lines:
            total.update(line.counts)
        total["refused"] = self._refused + sum(feed.refused for feed in self._feeds)
        return total

    def _feed(self, place: int) -> Resampler:
        target = self._targets[place]
        return Resampler(target.sample_rate, target.channels)


def _samples(time: int, rate: int) -> int:
    """The sample nearest to an instant (ns)."""
    return (2 * time * rate + NANO) // (2 * NANO)
