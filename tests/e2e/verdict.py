"""What `abr verify` says of a stream, and which of its findings are known and accepted."""

import json
from pathlib import Path
from typing import Any

from tests.e2e.processes import run_abr

ACCEPTED = {
    "A-6.1": "I-frame playlists are not written yet",
    "A-10.1": "gzip is the CDN's work",
}
BINDING = {"M", "A", "I"}


def findings(target: str | Path, folder: Path, *options: str, seconds: float = 60) -> list[str]:
    """`abr verify TARGET …`: every binding finding that is not accepted, as a line."""
    judged = run_abr(folder, "verify", str(target), "--json", *options, seconds=seconds)
    assert judged.code in {0, 1}, judged.err
    return refused(json.loads(judged.out))


def refused(verdict: dict[str, Any]) -> list[str]:
    """The findings of a verdict that nobody has accepted."""
    binding = [found for found in verdict["findings"] if found["level"] in BINDING]
    return [
        f"{found['rule']} {found['where']}: {found['text']}"
        for found in binding
        if found["rule"] not in ACCEPTED
    ]
