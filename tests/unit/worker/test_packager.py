"""From packets to releases: on disk, then in the journal, then told."""

import hashlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abr.errors import JournalError, MediaError, SpoolError
from abr.journal.journal import Journal
from abr.journal.spool import Spool
from abr.model.media import EncodedPacket
from abr.model.segment import Release, Session
from abr.model.time import Grid
from abr.worker.event import film_cutters, live_cutters
from abr.worker.packager import Marks, Packager
from tests.fakes.history import live_session, number_at, rungs, sound
from tests.fakes.stream import batches, packets

SESSION = live_session(renditions=(*rungs(count=2), sound()))
FIRST = number_at(SESSION)
NAMES = [rendition.name for rendition in SESSION.renditions]


class Books:
    """A journal and a spool; what was released, checked at the moment of the call."""

    def __init__(self, folder: Path, session: Session = SESSION) -> None:
        self.journal = Journal.open(folder / "journal.db")
        self.spool = Spool(folder / "spool", durable=False)
        self.releases: list[Release] = []
        self.calls: list[int] = []
        self.session = session
        self.journal.begin_event(session.event, session.channel, 0)
        self.journal.begin_session(session, {})

    def packager(self, *, batch: int = 1) -> Packager:
        cutters = live_cutters(self.session, FIRST) if self.session.live else film_cutters(self.session)
        return Packager(self.session, cutters, (self.journal, self.spool), self._released, batch=batch)

    def _released(self, releases):
        self.releases += releases
        self.calls.append(len(releases))
        assert list(self.journal.releases()) == self.releases
        for row in (row for release in releases for row in release.rows if not row.gap):
            data = self.spool.path(row.session, row.rendition, row.number).read_bytes()
            assert (len(data), hashlib.sha256(data).hexdigest()) == (row.size, row.sha256)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    made = Books(tmp_path)
    yield made
    made.journal.close()


def give(packager: Packager, count: int) -> None:
    """All packets of `count` segments."""
    for name, some in batches(SESSION, FIRST, count):
        packager.push(name, some)


def test_each_number_is_on_disk_and_in_the_journal_before_it_is_told(books):
    packager = books.packager()
    give(packager, 4)
    packager.flush()
    assert [release.number for release in books.releases] == [FIRST + place for place in range(4)]
    assert [release.sequence for release in books.releases] == [0, 1, 2, 3]
    assert books.calls == [1, 1, 1, 1]
    for release in books.releases:
        assert [row.rendition for row in release.rows] == NAMES
        assert not any(row.gap for row in release.rows)


def test_a_segment_holds_the_bytes_of_its_packets_in_order(books):
    packager = books.packager()
    give(packager, 1)
    packager.flush()
    data = books.spool.path(SESSION.id, "720p", FIRST).read_bytes()
    samples = b"".join(item.data for item in packets(SESSION, SESSION.rendition("720p"), FIRST, 1))
    assert data.endswith(samples)
    row = books.releases[0].rows[1]
    assert (row.duration, row.size) == (172_800, len(data))


def test_nothing_is_released_before_the_slowest_rendition(books):
    packager = books.packager()
    slow = SESSION.rendition("720p")
    for rendition in SESSION.renditions:
        if rendition is not slow:
            packager.push(rendition.name, packets(SESSION, rendition, FIRST, 3))
    assert books.releases == []
    packager.push(slow.name, packets(SESSION, slow, FIRST, 3))
    assert [release.number for release in books.releases] == [FIRST, FIRST + 1]


