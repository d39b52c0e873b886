"""What the multivariant playlist promises, against what the media is (RFC 8216bis 4.4.6.2; Apple 1.26 to 1.30, 9)."""

from collections.abc import Iterator
from fractions import Fraction

from abr.errors import RemoteProtocolError
from abr.verify.codec import same_codec
from abr.verify.finding import Check, Finding, judges
from abr.verify.instant import parse_decimal, show
from abr.verify.multivariant import Variant
from abr.verify.rendition import Item, Presentation, Rendition

_HDR = {16: "PQ", 18: "HLG"}


def companions(presentation: Presentation, variant: Variant) -> list[list[Rendition]]:
    """The renditions that play beside a variant: one list for each kind of group it names."""
    groups = []
    for kind in ("AUDIO", "VIDEO", "SUBTITLES"):
        items = presentation.multivariant.group(kind, variant.attributes.get(kind, "\0"))
        found = [presentation.renditions[item.url] for item in items if item.url in presentation.renditions]
        groups.append(found)
    return [group for group in groups if group]


def _combined(presentation: Presentation, variant: Variant, own: Rendition) -> tuple[Fraction, Fraction]:
    """Peak and mean of the variant with its largest companions."""
    groups = companions(presentation, variant)
    peak = own.peak + sum(max(item.peak for item in group) for group in groups)
    mean = own.mean + sum(max(item.mean for item in group) for group in groups)
    return peak, mean


def _variants(presentation: Presentation) -> Iterator[tuple[str, Variant, Rendition]]:
    for variant in presentation.multivariant.variants:
        own = presentation.renditions.get(variant.url)
        if own and own.media:
            yield f"{presentation.multivariant.url}:{variant.line}", variant, own


@judges("H-51")
def peak(presentation: Presentation) -> Iterator[Finding]:
    """4.4.6.2: BANDWIDTH is an upper bound."""
    for where, variant, own in _variants(presentation):
        measured, _ = _combined(presentation, variant, own)
        if variant.bandwidth and measured > variant.bandwidth:
            yield Finding(
                "H-51", where, f"measured peak {int(measured)} bit/s, BANDWIDTH {variant.bandwidth}"
            )
    for variant in presentation.multivariant.iframes:
        listed = presentation.renditions.get(variant.url)
        if listed and variant.bandwidth and listed.peak > variant.bandwidth:
            where = f"{presentation.multivariant.url}:{variant.line}"
            text = f"measured peak {int(listed.peak)} bit/s, BANDWIDTH {variant.bandwidth}"
            yield Finding("H-51", where, text)


@judges("A-1.26", "A-1.27", "A-1.30")
def finished_rates(presentation: Presentation) -> Iterator[Finding]:
    """Apple 1.26, 1.27, 1.30. A peak above BANDWIDTH is H-51's."""
    for where, variant, own in _variants(presentation):
        measured, mean = _combined(presentation, variant, own)
        if variant.average and not 9 * variant.average <= 10 * mean <= 11 * variant.average:
            yield Finding("A-1.26", where, f"measured {int(mean)} bit/s, AVERAGE-BANDWIDTH {variant.average}")
        if variant.bandwidth and 10 * measured < 9 * variant.bandwidth:
            yield Finding(
                "A-1.27", where, f"measured peak {int(measured)} bit/s, BANDWIDTH {variant.bandwidth}"
            )
        if measured > 2 * mean:
            yield Finding("A-1.30", where, f"measured peak {int(measured)} bit/s, mean {int(mean)}")


@judges("A-1.29")
def live_peak(presentation: Presentation) -> Iterator[Finding]:
    """Apple 1.29."""
    for where, variant, own in _variants(presentation):
        measured, _ = _combined(presentation, variant, own)
        if variant.bandwidth and 4 * measured >= 5 * variant.bandwidth:
            yield Finding(
                "A-1.29", where, f"measured peak {int(measured)} bit/s, BANDWIDTH {variant.bandwidth}"
            )


@judges("A-1.28")
def live_mean(presentation: Presentation) -> Iterator[Finding]:
    """Apple 1.28: only for lists of an hour or nearly."""
    for where, variant, own in _variants(presentation):
        _, mean = _combined(presentation, variant, own)
        if variant.average and 10 * mean >= 11 * variant.average:
            yield Finding("A-1.28", where, f"measured {int(mean)} bit/s, AVERAGE-BANDWIDTH {variant.average}")


@judges("H-52", "H-53", "H-54")
def formats(presentation: Presentation) -> Iterator[Finding]:
    """4.4.6.2: CODECS, RESOLUTION and FRAME-RATE as the media has them."""
    for where, variant, own in _variants(presentation):
        yield from _codecs(presentation, where, variant, own)
        track = next(
            (track for item in own.media[-1:] for track in item.init.tracks if track.handler == "vide"), None
        )
        size = variant.attributes.get("RESOLUTION")
        if track and size and size != f"{round(track.width)}x{round(track.height)}":
            shown = f"{round(track.width)}x{round(track.height)}"
            yield Finding("H-53", where, f"RESOLUTION {size}, the track shows {shown}")
        rate, told = own.rate, variant.attributes.get("FRAME-RATE")
        if own.is_video and rate and told and not _same_rate(told, rate):
            yield Finding("H-54", where, f"FRAME-RATE {told}, measured {float(rate):.3f}")


