"""Rules that the text of a DASH manifest shows (ISO/IEC 23009-1 5.3; DASH-IF restricted timing model)."""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from xml.etree import ElementTree as ET

from abr.errors import RemoteProtocolError
from abr.verify.finding import Check, Finding, judges
from abr.verify.instant import show
from abr.verify.manifest import AdaptationSet, Manifest, Period, Representation, Template, local_name
from abr.verify.timeline import Listed, expand

_PROFILES = ("isoff-live", "isoff-ext-live", "cmaf:2019")
_CLOCKS = ("http-xsdate:2014", "http-iso:2014", "http-head:2014", "direct:2014")
_BASE = (
    "FramePacking AudioChannelConfiguration ContentProtection OutputProtection EssentialProperty SupplementalProperty "
    "InbandEventStream Switching RandomAccess GroupLabel Label ProducerReferenceTime ContentPopularityRate Resync"
)
_SEGMENTS = "SegmentBase SegmentList SegmentTemplate"
_ORDER = {
    "MPD": "ProgramInformation BaseURL Location PatchLocation ServiceDescription InitializationSet "
    "InitializationGroup InitializationPresentation ContentProtection Period Metrics EssentialProperty "
    "SupplementalProperty UTCTiming LeapSecondInformation",
    "Period": f"BaseURL {_SEGMENTS} AssetIdentifier EventStream ServiceDescription ContentProtection AdaptationSet "
    "Subset SupplementalProperty EmptyAdaptationSet GroupLabel Preselection",
    "AdaptationSet": f"{_BASE} Accessibility Role Rating Viewpoint ContentComponent BaseURL {_SEGMENTS} Representation",
    "Representation": f"{_BASE} BaseURL ExtendedBandwidth SubRepresentation {_SEGMENTS}",
    "SegmentTemplate": "Initialization RepresentationIndex FailoverContent SegmentTimeline BitstreamSwitching",
    "SegmentTimeline": "Pattern S",
}
"""Elements of each element in the schema's sequence (ISO/IEC 23009-1 annex B)."""


def representations(manifest: Manifest) -> Iterator[tuple[str, Period, AdaptationSet, Representation]]:
    """Each Representation with its place for a report."""
    for period in manifest.periods:
        for group in period.sets:
            for item in group.representations:
                yield f"{manifest.url} Period {period.id!r} {item.id!r}", period, group, item


def templates(manifest: Manifest) -> Iterator[tuple[str, Period, Template]]:
    """Each template once for a set of Representations that share it."""
    seen: set[int] = set()
    for where, period, _, item in representations(manifest):
        if item.template and id(item.template) not in seen:
            seen.add(id(item.template))
            yield where, period, item.template


@judges("D-01")
def schema(manifest: Manifest) -> Iterator[Finding]:
    """Annex B, as far as the order of elements goes."""
    for element in manifest.root.iter():
        order = _ORDER.get(local_name(element), "").split()
        if not order:
            continue
        names = [local_name(child) for child in element if not local_name(child).startswith("{")]
        unknown = [name for name in names if name not in order]
        known = [order.index(name) for name in names if name in order]
        if unknown:
            yield Finding("D-01", manifest.url, f"{local_name(element)} has the unknown element {unknown[0]}")
        if any(first > second for first, second in pairwise(known)):
            yield Finding(
                "D-01", manifest.url, f"the elements of {local_name(element)} are not in the schema's order"
            )


@judges("D-02", "D-03", "D-06")
def header(manifest: Manifest) -> Iterator[Finding]:
    """5.3.1.2."""
    profiles = manifest.attributes.get("profiles", "")
    if not any(name in profiles for name in _PROFILES):
        yield Finding("D-02", manifest.url, f"profiles is {profiles!r}")
    if not manifest.attributes.get("minBufferTime"):
        yield Finding("D-03", manifest.url, "no minBufferTime")
    for element in (manifest.root, *manifest.root.iter()):
        for name, value in _durations(element):
            if "Y" in value or "M" in value.partition("T")[0]:
                yield Finding("D-06", manifest.url, f"{name} is {value!r}")


def _durations(element: ET.Element) -> Iterator[tuple[str, str]]:
    local = local_name(element)
    for name, value in element.attrib.items():
        if value.startswith("P") and local in {"MPD", "Period"} and name not in {"id", "profiles"}:
            yield f"{local}@{name}", value


@judges("D-07", "D-08", "D-09")
def identities(manifest: Manifest) -> Iterator[Finding]:
    """5.3.2.2, 5.3.5.2."""
    for name, count in Counter(period.id for period in manifest.periods if period.id).items():
        if count > 1:
            yield Finding("D-07", manifest.url, f"Period id {name!r} stands {count} times")
    for period in manifest.periods:
        names = Counter(item.id for group in period.sets for item in group.representations)
        for name, count in names.items():
            if count > 1 or not name:
                yield Finding(
                    "D-08",
                    f"{manifest.url} Period {period.id!r}",
                    f"Representation id {name!r}, {count} times",
                )
        if period.end is not None and period.end <= period.start:
            yield Finding(
                "D-09", f"{manifest.url} Period {period.id!r}", f"lasts {show(period.end - period.start)}"
            )