def test_a_number_without_media_in_one_rendition_is_a_gap_there(books):
    packager = books.packager()
    for name, some in batches(SESSION, FIRST, 4):
        kept = [item for item in some if name != "audio" or item.pts // 92_160 != FIRST + 1]
        packager.push(name, kept)
    packager.flush()
    gaps = [(release.number, row.rendition) for release in books.releases for row in release.rows if row.gap]
    assert gaps == [(FIRST + 1, "audio")]
    hole = books.releases[1].rows[2]
    assert (hole.start, hole.duration) == ((FIRST + 1) * 92_160, 92_160)


def test_a_rendition_that_gave_nothing_at_all_is_a_gap_at_the_end(books):
    packager = books.packager()
    packager.push("1080p", packets(SESSION, SESSION.rendition("1080p"), FIRST, 1))
    packager.flush()
    assert [row.gap for row in books.releases[0].rows] == [False, True, True]


def test_a_segment_that_holds_the_slate_is_marked_in_each_rung_and_not_in_sound(books):
    cutters = live_cutters(SESSION, FIRST)
    slated = {FIRST + 1}.__contains__
    packager = Packager(
        SESSION, cutters, (books.journal, books.spool), books._released, marks=Marks(slated=slated)
    )
    give(packager, 3)
    packager.flush()
    marks = [[row.slate for row in release.rows] for release in books.journal.releases()]
    assert marks == [[False] * 3, [True, True, False], [False] * 3]


def test_what_a_slow_machine_left_out_is_marked_in_its_rung(books):
    """A segment of every second frame, and a gap."""
    shed = {("1080p", FIRST): 1, ("1080p", FIRST + 1): 2}
    packager = Packager(
        SESSION,
        live_cutters(SESSION, FIRST),
        (books.journal, books.spool),
        books._released,
        marks=Marks(shed=lambda *key: shed.get(key, 0)),
    )
    for rendition in SESSION.renditions:
        packager.push(rendition.name, packets(SESSION, rendition, FIRST, 1))
    for rendition in SESSION.renditions[1:]:
        packager.push(rendition.name, packets(SESSION, rendition, FIRST + 1, 2))
    packager.skip("1080p", (FIRST + 2) * 172_800)
    packager.push("1080p", packets(SESSION, SESSION.rendition("1080p"), FIRST + 2, 1))
    packager.flush()
    marks = [[(row.shed, row.gap) for row in release.rows] for release in books.journal.releases()]
    assert marks[0] == [(1, False), (0, False), (0, False)]
    assert marks[1] == [(2, True), (0, False), (0, False)]
    assert marks[2] == [(0, False)] * 3


def test_numbers_share_a_commit_when_asked(books):
    packager = books.packager(batch=3)
    give(packager, 8)
    packager.flush()
    assert books.calls == [3, 3, 2]


def test_a_session_without_packets_releases_nothing(books):
    books.packager().flush()
    assert books.releases == books.calls == []


def test_what_each_rendition_gave_is_counted(books):
    packager = books.packager()
    give(packager, 2)
    packager.flush()
    for place, name in enumerate(NAMES):
        rows = [release.rows[place] for release in books.releases]
        tally = packager.tallies[name]
        assert (tally.segments, tally.bytes) == (2, sum(row.size for row in rows))
        assert (tally.latest_bits, tally.latest_ticks) == (rows[-1].size * 8, rows[-1].duration)


def test_a_spool_that_cannot_be_written_releases_nothing(books, tmp_path):
    (tmp_path / "spool").write_bytes(b"a file in its place")
    packager = books.packager()
    with pytest.raises(SpoolError, match="the spool cannot be used"):
        give(packager, 2)
    assert list(books.journal.releases()) == []


def test_a_journal_that_cannot_be_written_tells_nobody(books):
    packager = books.packager()
    books.journal.close()
    with pytest.raises(JournalError, match="the journal cannot be used"):
        give(packager, 2)
    assert books.releases == []


def test_a_live_segment_without_a_key_frame_is_refused(books):
    packager = books.packager()
    rendition = SESSION.rendition("1080p")
    packager.push("1080p", packets(SESSION, rendition, FIRST, 1))
    late = [item._replace(key=False) for item in packets(SESSION, rendition, FIRST + 1, 1)]
    with pytest.raises(MediaError, match="key frame"):
        packager.push("1080p", late)


def test_a_film_is_cut_at_its_own_key_frames_and_numbered_one_after_another(tmp_path):
    """Key frames every 2.4 s on a grid of 1.92 s: number 5 of the grid never comes, the fifth segment does."""
    duration = Fraction(48, 25)
    film = Session(
        id="film", channel="main", renditions=(*rungs(count=1), sound()), duration=duration,
        live=False, media_start=duration, event="film",
    )  # fmt: skip
    books = Books(tmp_path, film)
    packager = books.packager()
    pictures = [EncodedPacket(172_800 + 3600 * n, 3600, n % 60 == 0, b"p") for n in range(360)]
    packager.push("1080p", pictures)
    packager.push("audio", [EncodedPacket(92_160 + 1024 * n, 1024, True, b"s") for n in range(675)])
    packager.flush()
    assert [release.number for release in books.releases] == list(range(1, 7))
    assert {release.rows[0].duration for release in books.releases} == {216_000}
    assert sum(release.rows[1].duration for release in books.releases) == 675 * 1024
    books.journal.close()


@settings(max_examples=6)
@given(st.data())
def test_batches_of_any_size_in_any_interleaving_give_the_same_releases(tmp_path_factory, data):
    """What is released depends on the packets, not on how the encoders' threads took turns."""
    books = Books(tmp_path_factory.mktemp("books"))
    packager = books.packager()
    waiting = {item.name: packets(SESSION, item, FIRST, 3) for item in SESSION.renditions}
    while any(waiting.values()):
        name = data.draw(st.sampled_from([name for name, left in waiting.items() if left]))
        size = data.draw(st.integers(20, 200))
        packager.push(name, waiting[name][:size])
        del waiting[name][:size]
    packager.flush()
    assert [release.number for release in books.releases] == [FIRST, FIRST + 1, FIRST + 2]
    assert not any(row.gap for release in books.releases for row in release.rows)
    books.journal.close()


def test_a_rung_that_pauses_holds_no_number_back(books):
    """Its numbers are released as gaps as soon as the others are complete."""
    packager = books.packager()
    give(packager, 1)
    grid, top = Grid(SESSION.duration), SESSION.renditions[0]
    packager.skip(top.name, grid.start(FIRST + 3, top.timescale))
    for name, some in batches(SESSION, FIRST + 1, 3):
        if name != top.name:
            packager.push(name, some)
    rows = [[row.gap for row in release.rows] for release in books.releases]
    assert rows == [[False, False, False], [True, False, False], [True, False, False]]
    for name, some in batches(SESSION, FIRST + 3, 2):
        if name == top.name or some[0].pts >= grid.start(FIRST + 4, 48_000 if name == "audio" else 90_000):
            packager.push(name, some)
    packager.flush()
    assert [release.number - FIRST for release in books.releases] == [0, 1, 2, 3, 4]
    assert [release.rows[0].gap for release in books.releases] == [False, True, True, False, False]
