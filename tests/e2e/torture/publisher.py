"""A publisher that does what its plan says, at the camera's own pace: `python -m tests.e2e.torture.publisher PLAN.json`.

The plan is `Plan` as JSON. `began` is an instant of the machine's monotonic clock, so all publishers mean the same camera.
"""

import json
import random
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from abr.formats.rtmp.event import MediaKind
from tests.e2e.torture.script import SLOW, TURN_RTMP, Feed, Jump, Script, Span
from tests.fakes import rtmp_client
from tests.fakes.tags import tags

_DAMAGED = 0.01
_SPARED = {MediaKind.VIDEO: 5, MediaKind.AUDIO: 2}
"""Bytes at the begin that say what kind of packet it is."""
_KEY = 1
"""Frame type of a key picture."""


@dataclass(frozen=True)
class Plan:
    """What one publisher does."""

    port: int
    feed: Feed
    began: float
    usual: str
    other: str
    other_form: Span
    silent: Span
    damaged: Span
    jumps: tuple[Jump, ...]

    @classmethod
    def of(cls, script: Script, feed: Feed, *, port: int, began: float, files: tuple[Path, Path]) -> "Plan":
        usual, other = map(str, files)
        jumps = script.jumps if feed is script.feeds[0] else ()
        return cls(port, feed, began, usual, other, script.other_form, script.silent, script.damaged, jumps)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> "Plan":
        made = json.loads(path.read_text())
        spans = {name: Span(*made[name]) for name in ("other_form", "silent", "damaged")}
        jumps = tuple(Jump(*jump) for jump in made["jumps"])
        return cls(**{**made, **spans, "feed": Feed(*made["feed"]), "jumps": jumps})


class Item(NamedTuple):
    """A message's content and the camera's time."""

    at: float
    kind: MediaKind
    content: bytes

    @property
    def header(self) -> bool:
        """Whether it sets a decoder up."""
        return self.kind in _SPARED and self.content[1] == 0

    @property
    def key(self) -> bool:
        return self.kind is MediaKind.VIDEO and self.content[0] >> 4 == _KEY


def clock(began: float) -> float:
    """The camera's time now."""
    return (time.monotonic() - began) / (1 + SLOW)


def pause(at: float, began: float) -> None:
    """Wait for the camera's time `at`."""
    time.sleep(max(0.0, began + at * (1 + SLOW) - time.monotonic()))


def items(plan: Plan) -> list[Item]:
    """The whole programme as this evening has it: the other form in its span, no sound while it is silent."""
    usual, other = (_read(path) for path in (plan.usual, plan.other))
    kept = [
        item
        for item in usual
        if item.header or item.at not in (plan.other_form if item.kind is MediaKind.VIDEO else plan.silent)
    ]
    begin, end = plan.other_form
    again = [item._replace(at=end - 1e-6) for item in usual if item.header and item.kind is MediaKind.VIDEO]
    inserted = [item._replace(at=begin) if item.header else item for item in other]
    return sorted([*kept, *inserted, *again], key=lambda item: item.at)


def _read(path: str) -> list[Item]:
    found = tags(Path(path).read_bytes())
    return [
        Item(stamp / 1000, MediaKind(kind), content)
        for kind, stamp, content in found
        if kind in (MediaKind.AUDIO, MediaKind.VIDEO) and len(content) > 1
    ]


def cut(whole: list[Item], begin: float) -> Iterator[Item]:
    """From the first key picture at `begin` or later on, after the set-up that is in force there."""
    start = next(
        place for place, item in enumerate(whole) if item.at >= begin and item.key and not item.header
    )
    headers = {item.kind: item for item in whole[:start] if item.header}
    yield from (item._replace(at=whole[start].at) for item in headers.values())
    yield from whole[start:]


def stamp(plan: Plan, at: float) -> int:
    """What the encoder writes at this time, milliseconds."""
    jumped = sum(jump.by for jump in plan.jumps if at >= jump.at)
    return (plan.feed.first + jumped + round((at - plan.feed.zero) * 1000)) % TURN_RTMP


def damage(item: Item, dice: random.Random) -> Item:
    """The packet with a few bytes that are not its own."""
    content = bytearray(item.content)
    for _ in range(dice.randint(1, 8)):
        content[dice.randrange(_SPARED[item.kind], len(content))] ^= dice.randint(1, 255)
    return item._replace(content=bytes(content))


def publish(plan: Plan) -> None:
    """Send it until somebody ends it, or the programme is over."""
    whole, dice = items(plan), random.Random(7)
    with socket.create_connection(("127.0.0.1", plan.port), timeout=10) as server:
        server.sendall(
            rtmp_client.HANDSHAKE + rtmp_client.connect("live") + rtmp_client.publish(plan.feed.key)
        )
        answer = b""
        while b"NetStream.Publish.Start" not in answer:
            part = server.recv(65536)
            if not part or b"BadName" in answer:
                sys.exit("refused")
            answer += part
        for item in cut(whole, clock(plan.began) - plan.feed.behind):
            pause(item.at, plan.began)
            spoiled = item.at in plan.damaged and not item.header and dice.random() < _DAMAGED
            sent = damage(item, dice) if spoiled and len(item.content) > 8 else item
            server.sendall(rtmp_client.media(sent.kind, stamp(plan, item.at), sent.content))


if __name__ == "__main__":
    publish(Plan.read(Path(sys.argv[1])))
