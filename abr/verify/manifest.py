"""A DASH manifest as values (ISO/IEC 23009-1 5.3): SegmentTemplate, with attributes inherited."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple
from xml.etree import ElementTree as ET

from abr.errors import RemoteProtocolError
from abr.verify.instant import parse_date, parse_decimal, parse_duration
from abr.verify.playlist import parse_integer
from abr.verify.source import resolve

NAMESPACE = "urn:mpeg:dash:schema:mpd:2011"
_LARGEST = 16 * 1024 * 1024

_INHERITED = (
    "mimeType",
    "codecs",
    "width",
    "height",
    "frameRate",
    "sar",
    "audioSamplingRate",
    "startWithSAP",
)


class Stretch(NamedTuple):
    """An S element: `r` as it is written, `t` None where it continues."""

    t: int | None
    d: int
    r: int
    odd: tuple[str, ...]
    """Attributes other than t, d, r and k."""


class Template(NamedTuple):
    """SegmentTemplate with what it inherits."""

    attributes: Mapping[str, str]
    stretches: tuple[Stretch, ...]
    """Empty with @duration."""

    @property
    def timescale(self) -> int:
        """Ticks a second; 1 where it is not written."""
        return parse_integer(self.attributes.get("timescale", "1")) or 1

    @property
    def offset(self) -> int:
        """@presentationTimeOffset, ticks."""
        return parse_integer(self.attributes.get("presentationTimeOffset", "0")) or 0

    @property
    def duration(self) -> int | None:
        """@duration, ticks."""
        return parse_integer(self.attributes.get("duration", ""))

    @property
    def first_number(self) -> int:
        """@startNumber."""
        return parse_integer(self.attributes.get("startNumber", "1")) or 0

    @property
    def early(self) -> Fraction:
        """@availabilityTimeOffset, seconds."""
        try:
            return parse_decimal(self.attributes.get("availabilityTimeOffset", "0"))
        except RemoteProtocolError:
            return Fraction(0)


@dataclass(frozen=True, slots=True)
class Representation:
    """One Representation; its attributes over those of its set."""

    id: str
    base: str
    """The address that its templates start from."""
    attributes: Mapping[str, str]
    template: Template | None

    @property
    def bandwidth(self) -> int | None:
        """@bandwidth, bits/s."""
        return parse_integer(self.attributes.get("bandwidth", ""))


@dataclass(frozen=True, slots=True)
class AdaptationSet:
    """One AdaptationSet."""

    attributes: Mapping[str, str]
    children: frozenset[str]
    """Names of its elements and of those of its Representations."""
    roles: tuple[str, ...]
    properties: tuple[tuple[str, str], ...]
    """Scheme and value of its SupplementalProperty elements."""
    representations: tuple[Representation, ...]

    @property
    def id(self) -> str:
        """@id, empty where absent."""
        return self.attributes.get("id", "")

    @property
    def kind(self) -> str:
        """video, audio, text or what contentType or mimeType says."""
        first = self.representations[0].attributes if self.representations else {}
        text = (
            self.attributes.get("contentType") or self.attributes.get("mimeType") or first.get("mimeType", "")
        )
        return text.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Period:
    """One Period; start and end in seconds of the presentation, end None while open."""

    attributes: Mapping[str, str]
    start: Fraction
    end: Fraction | None
    sets: tuple[AdaptationSet, ...]

    @property
    def id(self) -> str:
        """@id, empty where absent."""
        return self.attributes.get("id", "")


@dataclass(frozen=True, slots=True)
class Manifest:
    """An MPD. Durations in seconds, dates in nanoseconds since 1970; None where absent."""

    url: str
    size: int
    root: ET.Element
    attributes: Mapping[str, str]
    periods: tuple[Period, ...]
    clocks: tuple[tuple[str, str], ...]
    """Scheme and value of each UTCTiming."""

    @property
    def dynamic(self) -> bool:
        """Whether more may come."""
        return self.attributes.get("type", "static") == "dynamic"

    def length(self, name: str) -> Fraction | None:
        """An attribute that is a duration, in seconds. Raises RemoteProtocolError."""
        text = self.attributes.get(name)
        return None if text is None else parse_duration(text)

    def date(self, name: str) -> int | None:
        """An attribute that is a date. Raises RemoteProtocolError."""
        text = self.attributes.get(name)
        return None if text is None else parse_date(text)


def read_manifest(url: str, body: bytes) -> Manifest:
    """Read an MPD. Raises RemoteProtocolError for a DTD, bad XML and values that are not what they should be."""
    root = _parse(body)
    periods: list[Period] = []
    base = _base(root, url)
    for element in root.findall(_name("Period")):
        periods.append(_period(element, base, periods[-1] if periods else None))
    _close(periods, root.attrib)
    manifest = Manifest(
        url=url,
        size=len(body),
        root=root,
        attributes=root.attrib,
        periods=tuple(periods),
        clocks=tuple(
            (item.get("schemeIdUri", ""), item.get("value", "")) for item in root.findall(_name("UTCTiming"))
        ),
    )
    for name in (
        "timeShiftBufferDepth",
        "suggestedPresentationDelay",
        "minimumUpdatePeriod",
        "maxSegmentDuration",
    ):
        manifest.length(name)
    for name in ("availabilityStartTime", "publishTime"):
        manifest.date(name)
    return manifest


def _parse(body: bytes) -> ET.Element:
    if len(body) > _LARGEST:
        raise RemoteProtocolError(f"the manifest has {len(body)} bytes")
    try:
        text = body.decode("utf-8-sig")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise RemoteProtocolError("the manifest has a document type, which may name other files")
        root = ET.fromstring(text)  # noqa: S314 - no document type, so no entities
    except (ET.ParseError, UnicodeDecodeError, ValueError) as error:
        raise RemoteProtocolError(f"the manifest is not XML: {error}") from error
    if root.tag != _name("MPD"):
        raise RemoteProtocolError(f"the root element is {root.tag[:80]!r}, not MPD of {NAMESPACE}")
    return root


def _name(local: str) -> str:
    return f"{{{NAMESPACE}}}{local}"


def local_name(element: ET.Element) -> str:
    """The name of an element of the MPD's namespace; of others the whole name."""
    return element.tag.removeprefix(f"{{{NAMESPACE}}}")


