"""What a stage is: items in, items out, and the instant at which it wants to be asked again."""

from typing import Protocol, TypeVar

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out")


class Stage(Protocol[In, Out]):
    """A step of the way of the data. It starts no thread, reads no clock and opens no file.

    `now` is the media clock: nanoseconds since the Unix epoch, never stepping. A stage's thread waits on its
    queue until `due()`, then calls `tick`.
    """

    def push(self, item: In, now: int) -> list[Out]:
        """Take one item; give what follows from it, in order."""
        ...

    def tick(self, now: int) -> list[Out]:
        """Give what is due though nothing arrived."""
        ...

    def due(self) -> int | None:
        """The instant of the next `tick`, or None while only an item can bring anything."""
        ...

    def flush(self) -> list[Out]:
        """The input has ended: give what is left."""
        ...
