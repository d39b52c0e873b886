"""The verdict: what was found, what was judged, and why the rest was not."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from abr.verify.finding import Finding
from abr.verify.rules import BINDING, RULES


class NotJudged(NamedTuple):
    """A rule that was not looked at, and why."""

    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. `ok` is true where no rule of level M, A or I is broken."""

    target: str
    findings: tuple[Finding, ...]
    judged: tuple[str, ...]
    not_judged: tuple[NotJudged, ...]

    @property
    def ok(self) -> bool:
        """Whether the stream is right; advice does not count."""
        return not any(finding.level in BINDING for finding in self.findings)


class Asked(NamedTuple):
    """What there was to judge, and how deeply."""

    hls: bool
    dash: bool
    live: bool
    decode: bool


_SERVED = frozenset({"A-8.18", "A-8.24", "A-10.1", "A-10.4", "D-05", "D-94", "L-19"})
"""Rules on headers."""
_WATCHED = frozenset(
    {
        *(rule for rule in RULES if rule.startswith("L-")),
        *(f"D-{number}" for number in (*range(70, 74), *range(75, 90), 92)),
    }
)
"""Rules on how a stream changes."""
_NEVER = {
    "H-11": "needs an input that is lost on purpose; a hole in time shows as H-46",
    "H-75": "needs the encoder's settings",
    "A-2.24": "needs the bits of SBR",
    "A-8.8": "a list that only grows looks like one that has not begun to slide",
    "A-9.21": "for cellular delivery only",
    "A-14": "low latency",
    "L-17": "needs a restart of the encoder",
    "LL": "low latency",
    "C-16": "needs a test picture with flashes and beeps",
    "C-18": "needs numbered frames",
    "D-23": "needs the table of leap seconds",
    "D-93": "seen as D-20 to D-22 of a recording",
    "D-96": "low latency",
}


def not_judged(judged: Iterable[str], asked: Asked) -> tuple[NotJudged, ...]:
    """Each rule that was not judged, in the order of the table, and why."""
    known = set(judged)
    return tuple(NotJudged(rule, _reason(rule, asked)) for rule in RULES if rule not in known)


def _reason(rule: str, asked: Asked) -> str:
    return next(_reasons(rule, asked), "nothing in this stream that it applies to")


def _reasons(rule: str, asked: Asked) -> Iterator[str]:
    if rule in _NEVER:
        yield _NEVER[rule]
    if not asked.dash and (rule.startswith("D-") or rule == "C-10"):
        yield "no DASH manifest"
    if not asked.hls and rule.startswith(("H-", "A-", "L-", "C-")):
        yield "no HLS playlist"
    if rule == "C-17" and not asked.decode:
        yield "asked for with --decode"
    if rule in _SERVED:
        yield "files have no headers"
    if rule in _WATCHED and not asked.live:
        yield "asked for with --live"
