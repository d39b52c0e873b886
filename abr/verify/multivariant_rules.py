"""Rules on the multivariant playlist's text (RFC 8216bis 4.4.6; Apple 6, 8.10 and 9)."""

from collections.abc import Iterator, Mapping
from itertools import groupby

from abr.verify.finding import Check, Finding, judges
from abr.verify.multivariant import Alternative, Multivariant, Variant

_MAY_DIFFER = frozenset(
    {"GROUP-ID", "URI", "CHANNELS", "BIT-DEPTH", "SAMPLE-RATE", "STABLE-RENDITION-ID", "INSTREAM-ID"}
)


def is_video(variant: Variant) -> bool:
    """Whether a variant says that it has pictures."""
    video = any(codec[:4] in {"avc1", "avc3", "hvc1", "hev1", "av01", "vp09"} for codec in variant.codecs)
    return video or "RESOLUTION" in variant.attributes


@judges("H-50")
def bandwidth(playlist: Multivariant) -> Iterator[Finding]:
    """4.4.6.2."""
    for variant in playlist.variants:
        if not variant.bandwidth:
            yield Finding("H-50", _at(playlist, variant.line), "STREAM-INF without BANDWIDTH")


@judges("H-56", "A-6.1")
def iframe_attributes(playlist: Multivariant) -> Iterator[Finding]:
    """4.4.6.3; Apple 6.1."""
    for variant in playlist.iframes:
        missing = [name for name in ("URI", "BANDWIDTH") if not variant.attributes.get(name)]
        if missing:
            yield Finding(
                "H-56", _at(playlist, variant.line), f"I-FRAME-STREAM-INF without {', '.join(missing)}"
            )
    if not playlist.iframes and any(map(is_video, playlist.variants)):
        yield Finding("A-6.1", playlist.url, "no I-FRAME-STREAM-INF")


@judges("H-60", "H-61", "H-62", "H-63")
def members(playlist: Multivariant) -> Iterator[Finding]:
    """4.4.6.1, 4.4.6.1.1."""
    for (kind, group), items in _groups(playlist):
        where = f"{playlist.url} {kind} {group!r}"
        names = [item.attributes.get("NAME", "") for item in items]
        if not all(names) or len(set(names)) < len(names):
            yield Finding("H-60", where, f"NAMEs are {names}")
        if sum(item.attributes.get("DEFAULT") == "YES" for item in items) > 1:
            yield Finding("H-61", where, "more than one DEFAULT=YES")
    for item in playlist.alternatives:
        if (item.attributes.get("DEFAULT"), item.attributes.get("AUTOSELECT")) == ("YES", "NO"):
            yield Finding("H-62", _at(playlist, item.line), "DEFAULT=YES with AUTOSELECT=NO")
        if item.kind == "AUDIO" and "CHANNELS" not in item.attributes:
            yield Finding("H-63", _at(playlist, item.line), "audio without CHANNELS")


@judges("H-64")
def equal_groups(playlist: Multivariant) -> Iterator[Finding]:
    """4.4.6.1.1: groups of one TYPE offer the same choice."""
    first: dict[str, tuple[str, list[Mapping[str, str]]]] = {}
    for (kind, group), items in _groups(playlist):
        told = [
            {name: item.attributes[name] for name in sorted({*item.attributes} - _MAY_DIFFER)}
            for item in items
        ]
        told.sort(key=lambda attributes: attributes.get("NAME", ""))
        known = first.setdefault(kind, (group, list(told)))
        if known[1] != told:
            yield Finding(
                "H-64", f"{playlist.url} {kind} {group!r}", f"other members than group {known[0]!r}"
            )


@judges("H-65")
def group_names(playlist: Multivariant) -> Iterator[Finding]:
    """4.4.6.2: groups that exist."""
    for variant in playlist.variants:
        for kind in ("AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS"):
            name = variant.attributes.get(kind)
            known = name is None or (kind, name) == ("CLOSED-CAPTIONS", "NONE") or playlist.group(kind, name)
            if not known:
                yield Finding(
                    "H-65", _at(playlist, variant.line), f"{kind} names {name!r}, which does not exist"
                )
    captions = {variant.attributes.get("CLOSED-CAPTIONS") == "NONE" for variant in playlist.variants}
    if len(captions) > 1:
        yield Finding("H-65", playlist.url, "CLOSED-CAPTIONS=NONE on some variants only")


