"""Findings, and the checks that make them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from abr.errors import RemoteProtocolError
from abr.verify.rules import RULES

Subject = TypeVar("Subject")


class Finding(NamedTuple):
    """A rule that is broken: its id, the playlist, segment or attribute where, and what is there instead."""

    rule: str
    where: str
    text: str

    @property
    def level(self) -> str:
        """M, A, I, S or V."""
        return RULES[self.rule].level


@dataclass(frozen=True, slots=True)
class Check(Generic[Subject]):
    """A function that judges some rules on one kind of subject."""

    rules: tuple[str, ...]
    run: Callable[[Subject], Iterable[Finding]]


def judges(*rules: str) -> Callable[[Callable[[Subject], Iterator[Finding]]], Check[Subject]]:
    """Make a generator of findings the check of these rules. A rule that is not in the table is a KeyError."""
    known = tuple(RULES[rule].id for rule in rules)

    def wrap(run: Callable[[Subject], Iterator[Finding]]) -> Check[Subject]:
        return Check(known, run)

    return wrap


class Docket:
    """What has been found so far, each finding once, and which rules were looked at."""

    def __init__(self) -> None:
        self._findings: dict[Finding, None] = {}
        self._judged: set[str] = set()

    def add(self, findings: Iterable[Finding]) -> None:
        """Take findings that were made outside a check."""
        for finding in findings:
            self._findings[finding] = None
            self._judged.add(finding.rule)

    def mark(self, *rules: str) -> None:
        """Say that these rules were looked at."""
        self._judged.update(rules)

    def hear(self, checks: Iterable[Check[Subject]], *subjects: Subject) -> None:
        """Run the checks on each subject; their rules count as judged where there is a subject."""
        for check in checks:
            for subject in subjects:
                self.mark(*check.rules)
                try:
                    self.add(check.run(subject))
                except RemoteProtocolError as error:  # what a check cannot read breaks what it judges
                    self.add([Finding(check.rules[0], getattr(subject, "url", ""), str(error))])

    @property
    def findings(self) -> tuple[Finding, ...]:
        """In the order of the table, then of discovery."""
        order = {rule: place for place, rule in enumerate(RULES)}
        return tuple(sorted(self._findings, key=lambda finding: order[finding.rule]))

    @property
    def judged(self) -> tuple[str, ...]:
        """Rules that were looked at, in the order of the table."""
        return tuple(rule for rule in RULES if rule in self._judged)
