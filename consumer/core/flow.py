"""When to stop taking more: marks with a high and a low water line."""


class Mark:
    """A quantity that is over from its high line until it is back below its low line."""

    __slots__ = ("_high", "_low", "_over", "value")

    def __init__(self, high: int, low: int) -> None:
        self._high = high
        self._low = low
        self._over = False
        self.value = 0

    def add(self, n: int) -> None:
        """Change the quantity by n, which may be negative."""
        self.value += n
        if self.value >= self._high:
            self._over = True
        elif self.value < self._low:
            self._over = False

    @property
    def over(self) -> bool:
        """Nothing more should be taken."""
        return self._over
