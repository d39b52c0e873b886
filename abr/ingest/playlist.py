"""A playlist of somebody else, made safe for FFmpeg: one variant, known tags, and addresses that were looked at."""

import re
from typing import NamedTuple

from abr.errors import FeedUnreadable
from abr.ingest.fetch import joined

LARGEST = 16 << 20
"""Bytes of a playlist: some days of segments."""

_MARK = "#EXTM3U"
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^,"\s]*)')
_URI = re.compile(r'((?:^|[:,])URI=)"([^"]*)"')
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})")
_TAGS = frozenset((
    "EXT-X-VERSION", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-PLAYLIST-TYPE", "EXT-X-ENDLIST",
    "EXTINF", "EXT-X-BYTERANGE", "EXT-X-DISCONTINUITY", "EXT-X-PROGRAM-DATE-TIME", "EXT-X-MAP", "EXT-X-KEY",
))  # fmt: skip
"""What a media playlist keeps; others say nothing that is needed, or name things that are not."""
_CIPHERS = frozenset(("NONE", "AES-128"))


class Playlist(NamedTuple):
    """What FFmpeg gets."""

    text: str
    ended: bool | None
    """Whether nothing follows; None for one of variants."""
    gaps: frozenset[str]
    """Addresses of segments that the playlist itself calls missing."""


def is_playlist(head: bytes) -> bool:
    """Whether these first bytes are a playlist's (RFC 8216bis 4.1)."""
    return head.removeprefix(b"\xef\xbb\xbf").startswith(_MARK.encode())


def narrowed(data: bytes, url: str) -> Playlist:
    """The playlist that came from `url`, reduced. Raises FeedRefused (it leads elsewhere), FeedUnreadable."""
    lines = [line.strip() for line in data.decode("utf-8-sig", "replace").splitlines()]
    if not lines or lines[0].partition(" ")[0] != _MARK:
        raise FeedUnreadable("what came is no HLS playlist")
    variants = [place for place, line in enumerate(lines) if line.startswith("#EXT-X-STREAM-INF:")]
    return _of_variants(lines, variants, url) if variants else _of_media(lines, url)


def _of_variants(lines: list[str], variants: list[int], url: str) -> Playlist:
    """The largest variant, and the sound that belongs to it."""
    best = max(variants, key=lambda place: _weight(_attributes(lines[place])))
    target = next((line for line in lines[best + 1 :] if line and not line.startswith("#")), "")
    if not target:
        raise FeedUnreadable("the playlist names a variant without an address")
    group = _attributes(lines[best]).get("AUDIO")
    kept = [_MARK]
    for line in lines:
        given = _attributes(line) if line.startswith("#EXT-X-MEDIA:") else {}
        if group is not None and given.get("TYPE") == "AUDIO" and given.get("GROUP-ID") == group:
            kept.append(_absolute(line, url))
    # Only what FFmpeg needs: it would open what SUBTITLES and VIDEO groups name.
    sound = f',AUDIO="{group}"' if group is not None else ""
    kept += [f"#EXT-X-STREAM-INF:BANDWIDTH={_rate(_attributes(lines[best]))}{sound}", joined(url, target)]
    return Playlist("\n".join(kept) + "\n", None, frozenset())


def _of_media(lines: list[str], url: str) -> Playlist:
    kept, gaps, gap, ended = [_MARK], set[str](), False, False
    for line in lines:
        tag = line[1:].partition(":")[0]
        if not line.startswith("#"):
            if line:
                target = joined(url, line)
                kept.append(target)
                if gap:
                    gaps.add(target)
                gap = False
        elif tag in _TAGS:
            _check_key(tag, line)
            kept.append(_absolute(line, url))
            ended = ended or tag == "EXT-X-ENDLIST"
        elif tag == "EXT-X-GAP":
            gap = True
    return Playlist("\n".join(kept) + "\n", ended, frozenset(gaps))


def _check_key(tag: str, line: str) -> None:
    given = _attributes(line) if tag == "EXT-X-KEY" else {}
    method = given.get("METHOD", "NONE")
    if method not in _CIPHERS or given.get("KEYFORMAT", "identity") != "identity":
        raise FeedUnreadable(
            f"the playlist's segments are encrypted with {method[:20]}, which cannot be read"
        )


def _absolute(line: str, url: str) -> str:
    return _URI.sub(lambda match: f'{match[1]}"{joined(url, match[2])}"', line)


def _attributes(line: str) -> dict[str, str]:
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(line.partition(":")[2])}


def _weight(given: dict[str, str]) -> tuple[int, int]:
    size = _SIZE.fullmatch(given.get("RESOLUTION", ""))
    return (int(size[1]) * int(size[2]) if size else 0, _rate(given))


def _rate(given: dict[str, str]) -> int:
    text = given.get("BANDWIDTH", "")
    return int(text) if text.isdecimal() and len(text) < 12 else 1
