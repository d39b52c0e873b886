"""A worker that packages for ever, as fast as it can, to be killed: `python -m tests.fakes.mortal STATE TAG ORIGIN …`.

It writes a line with each release that the journal knows.
"""

import itertools
import sys
from pathlib import Path

from abr.journal.lock import ChannelLock
from abr.storage.directory import DirectoryStore
from tests.fakes.log import KeptLines
from tests.fakes.origins import HurriedClock
from tests.fakes.stream import batches
from tests.fakes.worker import Worker, first_number, session

AHEAD = 60
"""Objects that may wait for the slower origin: some lie in the spool at any instant."""


def main(state: Path, tag: str, origins: list[Path]) -> None:
    """One session, until somebody ends the process."""
    stores = [DirectoryStore(origin) for origin in origins]
    for store in stores:
        store.check()
    with ChannelLock(state):
        worker = Worker(state, stores, HurriedClock(), KeptLines(), durable=True)
        made = session(tag, seconds=100_000 * int(tag, 16), window=16)
        packager = worker.begin(made)
        for number in itertools.count(first_number(made)):
            for name, some in batches(made, number, 1):
                packager.push(name, some)
            worker.delivery.wait_below(AHEAD)
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], [Path(argument) for argument in sys.argv[3:]])
