"""A small process that runs one command and tells what it used: `launch.py REPORT COMMAND…`.

It is a process of its own because a child's peak of memory includes that of the process it was forked from:
the benchmark itself, with numpy and FFmpeg's libraries in it, would be the measured peak of every small program.
"""

import json
import os
import sys
import time


def main() -> int:
    """Run the command to its end; answer its exit code."""
    report, *command = sys.argv[1:]
    started = time.perf_counter_ns()
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(process, 0)
    wall = time.perf_counter_ns() - started
    with open(report, "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib would be a megabyte more
        json.dump({"cpu": used.ru_utime + used.ru_stime, "wall": wall / 1e9, "memory": used.ru_maxrss}, file)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main() & 0xFF)