@judges("A-8.10", "A-9.1", "A-9.2", "A-9.14", "A-9.15")
def apple_attributes(playlist: Multivariant) -> Iterator[Finding]:
    """Apple 8.10, 9.1 to 9.4, 9.14, 9.15."""
    for item in playlist.alternatives:
        if item.kind != "VIDEO" and "LANGUAGE" not in item.attributes:
            yield Finding("A-8.10", _at(playlist, item.line), f"{item.kind} without LANGUAGE")
    for variant in playlist.variants:
        needs = {"A-9.1": "CODECS", "A-9.14": "AVERAGE-BANDWIDTH"}
        if is_video(variant) or not variant.codecs:
            needs |= {"A-9.2": "RESOLUTION", "A-9.15": "FRAME-RATE"}
        yield from _absent(playlist, variant, needs)
    for variant in playlist.iframes:
        yield from _absent(playlist, variant, {"A-9.1": "CODECS", "A-9.2": "RESOLUTION"})


def _absent(playlist: Multivariant, variant: Variant, needs: Mapping[str, str]) -> Iterator[Finding]:
    for rule, name in needs.items():
        if name not in variant.attributes:
            yield Finding(rule, _at(playlist, variant.line), f"no {name}")


@judges("A-1.33", "A-9.5", "A-9.9", "A-9.10")
def ladder(playlist: Multivariant) -> Iterator[Finding]:
    """Apple 1.33, 9.5, 9.9, 9.10: advice on the choice of rungs."""
    sizes = [size for variant in playlist.variants if (size := _size(variant))]
    shapes = {round(width / height, 1) for width, height in sizes}
    if len(shapes) > 1:
        yield Finding("A-1.33", playlist.url, f"aspect ratios {sorted(shapes)}")
    if len({variant.url for variant in playlist.variants}) < 2:
        yield Finding("A-9.9", playlist.url, "one variant only")
    elif sizes and sizes.count(max(sizes)) < 2:
        yield Finding("A-9.10", playlist.url, "one variant at the highest size")
    sound = {codec[:4] for variant in playlist.variants for codec in variant.codecs} & {
        "mp4a",
        "ac-3",
        "ec-3",
    }
    if sound and any(
        is_video(variant) and "AUDIO" not in variant.attributes for variant in playlist.variants
    ):
        yield Finding("A-9.5", playlist.url, "audio inside the video variants")


@judges("A-2.3")
def stereo(playlist: Multivariant) -> Iterator[Finding]:
    """Apple 2.3: judged by the text where there are audio renditions."""
    audio = [item for item in playlist.alternatives if item.kind == "AUDIO"]
    codecs = {codec for variant in playlist.variants for codec in variant.codecs}
    stereos = [item for item in audio if item.attributes.get("CHANNELS", "2") == "2"]
    if audio and (not stereos or not any(codec.startswith("mp4a.40") for codec in codecs)):
        yield Finding("A-2.3", playlist.url, "no stereo AAC")


def _size(variant: Variant) -> tuple[int, int] | None:
    width, _, height = variant.attributes.get("RESOLUTION", "").partition("x")
    if width.isdecimal() and height.isdecimal() and int(height[:9]) > 0:
        return int(width[:9]), int(height[:9])
    return None


def _groups(playlist: Multivariant) -> list[tuple[tuple[str, str], list[Alternative]]]:
    order = sorted(playlist.alternatives, key=lambda item: (item.kind, item.group))
    return [(key, list(items)) for key, items in groupby(order, key=lambda item: (item.kind, item.group))]


def _at(playlist: Multivariant, line: int) -> str:
    return f"{playlist.url}:{line}"


MULTIVARIANT_CHECKS: tuple[Check[Multivariant], ...] = (
    bandwidth,
    iframe_attributes,
    members,
    equal_groups,
    group_names,
    apple_attributes,
    ladder,
    stereo,
)
