"""The HLS multivariant playlist: variants, renditions and I-frame lists (RFC 8216bis 4.4.6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from abr.verify.playlist import Text, parse_attributes, parse_integer
from abr.verify.source import resolve


class Variant(NamedTuple):
    """EXT-X-STREAM-INF or EXT-X-I-FRAME-STREAM-INF and its URI."""

    line: int
    url: str
    attributes: Mapping[str, str]

    @property
    def bandwidth(self) -> int | None:
        """BANDWIDTH, bits/s."""
        return parse_integer(self.attributes.get("BANDWIDTH", ""))

    @property
    def average(self) -> int | None:
        """AVERAGE-BANDWIDTH, bits/s."""
        return parse_integer(self.attributes.get("AVERAGE-BANDWIDTH", ""))

    @property
    def codecs(self) -> frozenset[str]:
        """The formats that CODECS names."""
        return frozenset(
            text.strip() for text in self.attributes.get("CODECS", "").split(",") if text.strip()
        )


class Alternative(NamedTuple):
    """EXT-X-MEDIA. `url` is None where the media is inside the variants."""

    line: int
    url: str | None
    attributes: Mapping[str, str]

    @property
    def kind(self) -> str:
        """TYPE."""
        return self.attributes.get("TYPE", "")

    @property
    def group(self) -> str:
        """GROUP-ID."""
        return self.attributes.get("GROUP-ID", "")


@dataclass(frozen=True, slots=True)
class Multivariant:
    """A multivariant playlist."""

    text: Text
    variants: tuple[Variant, ...]
    iframes: tuple[Variant, ...]
    alternatives: tuple[Alternative, ...]

    @property
    def url(self) -> str:
        """Its own address."""
        return self.text.url

    def group(self, kind: str, name: str) -> tuple[Alternative, ...]:
        """The renditions of a group."""
        return tuple(item for item in self.alternatives if (item.kind, item.group) == (kind, name))


def is_multivariant(text: Text) -> bool:
    """Whether the playlist lists playlists."""
    return bool(text.counts["EXT-X-STREAM-INF"] or text.counts["EXT-X-MEDIA"])


def read_multivariant(text: Text) -> Multivariant:
    """The values of a multivariant playlist. Raises RemoteProtocolError for attribute lists that break."""
    variants: list[Variant] = []
    iframes: list[Variant] = []
    alternatives: list[Alternative] = []
    waiting: tuple[int, Mapping[str, str]] | None = None
    for tag in text.tags:
        if tag.name == "EXT-X-STREAM-INF":
            waiting = (tag.line, parse_attributes(tag.value))
        elif not tag.name and waiting:
            variants.append(Variant(waiting[0], resolve(text.url, tag.value), waiting[1]))
            waiting = None
        elif tag.name in {"EXT-X-I-FRAME-STREAM-INF", "EXT-X-MEDIA"}:
            attributes = parse_attributes(tag.value)
            url = resolve(text.url, attributes["URI"]) if "URI" in attributes else None
            if tag.name == "EXT-X-MEDIA":
                alternatives.append(Alternative(tag.line, url, attributes))
            else:
                iframes.append(Variant(tag.line, url or "", attributes))
    return Multivariant(text, tuple(variants), tuple(iframes), tuple(alternatives))
