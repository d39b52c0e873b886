"""How many puts one origin takes at once: fewer when it asks for patience, more when all goes well."""


class Pace:
    """Additive increase, multiplicative decrease, between one and `most`. Counting only: no thread, no clock.

    What is under way when the origin complains was begun at the old pace: their complaints count once, so that
    one busy moment halves the pace and does not bring it to one. A round of puts without a complaint, as many as
    the pace is, raises it by one.
    """

    def __init__(self, most: int) -> None:
        self.limit = self._most = max(1, most)
        """Puts that may be under way at once now."""
        self._under_way = 0
        self._round = 0
        self._good = 0
        """Puts of this round that ended well."""

    @property
    def free(self) -> bool:
        """Whether another put may begin."""
        return self._under_way < self.limit

    def begin(self) -> int:
        """A put begins; answers its round, which `slow` and `end` are told."""
        self._under_way += 1
        return self._round

    def slow(self, begun: int) -> None:
        """The origin asked a put of this round for patience."""
        if begun == self._round:
            self.limit = max(1, self.limit // 2)
            self._round += 1
            self._good = 0

    def end(self, begun: int, *, good: bool) -> bool:
        """A put of this round is over, confirmed or not. Answers whether the pace rises."""
        self._under_way -= 1
        if not good or begun != self._round or self.limit == self._most:
            return False
        self._good += 1
        if self._good < self.limit:
            return False
        self.limit += 1
        self._good = 0
        return True
