"""Ten minutes in which everything that a publisher can do wrong is done, in one run: the output must not notice.

`scripts/soak --torture`. `ABR_TORTURE=0.2` is a fifth of it.
"""

import os
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import m3u8
import pytest
from lxml import etree

from tests.e2e import air, browser
from tests.e2e.playback import Shown, lip_sync
from tests.e2e.processes import Finished, Program
from tests.e2e.torture.diary import Appearance, medians
from tests.e2e.torture.evening import Evening
from tests.e2e.torture.record import SLATE, Journal, Row, Step, look, recording, steps
from tests.e2e.torture.script import SLOW, script

pytestmark = [pytest.mark.e2e, pytest.mark.soak, pytest.mark.timeout(1800)]

SCALE = float(os.environ.get("ABR_TORTURE", "1"))
RATE = 25
RUNGS = ("234p", "144p")
STEADY = 0.1
"""Seconds by which entries may come earlier or later against their date, from one half minute to another."""
HALF_MINUTE = 30.0
SETTLED = 3.0
"""Seconds after damage until every picture is whole again: a group of pictures, the hold, and what is between."""
RESPONSE = 1.0
"""Seconds beyond D and the lag that the state names, in which an entry is there whatever else the machine does."""
BLINK = 0.3
"""Seconds of pictures that a change of their form, or a busy machine, may cost."""
LIP_SYNC = Fraction(25, 1000)
TAKEN_OVER = 2.0
"""Seconds that a publisher may take to start."""
FRESH = 3.0
"""Seconds between camera and output at most."""


class Run:
    """The evening that was, and what is left of it."""

    def __init__(self, evening: Evening, worker: Program, done: Finished) -> None:
        self.evening, self.worker, self.done = evening, worker, done
        self.diary = evening.diary
        self.journal = Journal(evening.folder / "state/abr/torture/journal.db")
        self.rows = self.journal.rows()
        self.film = recording(evening.channel)

    @cached_property
    def shown(self) -> dict[str, list[Shown]]:
        """Every picture of the recording, by rung."""
        return {name: self.film[name].pictures(look) for name in RUNGS}

    def numbers(self) -> dict[int, list[int]]:
        """Segment numbers by rendition."""
        found: dict[int, list[int]] = {}
        for row in self.rows:
            found.setdefault(row.rendition, []).append(row.number)
        return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    browser.needed()
    folder = Path(os.environ.get("ABR_TORTURE_FOLDER") or tmp_path_factory.mktemp("torture"))
    evening = Evening(script(SCALE), folder)
    worker, done = evening.play()
    return Run(evening, worker, done)


def test_the_worker_ends_well(run: Run) -> None:
    """Exit code 0, and no line of level error."""
    assert run.done.code == 0, run.done.err[-3000:]
    assert [line for line in run.done.err.splitlines() if '"level": "error"' in line] == []
    assert "Traceback" not in run.done.err


def test_it_is_one_session(run: Run) -> None:
    """In the journal, in the state, and in what viewers read."""
    assert (run.journal.count("sessions"), run.journal.count("events")) == (1, 1)
    assert len(run.diary.sessions) == 1
    run.evening.note("phases", run.diary.phases)
    assert run.diary.periods == {1}
    assert len(run.diary.discontinuities) == 1
    channel = run.evening.channel
    for path in channel.rglob("index.m3u8"):
        assert "#EXT-X-DISCONTINUITY\n" not in path.read_text(), path
        assert "#EXT-X-GAP" not in path.read_text(), path
    for path in channel.rglob("manifest.mpd"):
        assert sum(1 for _ in etree.fromstring(path.read_bytes()).iterfind("{*}Period")) == 1, path


def test_every_number_is_there_once(run: Run) -> None:
    """In the journal, in the recording and on disk, in every rendition alike."""
    found = run.numbers()
    assert len(found) == 3
    first, last = found[0][0], found[0][-1]
    run.evening.note("segments", [first, last, last - first + 1])
    for numbers in found.values():
        assert numbers == list(range(first, last + 1))
    assert not any(row.gap for row in run.rows)
    for name, rendition in run.film.items():
        files = sorted(int(path.stem) for path in (run.evening.channel / name).rglob("*.m4s"))
        assert files == list(range(first, last + 1)), name
        assert [int(path.stem) for path in rendition.segments] == files, name


def test_the_playlists_were_right_at_every_look(run: Run) -> None:
    """Rungs within one segment of each other, entries that stay, dates without a jump, nothing named that is not there."""
    run.evening.note("states of playlists seen", dict(run.diary.states))
    assert run.diary.watcher.faults == []


def test_segments_come_in_real_time(run: Run) -> None:
    """Each is listed within D and the lag that the state names of its end, all through."""
    limit = run.diary.state["duration"] + run.diary.state["lag"] + RESPONSE
    late = [item.late for item in run.diary.lateness()]
    run.evening.note("listed after its end, s: least, most, limit", [min(late), max(late), limit])
    assert max(late) <= limit
    confirmed = [item.late for item in delivered(run)]
    run.evening.note("confirmed after its end, s: least, most", [min(confirmed), max(confirmed)])
    assert max(confirmed) <= limit


def delivered(run: Run) -> list[Appearance]:
    """When each segment of the first rung was confirmed, by the journal, against its end on the wall clock."""
    length = run.diary.state["duration"]
    whole = first_rung(run.rows)[:-1]  # the last one ends when the event does
    return [Appearance((row.number + 1) * length, row.confirmed) for row in whole]


def first_rung(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.rendition == 0]


