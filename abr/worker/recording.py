"""The recorder of a channel's feeds, opened and closed with the worker."""

import os
from collections.abc import Callable

from abr import files
from abr.clock import Clock
from abr.config.record import Record
from abr.errors import UsageError
from abr.ingest.tap import Recorder
from abr.ingest.tape import Shelf
from abr.log import Logger

Spawn = Callable[[str, Callable[[], None]], None]


def open_recorder(record: Record, channel: str, clock: Clock, log: Logger, spawn: Spawn) -> Recorder:
    """A recorder whose thread runs. Raises UsageError for a folder that cannot be written."""
    try:
        files.make_folder(record.folder)
        refused = "" if os.access(record.folder, os.W_OK | os.X_OK) else "no permission"
    except OSError as error:
        refused = error.strerror or str(error)
    if refused:
        raise UsageError(
            f"record_feed: {record.folder} cannot be written: {refused}",
            hint="name a folder that this user may write to",
        )
    recorder = Recorder(Shelf(record.folder, channel, record.quota), clock, log)
    spawn("record feed", recorder.run)
    return recorder