@judges("D-20", "D-21", "D-22")
def static_times(manifest: Manifest) -> Iterator[Finding]:
    """5.3.1.2. A live manifest that has ended (with availabilityStartTime) keeps the start of its Periods."""
    last = manifest.periods[-1].end if manifest.periods else None
    told = manifest.length("mediaPresentationDuration")
    if last is None:
        yield Finding(
            "D-20", manifest.url, "neither mediaPresentationDuration nor the last Period's duration"
        )
    elif told is not None and abs(told - last) > Fraction(1, 100):
        yield Finding(
            "D-20", manifest.url, f"mediaPresentationDuration {show(told)}, the Periods end at {show(last)}"
        )
    for name in ("minimumUpdatePeriod", "timeShiftBufferDepth"):
        if name in manifest.attributes:
            yield Finding("D-21", manifest.url, f"static with {name}")
    ended = "availabilityStartTime" in manifest.attributes
    if manifest.periods and manifest.periods[0].start and not ended:
        yield Finding("D-22", manifest.url, f"the first Period starts at {show(manifest.periods[0].start)}")


@judges("D-10", "D-11", "D-12", "D-13", "D-14")
def dynamic_attributes(manifest: Manifest) -> Iterator[Finding]:
    """5.3.1.2; DASH-IF 4.3, 4.7."""
    for rule, name in (("D-10", "availabilityStartTime"), ("D-11", "publishTime")):
        if name not in manifest.attributes:
            yield Finding(rule, manifest.url, f"no {name}")
    if any(not period.id for period in manifest.periods):
        yield Finding("D-12", manifest.url, "a Period without id")
    if not {"minimumUpdatePeriod", "mediaPresentationDuration"} & set(manifest.attributes):
        yield Finding("D-13", manifest.url, "neither minimumUpdatePeriod nor mediaPresentationDuration")
    if not any(scheme.endswith(_CLOCKS) for scheme, _ in manifest.clocks):
        yield Finding(
            "D-14", manifest.url, f"UTCTiming: {[scheme for scheme, _ in manifest.clocks] or 'none'}"
        )


@judges("D-17", "D-18", "D-19")
def dynamic_delays(manifest: Manifest) -> Iterator[Finding]:
    """DASH-IF 4.4; a delay of one segment stalls players."""
    delay, depth = manifest.length("suggestedPresentationDelay"), manifest.length("timeShiftBufferDepth")
    if delay is not None and depth is not None and delay >= depth:
        yield Finding("D-17", manifest.url, f"delay {show(delay)}, buffer {show(depth)}")
    longest = longest_segment(manifest)
    if delay is not None and delay < 2 * longest:
        yield Finding("D-18", manifest.url, f"delay {show(delay)}, segments of {show(longest)}")
    update = manifest.length("minimumUpdatePeriod")
    if update is not None and 0 < update < 1:
        yield Finding("D-19", manifest.url, f"minimumUpdatePeriod {show(update)}")


def longest_segment(manifest: Manifest) -> Fraction:
    """The longest duration that any template gives to a segment, seconds."""
    lengths = [Fraction(0)]
    for _, _, template in templates(manifest):
        ticks = [item.d for item in template.stretches] or [template.duration or 0]
        lengths.append(Fraction(max(ticks), template.timescale))
    return max(lengths)


@judges("D-30", "D-31", "D-32", "D-33", "D-34")
def set_attributes(manifest: Manifest) -> Iterator[Finding]:
    """5.3.3.2; DASH-IF 8."""
    for period in manifest.periods:
        for group in period.sets:
            where = f"{manifest.url} Period {period.id!r} set {group.id!r}"
            sap = {item.attributes.get("startWithSAP", "") for item in group.representations}
            if group.attributes.get("segmentAlignment", "false") == "false" or not sap <= {"1", "2"}:
                yield Finding("D-30", where, "no segmentAlignment=true, or startWithSAP is not 1 or 2")
            if not group.id:
                yield Finding("D-31", where, "no id")
            if group.kind == "audio":
                yield from _audio(where, group)
        audio = [group for group in period.sets if group.kind == "audio"]
        if audio and not any("main" in group.roles for group in audio):
            yield Finding("D-34", f"{manifest.url} Period {period.id!r}", "no audio with Role main")


def _audio(where: str, group: AdaptationSet) -> Iterator[Finding]:
    if "lang" not in group.attributes:
        yield Finding("D-32", where, "audio without lang")
    if "AudioChannelConfiguration" not in group.children:
        yield Finding("D-33", where, "audio without AudioChannelConfiguration")


@judges("D-35")
def maxima(manifest: Manifest) -> Iterator[Finding]:
    """5.3.3.2."""
    for period in manifest.periods:
        for group in period.sets:
            for name, inner in (
                ("maxWidth", "width"),
                ("maxHeight", "height"),
                ("maxFrameRate", "frameRate"),
            ):
                told = group.attributes.get(name)
                values = [_ratio(item.attributes.get(inner, "")) for item in group.representations]
                real = [value for value in values if value is not None]
                if told is not None and real and _ratio(told) != max(real):
                    where = f"{manifest.url} Period {period.id!r} set {group.id!r}"
                    yield Finding(
                        "D-35", where, f"{name} is {told}, the largest {inner} is {float(max(real)):g}"
                    )


