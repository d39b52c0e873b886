"""The tracks of a feed as grid and film use them: one picture track, the sound of each rendition, times in nanoseconds."""

from collections.abc import Sequence

from abr.model.ladder import Ladder
from abr.model.media import Kind, Track
from abr.model.selection import select_sound
from abr.model.time import NANO


class Source:
    """Which track is for what, and what its ticks mean.

    Tracks that the ladder has no use for are ignored. A rendition whose track the feed lacks gets nothing: it is silent.
    """

    def __init__(self, tracks: Sequence[Track], ladder: Ladder) -> None:
        bases = {track.index: track.time_base for track in tracks}
        self._scales = {index: (base.numerator * NANO, base.denominator) for index, base in bases.items()}
        pictures = [track.index for track in tracks if track.kind is Kind.VIDEO]
        sounds = [track for track in tracks if track.kind is Kind.AUDIO]
        self.picture: int | None = pictures[0] if pictures and ladder.video else None
        """The track that pictures are taken from."""
        self.sounds: dict[int, list[int]] = {}
        """For each sound track the places of its renditions in `Ladder.audio`."""
        for place, target in enumerate(ladder.audio):
            chosen = select_sound(sounds, place=target.track, language=target.asked)
            if chosen is not None:
                self.sounds.setdefault(sounds[chosen].index, []).append(place)

    def uses(self, track: int) -> bool:
        """Whether something is made of this track."""
        return track == self.picture or track in self.sounds

    def to_ns(self, track: int, ticks: int) -> int:
        """Ticks of a track as nanoseconds of the feed's time."""
        multiply, divide = self._scales[track]
        return ticks * multiply // divide
