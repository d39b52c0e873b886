"""The judge: finds the entry points of a stream, runs every check that applies, and says what it could not judge."""

import time
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from abr.clock import Clock, SystemClock
from abr.errors import RemoteProtocolError, UsageError
from abr.log import redact
from abr.verify import agreement, alignment_rules, manifest_rules, measured_rules, media_rules, playlist_rules
from abr.verify.finding import Docket, Finding
from abr.verify.library import Library
from abr.verify.manifest import Manifest, read_manifest
from abr.verify.multivariant import Multivariant, is_multivariant, read_multivariant
from abr.verify.multivariant_rules import MULTIVARIANT_CHECKS
from abr.verify.playlist import MediaPlaylist, Text, read_media, read_text
from abr.verify.rendition import Presentation, Rendition
from abr.verify.rendition import load as load_rendition
from abr.verify.representation import load as load_tracks
from abr.verify.representation_rules import DYNAMIC_TRACK_CHECKS, STATIC_TRACK_CHECKS, TRACK_CHECKS, Look
from abr.verify.source import Answer, Source, base_of, resolve, short
from abr.verify.verdict import Asked, Verdict, not_judged

_HLS_ENTRY, _DASH_ENTRY = "index.m3u8", "manifest.mpd"
_HOUR = Fraction(3000)
"""Seconds of a live list from which Apple's hourly mean is judged."""


class Progress(NamedTuple):
    """How a caller follows the work: `fetched()` for each object, `stage(text)` for each step."""

    fetched: Callable[[], None] = lambda: None
    stage: Callable[[str], None] = lambda _: None


class Entries(NamedTuple):
    """The entry points of a stream; None where there is none."""

    hls: Answer | None
    dash: Answer | None


def judge(
    target: str,
    *,
    live_seconds: int = 0,
    decode: bool = False,
    clock: Clock | None = None,
    wait: Callable[[float], object] = time.sleep,
    progress: Progress | None = None,
) -> Verdict:
    """Judge a published stream: a folder, an http(s) address, or one playlist or manifest of it.

    `live_seconds` > 0 also watches how it changes; `decode` decodes every segment (C-17). `wait` pauses for some
    seconds. Raises UsageError if there is no stream at the target.
    """
    case = _Case(target, Source(), clock or SystemClock(), progress or Progress())
    case.open()
    case.judge_hls(decode=decode)
    case.judge_dash()
    case.judge_both()
    if live_seconds > 0:
        case.judge_live(live_seconds, wait)
    return case.verdict(live=live_seconds > 0, decode=decode)


def find_entries(source: Source, target: str) -> Entries:
    """The multivariant playlist and the manifest of a target. Raises UsageError if neither is there."""
    base = base_of(target)
    path = base.partition("?")[0]
    folder = base if path.endswith("/") else base.rsplit("/", 1)[0] + "/" if _is_entry(path) else base + "/"
    hls = base if path.endswith(".m3u8") else resolve(folder, _HLS_ENTRY)
    dash = base if path.endswith(".mpd") else resolve(folder, _DASH_ENTRY)
    answers = [source.read(url) for url in (hls, dash)]
    found = Entries(*(answer if answer.ok else None for answer in answers))
    if found == (None, None):
        raise UsageError(
            f"{redact(target)}: there is neither {_HLS_ENTRY} ({answers[0].problem}) "
            f"nor {_DASH_ENTRY} ({answers[1].problem})",
            hint="name a channel's folder, that of a recording (CHANNEL/recordings/ID), or one of the two files",
        )
    return found


def _is_entry(path: str) -> bool:
    return path.endswith((".m3u8", ".mpd"))