def _base(element: ET.Element, url: str) -> str:
    found = element.find(_name("BaseURL"))
    return url if found is None or not found.text else resolve(url, found.text.strip())


def _period(element: ET.Element, base: str, before: Period | None) -> Period:
    base = _base(element, base)
    own = element.get("start")
    follows = before.end if before and before.end is not None else Fraction(0)
    start = follows if own is None else parse_duration(own)
    length = element.get("duration")
    end = None if length is None else start + parse_duration(length)
    template = element.find(_name("SegmentTemplate"))
    sets = [_set(item, base, _template(template, None)) for item in element.findall(_name("AdaptationSet"))]
    return Period(element.attrib, start, end, tuple(sets))


def _close(periods: list[Period], attributes: Mapping[str, str]) -> None:
    """Give Periods without @duration their end: the next one's start, or that of the presentation (5.3.2.1)."""
    for place, period in enumerate(periods):
        if period.end is not None:
            continue
        end = periods[place + 1].start if place + 1 < len(periods) else None
        if end is None and "mediaPresentationDuration" in attributes:
            end = parse_duration(attributes["mediaPresentationDuration"])
        periods[place] = Period(period.attributes, period.start, end, period.sets)


def _set(element: ET.Element, base: str, template: Template | None) -> AdaptationSet:
    base = _base(element, base)
    template = _template(element.find(_name("SegmentTemplate")), template)
    inherited = {name: element.attrib[name] for name in _INHERITED if name in element.attrib}
    representations = []
    children = {local_name(item) for item in element}
    for item in element.findall(_name("Representation")):
        children |= {local_name(inner) for inner in item}
        own = _template(item.find(_name("SegmentTemplate")), template)
        attributes = {**inherited, **item.attrib}
        representations.append(Representation(item.get("id", ""), _base(item, base), attributes, own))
    return AdaptationSet(
        attributes=element.attrib,
        children=frozenset(children),
        roles=tuple(item.get("value", "") for item in element.findall(_name("Role"))),
        properties=tuple(
            (item.get("schemeIdUri", ""), item.get("value", ""))
            for item in element.findall(_name("SupplementalProperty"))
        ),
        representations=tuple(representations),
    )


def _template(element: ET.Element | None, outer: Template | None) -> Template | None:
    if element is None:
        return outer
    attributes = {**(outer.attributes if outer else {}), **element.attrib}
    timeline = element.find(_name("SegmentTimeline"))
    if timeline is None:
        return Template(attributes, outer.stretches if outer else ())
    return Template(attributes, tuple(_stretch(item) for item in timeline.findall(_name("S"))))


def _stretch(element: ET.Element) -> Stretch:
    values = {name: element.get(name, "") for name in ("t", "d", "r")}
    repeat = values["r"] or "0"
    duration = parse_integer(values["d"])
    count = -1 if repeat.startswith("-") else parse_integer(repeat)
    if not duration or count is None or (values["t"] and parse_integer(values["t"]) is None):
        raise RemoteProtocolError(f"S {dict(element.attrib)} has no usable t, d and r")
    odd = tuple(sorted(set(element.attrib) - {"t", "d", "r", "k"}))
    return Stretch(parse_integer(values["t"]), duration, count, odd)
