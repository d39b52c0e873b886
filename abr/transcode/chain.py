"""FFmpeg filters in a row, over pictures whose form may change at any time."""

from fractions import Fraction

import av
from av.filter import Graph

_TICK = Fraction(1, 1_000_000)
"""What filters take a tick for; nobody reads times from them."""

_Form = tuple[int, int, str]


class Chain:
    """One filter after another. What goes in comes out in the same order, perhaps some pictures later.

    Frames that go in are not written to; times of those that come out mean nothing. Raises av.FFmpegError (and
    ValueError) for a form that a filter refuses.
    """

    def __init__(self, *filters: tuple[str, str | None]) -> None:
        self._filters = filters
        self._form: _Form | None = None
        self._graph: Graph | None = None

    def push(self, frame: av.VideoFrame) -> list[av.VideoFrame]:
        """Filter a picture; what is ready, older pictures of another form first."""
        form = (frame.width, frame.height, frame.format.name)
        made: list[av.VideoFrame] = []
        if form != self._form:
            made = self.flush()
            self._graph, self._form = self._built(frame), form
        assert self._graph is not None
        self._graph.vpush(frame)
        return made + self._ready(self._graph)

    def flush(self) -> list[av.VideoFrame]:
        """What is still inside."""
        graph, self._graph, self._form = self._graph, None, None
        if graph is None:
            return []
        graph.vpush(None)
        return self._ready(graph)

    def _built(self, frame: av.VideoFrame) -> Graph:
        graph = Graph()
        graph.threads = 1
        ends = (
            graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=_TICK),
            graph.add("buffersink"),
        )
        nodes = [graph.add(name, options) for name, options in self._filters]
        graph.link_nodes(ends[0], *nodes, ends[1])
        graph.configure()
        return graph

    @staticmethod
    def _ready(graph: Graph) -> list[av.VideoFrame]:
        made: list[av.VideoFrame] = []
        while True:
            try:
                made.append(graph.vpull())
            except (av.BlockingIOError, av.EOFError):
                return made
