"""What one origin may show of a running channel: its playlists and its manifest, from what it has confirmed.

The same calls give the same bytes, at every origin and after every restart.
"""

from fractions import Fraction
from math import ceil

from abr.errors import LocalProtocolError
from abr.formats.dash import Descriptor, Dynamic, Manifest, Period, write_manifest
from abr.formats.hls import MediaPlaylist, write_media, write_multivariant
from abr.manifest.dash import LivePeriods, period_id
from abr.manifest.hls import SegmentLines, multivariant
from abr.manifest.timeline import LEAST, Window, longest_segment, target_duration
from abr.model.segment import Release, Session

_OWN_DATE = Descriptor("urn:mpeg:dash:utc:http-head:2014", "manifest.mpd")
"""The Date header of the manifest itself; a relative address counts from the manifest (DASH-IF IOP 4.12)."""

_TIME_SERVER = "urn:mpeg:dash:utc:http-iso:2014"


class LiveViews:
    """A fold over the journal: `begin` a session, `advance` by confirmed releases, `end_session`, `end_event`.

    Every call costs the same at any length of the window; only the texts themselves grow with it. After
    `end_event`, or with another ladder, the next `begin` starts with an empty window and `ready` is false
    until three releases are in: until then an origin keeps what it shows.
    """

    def __init__(self, channel: str, *, time_url: str | None = None) -> None:
        """`time_url`: where players read the time (ISO 8601 text); else the Date header of the manifest."""
        self.channel = channel
        self._timing = Descriptor(_TIME_SERVER, time_url) if time_url else _OWN_DATE
        self._window = Window()
        self._lines: dict[str, SegmentLines] = {}
        self._periods = LivePeriods()
        self._whole = 0

    @property
    def ready(self) -> bool:
        """Whether three segments of every rung are in, or the event is over with fewer."""
        return self._whole >= LEAST or (self._window.ended and self._whole > 0)

    @property
    def ended(self) -> bool:
        """Whether the event is over: the playlists have EXT-X-ENDLIST, the manifest is static."""
        return self._window.ended

    def begin(self, session: Session, discontinuity: int, run: int | None = None) -> None:
        """A session begins; `discontinuity` is the channel's count of sessions before it.

        `run` is for views that are made again from the middle of a session: the number at which the DASH
        Period of the next release began (the session's first, or the first after its last gap). Without it
        the Period would get another id and start than viewers know. Raises LocalProtocolError.
        """
        if self._window.begin(session, discontinuity):
            self._periods.clear()
            self._lines = {
                rendition.name: SegmentLines(index) for index, rendition in enumerate(session.renditions)
            }
            self._whole = 0
        self._periods.begin(run)

    def advance(self, release: Release) -> None:
        """A release is confirmed. Raises LocalProtocolError where it is not the next of this session."""
        entry, left = self._window.advance(release)
        self._whole += entry.whole
        self._periods.append(entry)
        for lines in self._lines.values():
            lines.append(entry)
        for old in left:
            self._periods.drop(old)
            for lines in self._lines.values():
                lines.drop(self._window.entries[0])

    def end_session(self) -> None:
        """The session is over. What is listed stays; its Period gets a duration when another follows it."""
        self._window.close()

    def end_event(self) -> None:
        """The event is over: the playlists end, the manifest becomes static."""
        self._window.end()

    def multivariant(self) -> bytes:
        """`index.m3u8` of the channel. Fixed for the event."""
        return write_multivariant(multivariant(self._session().renditions)).encode()

    def playlist(self, name: str) -> bytes:
        """`index.m3u8` of a rendition. Raises KeyError for a name that the session does not have."""
        entries = self._window.entries
        head = MediaPlaylist(
            target_duration=target_duration(self._session()),
            media_sequence=entries[0].release.sequence if entries else 0,
            discontinuity_sequence=entries[0].discontinuity if entries else self._window.discontinuity,
            ended=self._window.ended,
        )
        return write_media(head, self._lines[name]).encode()

    def manifest(self, published: int) -> bytes:
        """`manifest.mpd`, as of `published` (wall clock, nanoseconds): pass a later instant for each change."""
        session = self._session()
        ended = self._window.ended
        periods = tuple(self._periods.elements(ended=ended)) or (self._awaited(),)
        longest = Fraction(ceil(longest_segment(session) * 1000), 1000)
        live = Dynamic(
            minimum_update_period=session.duration,
            time_shift_buffer_depth=session.window,
            suggested_presentation_delay=3 * session.duration + session.lag,
            utc_timing=self._timing,
        )
        manifest = Manifest(
            periods=periods,
            min_buffer_time=longest,
            max_segment_duration=longest,
            publish_time=published,
            dynamic=None if ended else live,
            media_presentation_duration=_end(periods[-1]) if ended else None,
        )
        return write_manifest(manifest).encode()

    def _session(self) -> Session:
        if self._window.session is None:
            raise LocalProtocolError(f"channel {self.channel} has no session to show yet")
        return self._window.session

    def _awaited(self) -> Period:
        """Where only gaps are listed, or nothing: the Period that the next whole release will begin."""
        session = self._session()
        entries = self._window.entries
        number = entries[-1].release.number + 1 if entries else 0
        return Period(period_id(session, number), number * session.duration, ())


def _end(period: Period) -> Fraction:
    return period.start + (period.duration or 0)