def _ratio(text: str) -> Fraction | None:
    above, _, below = text.partition("/")
    if above.isascii() and above.isdecimal() and (not below or (below.isascii() and below.isdecimal())):
        return Fraction(int(above[:12]), int(below[:12] or 1) or 1)
    return None


@judges("D-36", "D-37", "D-38", "D-39")
def representation_attributes(manifest: Manifest) -> Iterator[Finding]:
    """5.3.5.2, 5.3.9."""
    for where, _, _, item in representations(manifest):
        missing = [name for name in ("codecs", "mimeType", "bandwidth") if not item.attributes.get(name)]
        if missing:
            yield Finding("D-36", where, f"no {', '.join(missing)}")
        if item.template is None:
            continue
        if "timescale" not in item.template.attributes:
            yield Finding("D-37", where, "no timescale")
        yield from _patterns(where, item, item.template)
        if item.template.duration and item.template.stretches:
            yield Finding("D-39", where, "both duration and SegmentTimeline")
        elif not item.template.duration and not item.template.stretches:
            yield Finding("D-39", where, "neither duration nor SegmentTimeline")


def _patterns(where: str, item: Representation, template: Template) -> Iterator[Finding]:
    media, init = template.attributes.get("media", ""), template.attributes.get("initialization", "")
    if not any(name in media for name in ("$Number", "$Time")):
        yield Finding("D-38", where, f"media is {media!r}")
    for pattern, listed in ((media, Listed(1, 0, 1)), (init, None)):
        try:
            expand(pattern, item, listed)
        except RemoteProtocolError as error:
            yield Finding("D-38", where, str(error))


@judges("D-40", "D-41", "D-42")
def timelines(manifest: Manifest) -> Iterator[Finding]:
    """5.3.9.6; DASH-IF 4.5."""
    limit = manifest.length("maxSegmentDuration")
    for where, _, template in templates(manifest):
        time: int | None = None
        for place, item in enumerate(template.stretches):
            if item.t is not None and time is not None and item.t != time:
                yield Finding("D-40", where, f"S@t {item.t} follows a segment that ends at {time}")
            if item.r < 0 and place + 1 < len(template.stretches):
                yield Finding("D-40", where, "a negative S@r that is not the last")
            if item.odd:
                yield Finding("D-40", where, f"S@{item.odd[0]} in a timeline")
            start = item.t if item.t is not None else time or 0
            time = start + item.d * (max(item.r, 0) + 1)
            if time >= 2**53:
                yield Finding("D-41", where, f"a time of {time}")
            if limit is not None and Fraction(item.d, template.timescale) > limit:
                text = f"S@d {show(Fraction(item.d, template.timescale))}, maxSegmentDuration {show(limit)}"
                yield Finding("D-42", where, text)


@judges("D-90")
def connected(manifest: Manifest) -> Iterator[Finding]:
    """DASH-IF 4.2.3: a set that returns after a break says so."""
    for before, after in pairwise(manifest.periods):
        known = {group.id for group in before.sets if group.id}
        for group in after.sets:
            links = [
                value
                for scheme, value in group.properties
                if "period-conti" in scheme or "period-conn" in scheme
            ]
            if group.id in known and before.id not in links:
                where = f"{manifest.url} Period {after.id!r} set {group.id!r}"
                yield Finding("D-90", where, f"no period-connectivity with Period {before.id!r}")


@judges("D-95")
def sizes(manifest: Manifest) -> Iterator[Finding]:
    """HbbTV TS 102 796 E; DVB-DASH 4.5."""
    if manifest.size > 256 * 1024:
        yield Finding("D-95", manifest.url, f"{manifest.size} bytes")
    if len(manifest.periods) > 64:
        yield Finding("D-95", manifest.url, f"{len(manifest.periods)} Periods")
    for period in manifest.periods:
        most = max((len(group.representations) for group in period.sets), default=0)
        if len(period.sets) > 16 or most > 16:
            where = f"{manifest.url} Period {period.id!r}"
            yield Finding("D-95", where, f"{len(period.sets)} sets, up to {most} Representations")
    longest = longest_segment(manifest)
    if not 1 <= longest <= 15 and manifest.periods:
        yield Finding("D-95", manifest.url, f"segments of up to {show(longest)}")


MANIFEST_CHECKS: tuple[Check[Manifest], ...] = (
    schema,
    header,
    identities,
    set_attributes,
    maxima,
    representation_attributes,
    timelines,
    sizes,
)
STATIC_CHECKS: tuple[Check[Manifest], ...] = (static_times,)
DYNAMIC_CHECKS: tuple[Check[Manifest], ...] = (dynamic_attributes, dynamic_delays)
PERIOD_CHECKS: tuple[Check[Manifest], ...] = (connected,)
"""For manifests of more than one Period."""