def _codecs(presentation: Presentation, where: str, variant: Variant, own: Rendition) -> Iterator[Finding]:
    if not variant.codecs:
        return
    rows = [own, *(item for group in companions(presentation, variant) for item in group)]
    real = {track.entry.codec for row in rows for item in row.media[-1:] for track in item.init.tracks}
    absent = {codec for codec in real if not any(same_codec(codec, told) for told in variant.codecs)}
    excess = {told for told in variant.codecs if not any(same_codec(codec, told) for codec in real)}
    if absent or (excess and all(row.media for row in rows)):
        told = ",".join(sorted(variant.codecs))
        yield Finding("H-52", where, f"CODECS {told}, the inits have {','.join(sorted(real))}")


def _same_rate(told: str, rate: Fraction) -> bool:
    try:
        return abs(parse_decimal(told) - rate) <= Fraction(1, 1000)
    except RemoteProtocolError:
        return False


@judges("H-55")
def independent(presentation: Presentation) -> Iterator[Finding]:
    """Apple 9.11, 9.12."""
    name = "EXT-X-INDEPENDENT-SEGMENTS"
    if presentation.multivariant.text.counts[name]:
        return
    for rendition in presentation.video:
        if not rendition.playlist.text.counts[name]:
            yield Finding("H-55", rendition.url, "no INDEPENDENT-SEGMENTS here or in the multivariant")


@judges("A-9.16")
def video_range(presentation: Presentation) -> Iterator[Finding]:
    """4.4.6.2; Apple 9.16."""
    for where, variant, own in _variants(presentation):
        transfer = own.track.entry.transfer if own.track else None
        real = _HDR.get(transfer or 0, "SDR")
        told = variant.attributes.get("VIDEO-RANGE", "SDR")
        if own.is_video and told != real:
            yield Finding("A-9.16", where, f"VIDEO-RANGE {told}, the sample entry says {real}")


@judges("H-66")
def inner_audio(presentation: Presentation) -> Iterator[Finding]:
    """4.4.6.1: an audio rendition without URI is in the variants."""
    for where, variant, own in _variants(presentation):
        groups = presentation.multivariant.group("AUDIO", variant.attributes.get("AUDIO", "\0"))
        inner = [item for item in groups if item.url is None]
        if inner and not any(track.handler == "soun" for track in own.media[-1].init.tracks):
            yield Finding(
                "H-66", where, f"{inner[0].attributes.get('NAME')!r} has no URI and is not in this variant"
            )


@judges("H-56", "A-6.2")
def iframe_lists(presentation: Presentation) -> Iterator[Finding]:
    """4.4.6.3, 4.4.3.6; Apple 6.2, 6.10."""
    for rendition in presentation.iframes:
        if not rendition.playlist.iframes_only:
            yield Finding("H-56", rendition.url, "no EXT-X-I-FRAMES-ONLY")
            continue
        for item in rendition.media:
            yield from _iframe(rendition, item)
        yield from _iframe_steps(rendition)
        longest = max((entry.duration for entry in rendition.playlist.entries), default=Fraction(0))
        if longest > Fraction(101, 100):
            yield Finding("A-6.2", rendition.url, f"{show(longest)} between I-frames")


def _iframe(rendition: Rendition, item: Item) -> Iterator[Finding]:
    where = rendition.where(item)
    if item.media.key is False:
        yield Finding("H-56", where, "the range does not begin with an IDR picture")
    elif item.media.first_end > item.media.size:
        yield Finding(
            "H-56", where, f"the range ends {item.media.first_end - item.media.size} bytes inside the picture"
        )


def _iframe_steps(rendition: Rendition) -> Iterator[Finding]:
    for before, after in rendition.pairs():
        step = after.start - before.start
        if abs(step - before.entry.duration) > Fraction(1, 20):
            text = f"EXTINF {show(before.entry.duration)}, the next I-frame is {show(step)} later"
            yield Finding("H-56", rendition.where(before), text)


MEASURED_CHECKS: tuple[Check[Presentation], ...] = (peak, formats, independent, video_range, inner_audio)
IFRAME_CHECKS: tuple[Check[Presentation], ...] = (iframe_lists,)
FINISHED_CHECKS: tuple[Check[Presentation], ...] = (finished_rates,)
LIVE_PEAK_CHECKS: tuple[Check[Presentation], ...] = (live_peak,)
HOUR_CHECKS: tuple[Check[Presentation], ...] = (live_mean,)
