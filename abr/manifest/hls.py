"""From journal records to HLS: the multivariant playlist, and the lines of a media playlist as they come."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from operator import attrgetter

from abr.formats.hls import Media, MediaSegment, MultivariantPlaylist, StreamInf, write_segment
from abr.manifest.timeline import Entry
from abr.model.media import Kind
from abr.model.segment import Rendition

UNKNOWN_LANGUAGE = "und"
"""BCP 47 for a language that nobody named."""


class SegmentLines:
    """The entries of one media playlist as text, in step with the window.

    Each is written once. Only the first, whatever it is by then, is written anew with its map and date.
    """

    def __init__(self, index: int, folder: str = "") -> None:
        """`index`: the rendition's place in its session; `folder`: the way from the playlist to its sessions."""
        self._index = index
        self._folder = folder
        self._lines: deque[str] = deque()
        self._first: Entry | None = None
        self._last: Entry | None = None

    def append(self, entry: Entry) -> None:
        """The next entry of the list."""
        if self._last is None:
            self._first = entry
        self._lines.append(write_segment(self._segment(entry, self._last)))
        self._last = entry

    def drop(self, first: Entry | None) -> None:
        """The first entry leaves; `first` comes after it."""
        self._lines.popleft()
        self._first = first

    def __iter__(self) -> Iterator[str]:
        if self._first is not None:
            yield write_segment(self._segment(self._first, None))
            yield from islice(self._lines, 1, None)

    def _segment(self, entry: Entry, before: Entry | None) -> MediaSegment:
        """A date stands at the start, after a break, and nowhere else: durations carry it on (§4.4.4.6)."""
        row = entry.release.rows[self._index]
        folder = f"{self._folder}{entry.session.id}"
        opens = before is None or before.session.id != entry.session.id
        broken = before is None or not entry.follows(before)
        return MediaSegment(
            uri=f"{folder}/{row.number}.m4s",
            duration=entry.duration(self._index),
            gap=row.gap,
            discontinuities=0 if before is None else entry.discontinuity - before.discontinuity,
            map_uri=f"{folder}/init.mp4" if opens else None,
            date=entry.starts[self._index] if broken and entry.session.live else None,
        )


def multivariant(renditions: Sequence[Rendition]) -> MultivariantPlaylist:
    """What a viewer opens. One variant a rung; several qualities of a sound are groups, paired by rank."""
    video = [rendition for rendition in renditions if rendition.kind is Kind.VIDEO]
    titles = _titles(renditions)
    groups = _groups(titles)
    if not video:
        return _sound_only(titles, groups)
    variants = [
        _variant(rung, *_pick(groups, place * len(groups) // len(video))) for place, rung in enumerate(video)
    ]
    return MultivariantPlaylist(tuple(variants), tuple(_media(titles, groups)))


Titles = Mapping[tuple[str, str], list[Rendition]]
Groups = Sequence[tuple[str, list[Rendition]]]


def _titles(renditions: Sequence[Rendition]) -> Titles:
    """Audio renditions by what is heard: language and label. Each with its qualities, best first as listed."""
    titles: dict[tuple[str, str], list[Rendition]] = {}
    for rendition in renditions:
        if rendition.kind is Kind.AUDIO:
            key = (rendition.language or UNKNOWN_LANGUAGE, rendition.label)
            titles.setdefault(key, []).append(rendition)
    return titles


def _groups(titles: Titles) -> Groups:
    """One group a quality, each with every title (§4.4.6.1.1: groups have the same members)."""
    count = max((len(members) for members in titles.values()), default=0)
    return [
        (
            "audio" if rank == 0 else f"audio-{rank + 1}",
            [qualities[min(rank, len(qualities) - 1)] for qualities in titles.values()],
        )
        for rank in range(count)
    ]


def _pick(groups: Groups, rank: int) -> tuple[str | None, Sequence[Rendition]]:
    return groups[rank] if groups else (None, ())


def _media(titles: Titles, groups: Groups) -> Iterator[Media]:
    names = _names(list(titles))
    for group, members in groups:
        for place, (key, rendition) in enumerate(zip(titles, members, strict=True)):
            yield Media(
                group_id=group,
                name=names[place],
                language=key[0],
                uri=_playlist(rendition),
                default=place == 0,
                channels=rendition.channels,
            )


def _names(titles: Sequence[tuple[str, str]]) -> list[str]:
    """What a player's menu shows: different in each, without what a quoted-string cannot hold (§4.2)."""
    names: list[str] = []
    for language, label in titles:
        name = " ".join((label or language).replace('"', "'").split())
        names.append(name if name not in names else f"{name} ({len(names) + 1})")
    return names


def _sound_only(titles: Titles, groups: Groups) -> MultivariantPlaylist:
    """Variants without a picture: the qualities of the first title; groups only where there are more titles."""
    first = next(iter(titles.values()))
    if len(titles) == 1:
        return MultivariantPlaylist(tuple(_variant(None, None, [rendition]) for rendition in first))
    variants = [_variant(None, group, members) for group, members in groups]
    return MultivariantPlaylist(tuple(variants), tuple(_media(titles, groups)))


def _variant(picture: Rendition | None, group: str | None, sounds: Sequence[Rendition]) -> StreamInf:
    """Bandwidths hold for the worst pairing of the picture with a sound of its group (§4.4.6.2)."""
    members = [*([picture] if picture else []), *sounds]
    return StreamInf(
        uri=_playlist(members[0]),
        bandwidth=_rate(picture, sounds, attrgetter("bandwidth")),
        average_bandwidth=_rate(picture, sounds, attrgetter("average_bandwidth")),
        codecs=tuple(dict.fromkeys(member.codec for member in members)),
        resolution=(picture.width, picture.height) if picture else None,
        frame_rate=picture.frame_rate if picture else None,
        audio=group,
    )


def _rate(picture: Rendition | None, sounds: Sequence[Rendition], of: Callable[[Rendition], int]) -> int:
    return (of(picture) if picture else 0) + max(map(of, sounds), default=0)


def _playlist(rendition: Rendition) -> str:
    return f"{rendition.name}/index.m3u8"