def test_the_date_keeps_to_the_wall_clock(run: Run) -> None:
    """What an entry's date and length say, against when it was first named: the middle of each half minute is the same.

    And the same by the journal's rows. Single entries wait for the machine's other work; the middle one does not.
    """
    span = max(15.0, HALF_MINUTE * SCALE)
    for name, found in (("listed", run.diary.lateness()), ("confirmed", delivered(run)[3:])):
        middle = medians(found, span)
        late = sorted(item.late for item in found)
        shares = [late[int(len(late) * share)] for share in (0.05, 0.5, 0.95)]
        run.evening.note(f"{name}: medians of {span:.0f} s", [round(value, 3) for value in middle])
        run.evening.note(f"{name}: 5 %, 50 %, 95 %, s", [round(value, 3) for value in shares])
        assert max(middle) - min(middle) <= STEADY, name


def test_the_players_did_not_notice(run: Run) -> None:
    """No stall after the start, no hole, no error, nothing that is not there."""
    for report in run.evening.reports:
        keys = ("player", "ok", "why", "startup", "frames", "first", "last", "stalls", "errors", "maxGap")
        run.evening.note("player", {key: report[key] for key in keys})
    for report in run.evening.reports:
        assert report["ok"], report["why"]
        assert report["stalls"] == []
        assert report["errors"] == []
    assert [report["player"] for report in run.evening.reports] == ["hls", "dash", "shaka"]


def test_the_stranger_was_refused(run: Run) -> None:
    """Once, and told so; the feed that was up stayed."""
    refused = run.worker.log("publisher refused")
    assert [line["reason"] for line in refused] == ["wrong stream key"]
    stranger = run.evening.publishers["stranger"]
    assert stranger.code == 1
    assert "refused" in stranger.err


def test_every_feed_came_on_air(run: Run) -> None:
    """Each once; the second publisher with the right key ended the first; the spare input stood in."""
    story = run.evening.script
    assert len(run.worker.log("feed connected")) == len(story.feeds) + 1
    reasons = [line["reason"] for line in run.worker.log("feed ended")]
    assert reasons.count("replaced by a new publisher") == 1
    assert [line["input"] for line in run.worker.log("input on air")].count(2) == 1
    slate = [sum(item.number == SLATE for item in shown) / RATE for shown in run.shown.values()]
    run.evening.note(
        "slate: seconds in each rung, segments marked",
        [slate, sum(row.slate for row in first_rung(run.rows))],
    )


def test_what_was_repaired_is_counted(run: Run) -> None:
    """Both jumps, both turns of a counter for sound and picture, the silence, the backlog, and the damage."""
    repairs = run.diary.state["repairs"]
    run.evening.note("repairs", repairs)
    run.evening.note("counters", run.diary.state["counters"])
    assert repairs["jumps"] >= 2
    assert repairs["wraps"] == 4
    assert repairs["gaps"] >= 1
    assert repairs["replayed"] > 0
    assert repairs["refused"] + repairs["damaged"] > 0


def test_no_picture_is_shown_twice(run: Run) -> None:
    """The camera's numbers only grow in both rungs: no picture comes again, of no feed; each slot is filled once."""
    for name in RUNGS:
        found = seen(run, name)
        back = [(one, two) for one, two in pairwise(found) if two.number <= one.number]
        assert back == [], back[:5]


def test_the_output_is_as_fresh_as_its_feeds(run: Run) -> None:
    """Camera to output, whenever a feed is up: after each return, jump and turn."""
    behind = [(step.camera, step.at - camera_wall(run, step.camera)) for step in seen(run, "144p")]
    span = 10 * SCALE
    parts: dict[int, list[float]] = {}
    for camera, late in behind:
        parts.setdefault(int(camera / span), []).append(late)
    table = {int(part * span): [round(min(of), 3), round(max(of), 3)] for part, of in sorted(parts.items())}
    run.evening.note("shown after the camera, s: least and most by time", table)
    assert max(late for _, late in behind) <= FRESH


def test_pictures_are_missed_only_where_a_feed_was_away(run: Run) -> None:
    """Neither a jump, a turn of a counter, a change of the pictures nor missing sound costs any."""
    holes = [(one, two) for one, two in pairwise(seen(run, "144p")) if two.camera - one.camera > 2 / RATE]
    told = [[round(one.camera, 2), round(two.camera - one.camera, 2)] for one, two in holes]
    run.evening.note("pictures missed: camera's time, s", told)
    story = run.evening.script
    away = [feed.begin for feed in (*story.feeds, story.spare)]
    unexplained = [
        [one.camera, two.camera]
        for one, two in holes
        if two.camera - one.camera > BLINK
        and not story.damaged.touches(one.camera, two.camera)
        and not any(one.camera - TAKEN_OVER <= begin <= two.camera for begin in away)
    ]
    assert unexplained == []


def test_sound_stays_with_its_pictures(run: Run) -> None:
    """The middle of all flashes and beeps; half a frame is the grid's, 5 ms ours."""
    late = lip_sync(run.shown["144p"], run.film["audio"].sound())
    assert late is not None
    run.evening.note("sound after picture, s", float(late))
    assert abs(late) <= LIP_SYNC


def camera_wall(run: Run, camera: float) -> float:
    """The wall clock at a time of the camera's."""
    return run.evening.began_wall + camera * (1 + SLOW)


def seen(run: Run, name: str) -> list[Step]:
    """Pictures of the camera, without those that the damage may have reached."""
    shown = run.shown[name]
    assert air.slots(shown, RATE) == list(range(len(shown)))
    playlist = m3u8.load(str(run.film[name].path))
    start = playlist.segments[0].program_date_time
    assert start is not None
    begin, end = (camera_wall(run, at) for at in run.evening.script.damaged)
    return [step for step in steps(shown, start.timestamp()) if not begin <= step.at <= end + SETTLED]
