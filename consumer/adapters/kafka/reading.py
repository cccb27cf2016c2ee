"""Where reading of one assigned partition stands, as far as its records were handed out."""

from dataclasses import dataclass

from consumer.model import Offset


@dataclass(slots=True)
class Reading:
    """One partition in one assignment; a new assignment begins with a new one.

    position: offset of the next record to hand out, None until reading was told where to begin.
    fetches: fetches that came back and whose records were all handed out, empty ones included.
    """

    position: Offset | None = None
    fetches: int = 0
    _last_fetch_ms: int | None = None

    def begin(self, position: Offset) -> None:
        """Reading starts here; fetches from before don't count."""
        self.position = position

    def look(self, last_fetch_ms: int | None) -> None:
        """Note the wall time of the last fetch; a time not seen before is one fetch more.

        Fetches of a partition follow each other, so two times seen one after the other are two
        fetches, of which the second was sent after the first was seen. Fetches between two looks
        count as one, which errs on the safe side.
        """
        if last_fetch_ms is not None and last_fetch_ms != self._last_fetch_ms:
            self._last_fetch_ms = last_fetch_ms
            self.fetches += 1
