"""Several inputs, of which one is on air: the live grid behind the selector."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from abr.model.media import Kind, Track
from abr.transcode.frame import Decoded, Placed
from abr.transcode.grid import LiveGrid
from abr.transcode.selector import Condition, Selector


class Switch(NamedTuple):
    """The input on air changes."""

    before: int | None
    now: int | None
    condition: Condition
    """How the one before was then; AWAY where there was none."""


class Mixer:
    """A stage over decoded items of several inputs. What is not on air is looked at and left out.

    The grid runs behind the clock, so a switch is at a frame: what came from the old input until now is still
    shown, then what comes from the new one. `switched` is told of each.
    """

    def __init__(self, grid: LiveGrid, selector: Selector, switched: Callable[[Switch], None]) -> None:
        self._grid, self._selector, self._switched = grid, selector, switched
        self._tracks: dict[int, tuple[Track, ...]] = {}
        self.on_air: int | None = None

    def begin_feed(self, place: int, tracks: Sequence[Track], now: int) -> None:
        """An input has a feed."""
        self._tracks[place] = tuple(tracks)
        self._selector.begin(place, now, picture=_has_picture(tracks))
        if place == self.on_air:
            self._grid.begin_feed(tracks)
        self._decide(now)

    def change_tracks(self, place: int, tracks: Sequence[Track], now: int) -> None:
        """The feed of an input goes on, on the same time line, with other tracks."""
        self._tracks[place] = tuple(tracks)
        self._selector.change(place, now, picture=_has_picture(tracks))
        if place == self.on_air:
            self._grid.change_tracks(tracks)

    def end_feed(self, place: int, now: int) -> None:
        """The feed of an input has ended."""
        self._selector.end(place)
        self._tracks.pop(place, None)
        self._decide(now)

    def take(self, place: int, item: Decoded, now: int) -> list[Placed]:
        """A decoded item of an input."""
        self._selector.see(place, item, now)
        self._decide(now)
        return self._grid.push(item, now) if place == self.on_air else self._grid.tick(now)

    def tick(self, now: int) -> list[Placed]:
        """The slots whose time has come."""
        self._decide(now)
        return self._grid.tick(now)

    def due(self) -> int | None:
        """When the next slot is due."""
        return self._grid.due()

    def flush(self) -> list[Placed]:
        """The event is over."""
        return self._grid.flush()

    def _decide(self, now: int) -> None:
        before, chosen = self.on_air, self._selector.decide(now)
        if chosen == before:
            return
        self.on_air = chosen
        if chosen is None:
            self._grid.end_feed()
        else:
            self._grid.begin_feed(self._tracks[chosen])
        condition = Condition.AWAY if before is None else self._selector.condition(before, now)
        self._switched(Switch(before, chosen, condition))


def _has_picture(tracks: Sequence[Track]) -> bool:
    return any(track.kind is Kind.VIDEO for track in tracks)
