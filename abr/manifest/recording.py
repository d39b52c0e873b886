"""The views of a recording: HLS of type VOD and a static manifest over the objects that were live, or of a film."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil

from abr.errors import LocalProtocolError
from abr.formats.dash import Manifest, Period, Profile, write_manifest
from abr.formats.hls import (
    MICRO,
    MediaPlaylist,
    PlaylistType,
    rounded_seconds,
    write_media,
    write_multivariant,
)
from abr.manifest.dash import OpenPeriod, Origin, is_playable, period_id
from abr.manifest.hls import SegmentLines, multivariant
from abr.manifest.rate import Weight, average_rate, peak_rate
from abr.manifest.timeline import Entry, entry_of
from abr.model.segment import Release, Rendition, Session

_CHANNEL = "../../"
"""From `{channel}/recordings/{id}/` to the channel's folder."""


def recording_views(sessions: Sequence[Session], releases: Iterable[Release]) -> dict[str, bytes]:
    """Path below the recording's folder → bytes: `index.m3u8`, `manifest.mpd`, `{rendition}/index.m3u8`.

    `releases` are in order of time, each of one of `sessions`; the result is empty where there are none.
    Bandwidths are measured. Raises LocalProtocolError where the sessions do not have the same renditions.
    """
    known = {session.id: session for session in sessions}
    recording: Recording | None = None
    for release in releases:
        if release.session not in known:
            raise LocalProtocolError(
                f"release {release.sequence} is of session {release.session}, not listed"
            )
        session = known[release.session]
        recording = recording or Recording(session)
        recording.add(session, release)
    return recording.views() if recording else {}


class Recording:
    """A fold over the releases of one recording."""

    def __init__(self, session: Session) -> None:
        names = [rendition.name for rendition in session.renditions]
        self._names = names
        self._lines = [SegmentLines(index, f"../{_CHANNEL}{name}/") for index, name in enumerate(names)]
        self._weights: list[list[Weight]] = [[] for _ in names]
        self._periods: list[OpenPeriod] = []
        self._breaks = 0
        self._session = session
        self._open = False

    def add(self, session: Session, release: Release) -> None:
        """The next release."""
        if [rendition.name for rendition in session.renditions] != self._names:
            raise LocalProtocolError(
                f"session {session.id} has other renditions than the recording began with"
            )
        self._breaks += session.id != self._session.id
        self._session = session
        entry = entry_of(session, self._breaks, release)
        for index, row in enumerate(release.rows):
            self._lines[index].append(entry)
            self._weights[index].append(Weight(entry.duration(index), row.size, row.gap))
        self._extend(entry)

    def views(self) -> dict[str, bytes]:
        """All files, once every release is in."""
        longest = max(weight.duration for weights in self._weights for weight in weights)
        target = rounded_seconds(longest)
        rates = [(peak_rate(weights, target), average_rate(weights)) for weights in self._weights]
        head = MediaPlaylist(target, playlist_type=PlaylistType.VOD, ended=True)
        files = {"index.m3u8": write_multivariant(multivariant(_measured(self._session, rates)))}
        if self._periods:  # only gaps: nothing that DASH could list
            files["manifest.mpd"] = write_manifest(self._manifest(Fraction(longest, MICRO), rates))
        for name, lines in zip(self._names, self._lines, strict=True):
            files[f"{name}/index.m3u8"] = write_media(head, lines)
        return {path: text.encode() for path, text in files.items()}

    def _extend(self, entry: Entry) -> None:
        """What cannot be played ends a Period. The next follows at once: a recording's DASH time line has no holes."""
        if not is_playable(entry):
            self._open = False
            return
        if not self._open or not self._periods[-1].goes_on(entry):
            row, lead = entry.release.rows[0], entry.session.renditions[0]
            origin = Origin(self._end(), Fraction(row.start, lead.timescale))
            name = period_id(entry.session, entry.release.number)
            self._periods.append(OpenPeriod(entry, name, origin))
            self._open = True
        self._periods[-1].append(entry)

    def _end(self) -> Fraction:
        if not self._periods:
            return Fraction(0)
        return self._periods[-1].origin.start + self._periods[-1].length

    def _manifest(self, longest: Fraction, rates: Sequence[tuple[int, int]]) -> Manifest:
        buffer = Fraction(ceil(longest * 1000), 1000)
        return Manifest(
            periods=tuple(self._elements(rates)),
            min_buffer_time=buffer,
            max_segment_duration=buffer,
            media_presentation_duration=self._end(),
            profile=Profile.MAIN if any(period.skips for period in self._periods) else Profile.LIVE,
        )

    def _elements(self, rates: Sequence[tuple[int, int]]) -> Iterable[Period]:
        before = None
        for period in self._periods:
            period.session = replace(period.session, renditions=_measured(period.session, rates))
            yield period.element(before, period.length, _CHANNEL)
            before = period


def _measured(session: Session, rates: Sequence[tuple[int, int]]) -> tuple[Rendition, ...]:
    """The renditions with what was measured, instead of what the encoders were told."""
    return tuple(
        replace(rendition, bandwidth=peak, average_bandwidth=average)
        for rendition, (peak, average) in zip(session.renditions, rates, strict=True)
    )