class _Case:
    """One stream on trial: what was read of it, and the docket."""

    def __init__(self, target: str, source: Source, clock: Clock, progress: Progress) -> None:
        self.target = target
        self.source = source
        self.clock = clock
        self.progress = progress
        self.base = ""
        self.library = Library(source, progress.fetched)
        self.docket = Docket()
        self.entries = Entries(None, None)
        self.presentation: Presentation | None = None
        self.look: Look | None = None

    def open(self) -> None:
        """Fetch the entry points."""
        self.progress.stage("entry points")
        self.entries = find_entries(self.source, self.target)
        answer = self.entries.hls or self.entries.dash
        assert answer
        self.base = answer.url

    def judge_hls(self, *, decode: bool) -> None:
        """Everything of the HLS view."""
        answer = self.entries.hls
        text = self._text(answer) if answer else None
        if answer is None or text is None:
            return
        self.docket.mark("H-00")
        if is_multivariant(text):
            self._multivariant(answer, text)
        else:
            self._lone_playlist(text)
        if decode and self.presentation:
            self._decode(self.presentation)

    def _multivariant(self, answer: Answer, text: Text) -> None:
        self.docket.hear(playlist_rules.MULTIVARIANT_TEXT_CHECKS, text)
        self._deliver("multivariant", answer, 0)
        try:
            playlist = read_multivariant(text)
        except RemoteProtocolError as error:
            self.docket.add([Finding("H-00", text.url, str(error))])
            return
        self.docket.hear(MULTIVARIANT_CHECKS, playlist)
        self.presentation = Presentation(playlist, self._renditions(playlist))
        self._judge_presentation(self.presentation)

    def _lone_playlist(self, text: Text) -> None:
        """A media playlist that was named itself: its own rules, none of those between lists."""
        rendition = self._rendition(text.url, "variant")
        renditions = {text.url: rendition} if rendition else {}
        self.presentation = Presentation(Multivariant(text, (), (), ()), renditions)

    def _text(self, answer: Answer) -> Text | None:
        try:
            return read_text(answer.url, answer.body)
        except RemoteProtocolError as error:
            self.docket.add([Finding("H-01", answer.url, str(error))])
            return None

    def _renditions(self, playlist: Multivariant) -> dict[str, Rendition]:
        roles = {item.url: item.kind.lower() for item in playlist.alternatives if item.url}
        roles |= {item.url: "iframes" for item in playlist.iframes if item.url}
        roles |= {item.url: "variant" for item in playlist.variants}
        found = {url: self._rendition(url, role) for url, role in roles.items()}
        return {url: item for url, item in found.items() if item}

    def _rendition(self, url: str, role: str) -> Rendition | None:
        self.progress.stage(short(url, self.base))
        answer = self.source.read(url)
        self.progress.fetched()
        if not answer.ok:
            self.docket.add([Finding("H-00", url, answer.problem)])
            return None
        text = self._text(answer)
        if text is None:
            return None
        self.docket.hear(playlist_rules.TEXT_CHECKS, text)
        try:
            playlist = read_media(text)
        except RemoteProtocolError as error:
            self.docket.add([Finding("H-00", url, str(error))])
            return None
        self._judge_playlist(playlist, role)
        self._deliver("live" if playlist.live else "static", answer, playlist.target or 0)
        return self._judge_media(load_rendition(self.library, playlist, role))

    def _judge_playlist(self, playlist: MediaPlaylist, role: str) -> None:
        self.docket.hear(playlist_rules.LIST_CHECKS, playlist)
        if role != "iframes":
            self.docket.hear(playlist_rules.PACE_CHECKS, playlist)
        if playlist.live:
            self.docket.hear(playlist_rules.LIVE_CHECKS, playlist)
        else:
            self.docket.hear(playlist_rules.ENDED_CHECKS, playlist)

    def _judge_media(self, rendition: Rendition) -> Rendition:
        self.docket.mark("H-06", "H-07")
        self.docket.add(rendition.faults)
        self.docket.hear(media_rules.MEDIA_CHECKS, rendition)
        if rendition.role != "iframes":
            self.docket.hear(media_rules.TIMELINE_CHECKS, rendition)
            if rendition.is_video:
                self.docket.hear(media_rules.VIDEO_CHECKS, rendition)
            if rendition.is_audio:
                self.docket.hear(media_rules.AUDIO_CHECKS, rendition)
        for item in rendition.media[:1] + rendition.media[-1:]:
            if item.entry.initial:
                self._deliver("init", self.library.answers.get(item.entry.initial.url), 0)
            self._deliver("segment", self.library.answers.get(item.entry.url), 0)
        return rendition

    def _judge_presentation(self, presentation: Presentation) -> None:
        self.docket.hear(alignment_rules.ALIGNMENT_CHECKS, presentation)
        self.docket.hear(measured_rules.MEASURED_CHECKS, presentation)
        if presentation.iframes:
            self.docket.hear(measured_rules.IFRAME_CHECKS, presentation)
        lists = [item.playlist for item in presentation.main]
        if lists and all(playlist.ended for playlist in lists):
            self.docket.hear(alignment_rules.FINISHED_ALIGNMENT_CHECKS, presentation)
            if all(playlist.kind for playlist in lists):
                self.docket.hear(measured_rules.FINISHED_CHECKS, presentation)
        elif lists:
            self.docket.hear(measured_rules.LIVE_PEAK_CHECKS, presentation)
            if min(playlist.duration for playlist in lists) >= _HOUR:
                self.docket.hear(measured_rules.HOUR_CHECKS, presentation)

    def _decode(self, presentation: Presentation) -> None:
        from abr.verify.decode import judge_decoding  # noqa: PLC0415 - FFmpeg is loaded on use

        self.docket.mark("C-17")
        for rendition in presentation.video + presentation.audio:
            self.progress.stage(f"decoding {short(rendition.url, self.base)}")
            self.docket.add(judge_decoding(self.source, rendition))

    def judge_dash(self) -> None:
        """Everything of the DASH view."""
        answer = self.entries.dash
        if answer is None:
            return
        self._deliver("manifest", answer, 0)
        now = self.clock.wall()
        try:
            manifest = read_manifest(answer.url, answer.body)
            self.progress.stage(short(answer.url, self.base))
            self._judge_manifest(manifest, now)
            tracks = load_tracks(self.library, manifest, now)
        except RemoteProtocolError as error:
            self.docket.add([Finding("D-01", answer.url, str(error))])
            return
        for track in tracks:
            self.docket.add(track.faults)
        self.look = Look(manifest, tuple(tracks), now)
        self.docket.hear(TRACK_CHECKS, self.look)
        self.docket.hear(DYNAMIC_TRACK_CHECKS if manifest.dynamic else STATIC_TRACK_CHECKS, self.look)

    def _judge_manifest(self, manifest: Manifest, now: int) -> None:
        self.docket.hear(manifest_rules.MANIFEST_CHECKS, manifest)
        if len(manifest.periods) > 1:
            self.docket.hear(manifest_rules.PERIOD_CHECKS, manifest)
        if manifest.dynamic:
            self.docket.hear(manifest_rules.DYNAMIC_CHECKS, manifest)
            if agreement.clocks_of(manifest):
                self.docket.mark("D-15", "D-16")
                self.docket.add(agreement.judge_clocks(self.source, manifest, now))
        else:
            self.docket.hear(manifest_rules.STATIC_CHECKS, manifest)

    def judge_both(self) -> None:
        """The agreement of the two views."""
        if self.presentation and self.look:
            self.docket.hear(agreement.AGREEMENT_CHECKS, agreement.Both(self.presentation, self.look))

    def judge_live(self, seconds: int, wait: Callable[[float], object]) -> None:
        """Watch the lists and the manifest."""
        from abr.verify import live_manifest_rules, live_playlist_rules  # noqa: PLC0415 - only with --live
        from abr.verify.watch import Pace, watch  # noqa: PLC0415

        renditions = self.presentation.renditions.values() if self.presentation else ()
        urls = [item.url for item in renditions if item.playlist.live]
        dynamic = self.look.manifest.url if self.look and self.look.manifest.dynamic else None
        if not urls and dynamic is None:
            return
        self.progress.stage(f"watching for {seconds} s")
        clocks = Pace(self.clock, wait, self.progress.fetched)
        history = watch(self.source, urls, dynamic, clocks, seconds)
        self.docket.hear(live_playlist_rules.LIVE_PLAYLIST_CHECKS, *history.playlists)
        if history.playlists:
            self.docket.hear(live_playlist_rules.LIVE_GROUP_CHECKS, history.playlists)
        if history.manifest:
            self.docket.hear(live_manifest_rules.LIVE_MANIFEST_CHECKS, history.manifest)

    def _deliver(self, kind: str, answer: Answer | None, target: int) -> None:
        """Judge the headers of an answer; files have none."""
        if answer is None or not answer.headers:
            return
        told = answer.headers.get("content-type", "")
        kind = "text" if kind == "segment" and told.startswith(("text/", "application/ttml")) else kind
        delivered = agreement.Delivered(kind, answer, target)
        self.docket.hear(agreement.DELIVERY_CHECKS, delivered)
        if kind == "manifest":
            self.docket.hear(agreement.MANIFEST_DELIVERY_CHECKS, delivered)
        elif kind in {"live", "static", "multivariant"}:
            self.docket.hear(agreement.PLAYLIST_DELIVERY_CHECKS, delivered)

    def verdict(self, *, live: bool, decode: bool) -> Verdict:
        """The findings with addresses made short, and the rules that were not judged."""
        findings = tuple(item._replace(where=short(item.where, self.base)) for item in self.docket.findings)
        asked = Asked(hls=self.presentation is not None, dash=self.look is not None, live=live, decode=decode)
        judged = self.docket.judged
        return Verdict(redact(self.target), findings, judged, not_judged(judged, asked))
