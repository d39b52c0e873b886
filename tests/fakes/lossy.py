"""A UDP path between two ports of this machine that loses datagrams, takes its time, and can go dark."""

import heapq
import random
import select
import socket
import threading
import time
from typing import Self


class LossyPath:
    """Forwards what comes to `port` to `target` and the answers back. Use as a context manager."""

    def __init__(self, target: int, *, loss: float, delay: float) -> None:
        """`loss` of 1; `delay` in seconds, each way. The same datagrams are lost each time, as far as they come alike."""
        self._front, self._back = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self._front.bind(("127.0.0.1", 0))
        self._back.connect(("127.0.0.1", target))
        self.port = self._front.getsockname()[1]
        self.dark = False
        """Whether nothing gets through."""
        self.lost = 0
        self._loss, self._delay = loss, delay
        self._client: tuple[str, int] | None = None
        self._random = random.Random(1)
        self._under_way: list[tuple[float, int, bytes, bool]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lossy path")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._front.close()
        self._back.close()

    def _run(self) -> None:
        count = 0
        while not self._ended.is_set():
            now = time.monotonic()
            while self._under_way and self._under_way[0][0] <= now:
                _, _, data, forward = heapq.heappop(self._under_way)
                self._deliver(data, forward=forward)
            wait = min(0.05, self._under_way[0][0] - now) if self._under_way else 0.05
            ready, _, _ = select.select([self._front, self._back], [], [], max(0.0, wait))
            for one in ready:
                count += 1
                self._take(one, count)

    def _take(self, one: socket.socket, count: int) -> None:
        try:
            data, peer = one.recvfrom(2048)
        except ConnectionRefusedError:  # nobody listens at the target now
            return
        forward = one is self._front
        if forward:
            self._client = peer
        if self.dark or self._random.random() < self._loss:
            self.lost += 1
        else:
            heapq.heappush(self._under_way, (time.monotonic() + self._delay, count, data, forward))

    def _deliver(self, data: bytes, *, forward: bool) -> None:
        if forward:
            self._back.send(data)
        elif self._client is not None:
            self._front.sendto(data, self._client)
