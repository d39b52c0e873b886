"""The tracks of a feed as grid and film use them: one picture track, the sound of each rendition, times in nanoseconds."""

from collections.abc import Sequence

from abr.model.ladder import Ladder
from abr.model.media import Kind, Track
from abr.model.time import NANO


class Source:
    """Which track is for what, and what its ticks mean.

    Tracks that the ladder has no use for are ignored.
    """

    def __init__(self, tracks: Sequence[Track], ladder: Ladder) -> None:
        bases = {track.index: track.time_base for track in tracks}
        self._scales = {index: (base.numerator * NANO, base.denominator) for index, base in bases.items()}
        pictures = [track.index for track in tracks if track.kind is Kind.VIDEO]
        sounds = [track.index for track in tracks if track.kind is Kind.AUDIO]
        self.picture: int | None = pictures[0] if pictures and ladder.video else None
        """The track that pictures are taken from."""
        self.sounds: dict[int, list[int]] = {}
        """For each sound track the places of its renditions in `Ladder.audio`."""
        for place, target in enumerate(ladder.audio):
            if target.track < len(sounds):
                self.sounds.setdefault(sounds[target.track], []).append(place)

    def uses(self, track: int) -> bool:
        """Whether something is made of this track."""
        return track == self.picture or track in self.sounds

    def to_ns(self, track: int, ticks: int) -> int:
        """Ticks of a track as nanoseconds of the feed's time."""
        multiply, divide = self._scales[track]
        return ticks * multiply // divide
