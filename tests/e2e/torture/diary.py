"""What the stream said of itself while it ran: every playlist each second, and when each entry came."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from lxml import etree

from tests.e2e.processes import fetch
from tests.e2e.watcher import Folder, Watcher


class Appearance(NamedTuple):
    """An entry at the end of a playlist."""

    end: float
    """Wall clock at which its media ends, as EXT-X-PROGRAM-DATE-TIME says."""
    came: float
    """Wall clock at which the playlist was written that named it first."""

    @property
    def late(self) -> float:
        return self.came - self.end


@dataclass
class Diary:
    """Looks at a channel's folder and at its worker's page."""

    channel: Path
    page: str
    appearances: dict[str, dict[int, Appearance]] = field(default_factory=lambda: defaultdict(dict))
    """By rendition and sequence; of entries that came together only the newest."""
    states: Counter[str] = field(default_factory=Counter)
    """How many states of a rendition's playlist were seen."""
    discontinuities: set[int] = field(default_factory=set)
    """Every discontinuity sequence number that an entry has had."""
    periods: set[int] = field(default_factory=set)
    """How many Periods the manifest has had."""
    sessions: set[str] = field(default_factory=set)
    phases: list[str] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)
    """The latest."""

    def __post_init__(self) -> None:
        self.watcher = Watcher([Folder(self.channel)])

    def look(self) -> None:
        """One look at everything."""
        written = self._written()
        self.watcher.look()
        for rendition, came in written.items() & self._written().items():  # what was not written meanwhile
            history = self.watcher.seen[self.watcher.origins[0].name, rendition]
            playlist = history[-1]
            self.states[rendition] += len(history) - 1
            del history[:-1]  # ten minutes of them would be many
            self.discontinuities |= {entry.discontinuity for entry in playlist.entries.values()}
            newest = max(playlist.entries)
            entry = playlist.entries[newest]
            end = float(entry.date + entry.duration)
            self.appearances[rendition].setdefault(newest, Appearance(end, came))
        self._look_at_manifest()
        self._look_at_state()

    def _written(self) -> dict[str, float]:
        """When each rendition's playlist was written."""
        return {path.parent.name: path.stat().st_mtime for path in self.channel.glob("*/index.m3u8")}

    def _look_at_manifest(self) -> None:
        manifest = self.channel / "manifest.mpd"
        if manifest.is_file():
            self.periods.add(sum(1 for _ in etree.fromstring(manifest.read_bytes()).iterfind("{*}Period")))

    def _look_at_state(self) -> None:
        answer = fetch(f"{self.page}/api/state")
        if answer:
            self.state = json.loads(answer)
            if self.state["session"]:
                self.sessions.add(self.state["session"])
            if self.phases[-1:] != [self.state["phase"]]:
                self.phases.append(self.state["phase"])

    def lateness(self) -> list[Appearance]:
        """Of the first rung, in order."""
        first = min(self.appearances)
        return [self.appearances[first][number] for number in sorted(self.appearances[first])]


def medians(found: list[Appearance], span: float) -> list[float]:
    """How late entries came, span by span of the stream: the middle one of each."""
    parts: dict[int, list[float]] = defaultdict(list)
    for item in found:
        parts[int((item.end - found[0].end) / span)].append(item.late)
    return [sorted(part)[len(part) // 2] for _, part in sorted(parts.items())]
