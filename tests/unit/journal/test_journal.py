"""The journal: what is recorded stays, in order, through kills and restarts."""

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import JournalCorrupt, JournalError, JournalNewer, SpoolFull
from abr.journal.database import _journal_error
from abr.journal.journal import Journal
from abr.journal.record import Confirmation, Delivery, EventRow, InitRow, PendingInit
from abr.model.media import Kind
from abr.model.segment import Part, Release, Rendition, SegmentRow, Session

NANO = 1_000_000_000
VIDEO = Rendition("720p", Kind.VIDEO, 90_000, "avc1.64001f", 2_500_000, 2_000_000)
AUDIO = Rendition("audio", Kind.AUDIO, 48_000, "mp4a.40.2", 140_000, 128_000)
INITS = {"720p": InitRow("aa", 700), "audio": InitRow("bb", 600)}


def session(name: str, *, channel: str = "news", event: str = "E1", live: bool = True) -> Session:
    return Session(name, channel, (VIDEO, AUDIO), Fraction(2), live, event=event)


def row(of: str, number: int, rendition: Rendition = VIDEO, *, gap: bool = False) -> SegmentRow:
    start, duration = 2 * number * rendition.timescale, 2 * rendition.timescale
    if gap:
        return SegmentRow(of, rendition.name, number, start, duration, 0, "", 0, 0, (), gap=True)
    parts = (Part(duration // 2, 400, True), Part(duration // 2, 600, False))
    return SegmentRow(of, rendition.name, number, start, duration, 1000, f"{number:064x}", 24, 300, parts)


def rows(of: str, number: int) -> list[SegmentRow]:
    return [row(of, number), row(of, number, AUDIO)]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal.db") as opened:
        yield opened


def begun(journal: Journal, *names: str) -> None:
    for name in names:
        journal.begin_session(session(name), INITS)


def test_what_was_recorded_is_read_again(tmp_path: Path) -> None:
    """After closing and opening: events, sessions, inits and releases, field by field."""
    rich = replace(
        session("S1"),
        renditions=(replace(VIDEO, frame_rate=Fraction(30_000, 1001), delay=6006), AUDIO),
        duration=Fraction(48, 25),
        lag=Fraction(7, 3),
        media_start=Fraction(2),
    )
    special = row("S1", 9)._replace(slate=True, key_id="k1", shed=1)
    with Journal.open(tmp_path / "journal.db") as journal:
        journal.begin_event("E1", "news", 5)
        journal.begin_session(rich, INITS)
        made = journal.release("S1", 9, [row("S1", 9, AUDIO, gap=True), special])
        journal.end_event("E1", 8)
    with Journal.open(tmp_path / "journal.db") as journal:
        assert journal.events("news") == [EventRow("E1", "news", 5, 8)]
        assert journal.events("sport") == []
        assert journal.sessions("E1") == [rich]
        assert journal.session("S1") == rich
        assert journal.inits("S1") == INITS
        assert list(journal.releases("E1")) == [made]
        assert made == Release(0, 0, "S1", 9, (special, row("S1", 9, AUDIO, gap=True)))


def test_sequences_go_on_where_sessions_change(journal: Journal) -> None:
    """+1 for each release, never reset; the discontinuity count is that of the sessions before."""
    assert journal.next_sequence("news") == 0
    assert journal.begin_session(session("S1"), INITS) == 0
    first = [journal.release("S1", number, rows("S1", number)) for number in (100, 101, 105)]
    assert journal.begin_session(session("S2"), INITS) == 1
    second = journal.release_many("S2", [(number, rows("S2", number)) for number in (300, 301)])
    assert [(item.sequence, item.discontinuity) for item in first] == [(0, 0), (1, 0), (2, 0)]
    assert [(item.sequence, item.discontinuity) for item in second] == [(3, 1), (4, 1)]
    assert list(journal.releases()) == first + second
    assert list(journal.releases(after=2)) == second
    assert journal.next_sequence("news") == 5


def test_a_session_that_released_nothing_is_not_counted(journal: Journal) -> None:
    begun(journal, "S1", "S2")
    assert journal.release("S2", 1, rows("S2", 1)).discontinuity == 0
    assert journal.discontinuities("news") == 1


def test_channels_count_apart(journal: Journal) -> None:
    begun(journal, "S1")
    journal.begin_session(session("S2", channel="sport", event="E2"), INITS)
    journal.release("S1", 1, rows("S1", 1))
    other = journal.release("S2", 1, rows("S2", 1))
    assert (other.sequence, other.discontinuity) == (0, 0)
    assert list(journal.releases(channel="sport")) == [other]
    assert list(journal.releases("E2")) == [other]
    assert len(list(journal.releases())) == 2


@pytest.mark.parametrize(
    ("number", "given", "reason"),
    [
        (7, rows("S1", 7), "number 7 comes after 7"),
        (6, rows("S1", 6), "number 6 comes after 7"),
        (8, [], "no rows"),
        (8, rows("S1", 9), "rows of another"),
        (8, rows("S2", 8), "rows of another"),
        (8, [row("S1", 8), row("S1", 8)], "recorded already"),
        (8, [row("S1", 8)._replace(rendition="1080p")], "no rendition '1080p'"),
    ],
)
def test_a_release_out_of_order_is_refused_whole(
    journal: Journal, number: int, given: list[SegmentRow], reason: str
) -> None:
    """Nothing of the batch is kept, and no sequence is spent."""
    begun(journal, "S1")
    kept = journal.release("S1", 7, rows("S1", 7))
    with pytest.raises(JournalError, match=reason):
        journal.release_many("S1", [(number, given)])
    assert list(journal.releases()) == [kept]
    assert journal.next_sequence("news") == 1


def test_a_session_that_is_over_releases_nothing(journal: Journal) -> None:
    begun(journal, "S1", "S2", "S3")
    journal.release("S1", 1, rows("S1", 1))
    journal.release("S2", 1, rows("S2", 1))
    with pytest.raises(JournalError, match="followed by another"):
        journal.release("S1", 2, rows("S1", 2))
    journal.end_session("S2")
    with pytest.raises(JournalError, match="has ended"):
        journal.release("S2", 2, rows("S2", 2))
    assert [open_.id for open_ in journal.open_sessions("news")] == ["S1", "S3"]


def test_the_end_of_the_last_segment_is_that_of_the_longest(journal: Journal) -> None:
    """Nanoseconds rounded up, over renditions and sessions; a film's time is not the channel's."""
    begun(journal, "S1")
    assert journal.last_end("news") == 0
    late = row("S1", 3, AUDIO)._replace(duration=2 * 48_000 + 1)
    journal.release("S1", 3, [row("S1", 3), late])
    assert journal.last_end("news") == 8 * NANO + 20_834
    journal.begin_session(session("F1", channel="film", live=False), INITS)
    journal.release("F1", 3, rows("F1", 3))
    assert journal.last_end("film") == 0


def test_counters_go_on_from_what_an_origin_says_and_never_back(journal: Journal) -> None:
    journal.resume("news", 70, 4, 9 * NANO)
    journal.resume("news", 50, 5, 8 * NANO)
    assert journal.begin_session(session("S1"), INITS) == 5
    made = journal.release("S1", 1, rows("S1", 1))
    assert (made.sequence, made.discontinuity) == (70, 5)
    assert journal.last_end("news") == 9 * NANO


def test_what_an_origin_lacks(journal: Journal) -> None:
    """Inits and segments that were not confirmed there; no gaps; each origin by itself; a lost one is not awaited."""
    begun(journal, "S1")
    first = journal.release("S1", 1, rows("S1", 1))
    second = journal.release("S1", 2, [row("S1", 2), row("S1", 2, AUDIO, gap=True)])
    everything = journal.unconfirmed("a")
    assert everything.inits == tuple(PendingInit("S1", name, init) for name, init in INITS.items())
    assert [item.rows for item in everything.releases] == [first.rows, second.rows[:1]]

    said = [Confirmation("S1", "720p", None, 700, "i", 3), Confirmation("S1", "720p", 1, 1000, "s", 4)]
    gone = Confirmation("S1", "720p", 2, 0, "", 5, Delivery.LOST)
    journal.confirm("a", [*said, gone])
    left = journal.unconfirmed("a")
    assert left.inits == (PendingInit("S1", "audio", INITS["audio"]),)
    assert left.releases == (first._replace(rows=first.rows[1:]),)
    assert journal.unconfirmed("b") == everything
    assert journal.unconfirmed("b", limit=1).releases == everything.releases[:1]
    assert journal.unconfirmed("b", after=0).releases == everything.releases[1:]
    assert journal.unconfirmed("b", event="E9") == ((), ())
    assert journal.unconfirmed("b", channel="sport") == ((), ())
    assert journal.confirmed("a") == journal.confirmed("a", "S1") == said
    assert journal.lost("a") == [gone]
    assert journal.confirmed("b") == []


def test_the_latest_word_on_an_object_counts(journal: Journal) -> None:
    begun(journal, "S1")
    journal.release("S1", 1, rows("S1", 1))
    journal.confirm("a", [Confirmation("S1", "720p", 1, 0, "", 1, Delivery.LOST)])
    journal.confirm("a", [Confirmation("S1", "720p", 1, 1000, "e", 2)])
    assert journal.confirmed("a") == [Confirmation("S1", "720p", 1, 1000, "e", 2)]
    assert journal.lost("a") == []


def test_pages_join_without_a_seam(journal: Journal) -> None:
    """More releases than are read at a time."""
    begun(journal, "S1")
    made = journal.release_many("S1", [(number, [row("S1", number)]) for number in range(1100)])
    assert list(journal.releases()) == made


def test_each_commit_wakes_who_waits_and_a_failed_one_does_not(journal: Journal) -> None:
    woken: list[int] = []
    journal.on_commit.append(lambda: woken.append(1))
    begun(journal, "S1")
    journal.release("S1", 1, rows("S1", 1))
    journal.confirm("a", [Confirmation("S1", "720p", 1, 1000, "e")])
    assert len(woken) == 3
    with pytest.raises(JournalError):
        journal.release("S1", 1, rows("S1", 1))
    assert len(woken) == 3


def test_another_process_sees_commits(tmp_path: Path, journal: Journal) -> None:
    with Journal.open(tmp_path / "journal.db") as other:
        before = other.data_version()
        begun(journal, "S1")
        made = journal.release("S1", 1, rows("S1", 1))
        assert other.data_version() != before
        assert list(other.releases()) == [made]
        assert other.release("S1", 2, rows("S1", 2)).sequence == 1
        assert journal.next_sequence("news") == 2


@pytest.mark.parametrize("call", ["begin_event", "begin_session"])
def test_what_is_there_already_is_refused(journal: Journal, call: str) -> None:
    arguments = {"begin_event": ("E1", "news", 1), "begin_session": (session("S1"), INITS)}[call]
    getattr(journal, call)(*arguments)
    with pytest.raises(JournalError, match="recorded already"):
        getattr(journal, call)(*arguments)


def test_names_that_nobody_knows_are_refused(journal: Journal) -> None:
    with pytest.raises(JournalError, match="knows no session S9"):
        journal.release("S9", 1, rows("S9", 1))
    with pytest.raises(JournalError, match="no rendition '4k'"):
        journal.begin_session(session("S1"), {"4k": InitRow("", 0)})


def test_a_kill_at_any_statement_leaves_all_or_nothing(tmp_path: Path) -> None:
    """The files are copied before every statement of a release, as a kill would leave them, and opened."""
    path, copies = tmp_path / "journal.db", []

    def copy(_: str) -> None:
        folder = tmp_path / f"killed-{len(copies)}"
        folder.mkdir()
        for file in tmp_path.glob("journal.db*"):
            shutil.copyfile(file, folder / file.name)
        copies.append(folder / "journal.db")

    with Journal.open(path) as journal:
        begun(journal, "S1")
        kept = journal.release("S1", 1, rows("S1", 1))
        journal._database._writer.set_trace_callback(copy)
        made = journal.release_many("S1", [(number, rows("S1", number)) for number in (2, 3)])
        copy("after the commit")
    assert len(copies) > 8
    for copied in copies:
        with Journal.open(copied) as journal:
            found = list(journal.releases())
            assert found == ([kept, *made] if copied == copies[-1] else [kept])
            assert journal.next_sequence("news") == len(found)
            assert journal.release("S1", 9, rows("S1", 9)).sequence == len(found)


Step = st.sampled_from(["release", "batch", "begin", "refuse", "reopen"])


@given(st.lists(Step, max_size=12))
def test_sequences_rise_by_one_whatever_happens(steps: list[str]) -> None:
    """Through batches, refusals, new sessions and restarts; and discontinuities by at most one."""
    with TemporaryDirectory() as folder:
        journal = Journal.open(Path(folder) / "journal.db")
        journal._database._writer.execute("PRAGMA synchronous = OFF")
        count, number = 0, 0
        journal.begin_session(session("S0"), {})
        for step in steps:
            number += 2
            current = f"S{count}"
            if step == "release":
                journal.release(current, number, rows(current, number))
            elif step == "batch":
                journal.release_many(current, [(n, [row(current, n)]) for n in (number, number + 1)])
            elif step == "begin":
                count += 1
                journal.begin_session(session(f"S{count}"), {})
            elif step == "refuse":
                with pytest.raises(JournalError):
                    journal.release_many(current, [(number, [row(current, number)]), (number, [])])
            else:
                journal.close()
                journal = Journal.open(Path(folder) / "journal.db")
        made = list(journal.releases())
        journal.close()
    assert [item.sequence for item in made] == list(range(len(made)))
    sessions = list(dict.fromkeys(item.session for item in made))
    assert [item.discontinuity for item in made] == [sessions.index(item.session) for item in made]


def test_a_newer_journal_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    Journal.open(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(JournalNewer, match=r"journal\.db: a newer abr wrote this journal \(format 99"):
        Journal.open(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    noise, foreign = tmp_path / "noise.db", tmp_path / "foreign.db"
    noise.write_bytes(b"not a database, but long enough to look like one" * 100)
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()
    for path, reason in ((noise, "cannot be read"), (foreign, "some other program")):
        before = path.read_bytes()
        with pytest.raises(JournalCorrupt, match=reason):
            Journal.open(path)
        assert path.read_bytes() == before


def test_damage_within_is_told_where_it_is_met(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path) as journal:
        begun(journal, "S1")
        journal.release_many("S1", [(number, rows("S1", number)) for number in range(200)])
    data = bytearray(path.read_bytes())
    for page in range(8 * 4096, len(data), 4096):
        data[page : page + 4096] = b"\xff" * 4096
    path.write_bytes(data)
    with Journal.open(path) as journal, pytest.raises(JournalCorrupt, match="cannot be read"):
        list(journal.releases())


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="cannot be used"):
        Journal.open(tmp_path / "file" / "journal.db")
    (tmp_path / "journal.db").mkdir()
    with pytest.raises(JournalError, match=r"journal\.db: the journal cannot be used"):
        Journal.open(tmp_path / "journal.db")


def test_a_closed_journal_says_so(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal.db")
    journal.close()
    journal.close()
    with pytest.raises(JournalError, match="closed"):
        journal.next_sequence("news")


def test_a_full_disk_may_be_tried_again(journal: Journal) -> None:
    """The transaction is gone, the file is whole, and the same call works once there is space."""
    begun(journal, "S1")
    writer = journal._database._writer
    pages = writer.execute("PRAGMA page_count").fetchone()[0]
    writer.execute(f"PRAGMA max_page_count = {pages}")
    batch = [(number, rows("S1", number)) for number in range(300)]
    with pytest.raises(SpoolFull, match="no space is left"):
        journal.release_many("S1", batch)
    assert list(journal.releases()) == []
    writer.execute("PRAGMA max_page_count = 100000")
    assert len(journal.release_many("S1", batch)) == 300


def test_a_busy_file_is_told(tmp_path: Path) -> None:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY_SNAPSHOT
    assert "another process" in str(_journal_error(tmp_path, error))
