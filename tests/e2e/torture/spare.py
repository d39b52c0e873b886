"""The spare input's publisher, over SRT at the camera's pace: `python -m tests.e2e.torture.spare PORT STREAM_ID FILE BEGAN`."""

import json
import sys
from pathlib import Path

from tests.e2e.torture.publisher import clock, pause
from tests.fakes.srt_caller import MESSAGE, call


def publish(port: int, stream_id: str, file: Path, began: float) -> None:
    """Send what is due from now on."""
    data, due = file.read_bytes(), json.loads(file.with_suffix(".json").read_text())
    now = clock(began)
    caller = call(port, stream_id)
    sent = next((end for at, end in reversed(due) if at < now), 0)
    for at, end in due:
        if at < now:
            continue
        pause(at, began)
        while sent < end:
            piece = data[sent : min(end, sent + MESSAGE)]
            caller.send(piece)
            sent += len(piece)


if __name__ == "__main__":
    publish(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), float(sys.argv[4]))
