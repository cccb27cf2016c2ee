"""What must hold when all is over, worked out from the log, the API and the output alone."""

from collections import defaultdict

from consumer.model import Level, LevelChoice, Offset, StreamResult
from tests.engine.chaos import KEYS, Chaos
from tests.engine.ledger import Spoken
from tests.engine.moods import INVALID
from tests.engine.props import Line
from tests.engine.stand import CALLS, LETTERS, RATE, Json, Stand, headers
from tests.engine.witness import Reign

_ATTEMPTS = 3
"""Streams that the API has to refuse before a session may be given up."""


class Reckoning:
    """Looks at one world that has come to rest. All frames are call frames of the log."""

    def __init__(self, chaos: Chaos) -> None:
        self._stands = chaos.stands
        places = self._stands[0].cluster.partitions(CALLS)
        self._records = {p.number: self._stands[0].cluster.contents(p) for p in places}
        self._books = {place.number: chaos.ledger.spoken(place) for place in places}
        self._calls: defaultdict[str, dict[int, bytes]] = defaultdict(dict)
        for number, book in self._books.items():
            for spoken in book.values():
                heard = self._records[number][spoken.offset].value or b""
                call = self._calls[spoken.key].get(spoken.call, b"")
                self._calls[spoken.key][spoken.call] = call + heard
        self._levels = set(Level) if chaos.level is LevelChoice.ALL else {Level(chaos.level)}
        self._reigns = [(w.stand, reign) for w in chaos.witnesses for reign in w.reigns()]
        self._done: defaultdict[tuple[str, int, Level], set[int]] = defaultdict(set)

    def check(self) -> None:
        """Fail when anything does not hold."""
        for stand in self._stands:
            self._check_letters(stand)
            for key in KEYS:
                self._check_streams(stand, key)
        for stand, reign in self._reigns:
            for key, said in reign.said.items():
                self._check_order(reign, key, said)
                self._check_places(stand, reign, key, said)
        self._check_complete()

    def _check_order(self, reign: Reign, key: str, said: list[Json]) -> None:
        """One session after the other, each with its start, its results without overlap, its end.

        A tenure begins at the committed offset, so its times count from the first record that it
        has read. Only a new tenure goes back, and so no further than to what was committed.
        """
        births, live = self._births(reign, key), None
        ends: dict[str, float] = {}
        for each in said:
            born, event = each["incarnation"]["offset"], each.get("event")
            if event == "started":
                assert live is None, f"the session before is not over: {each}"
                assert births, f"nothing has begun here: {each}"
                assert born == births.pop(0), f"it begins elsewhere: {each}"
                assert each["resumed"] is reign.continued, each
                live, ends = born, {}
                continue
            assert born == live, f"this session is not live: {each}"
            if event == "ended":
                live = None
            else:
                assert ends.get(each["level"], 0) <= each["start"] < each["end"], each
                ends[each["level"]] = each["end"]

    def _births(self, reign: Reign, key: str) -> list[Offset]:
        """Where its sessions begin: with the first record that it reads, and with each call."""
        book = self._books[reign.partition.number].values()
        read = [r for r in book if r.key == key and r.offset >= reign.position]
        return [r.offset for n, r in enumerate(read) if n == 0 or r.begin == 0]

    def _check_places(self, stand: Stand, reign: Reign, key: str, said: list[Json]) -> None:
        """Results lie where the API has heard them; clamped ones begin later."""
        heard = {
            (message.pid, message.message_id): (self._places(key, line), result)
            for line in stand.api.of[key]
            for message in line.said
            for result in message.results
        }
        for each in said:
            if "event" in each:
                continue
            born = self._books[reign.partition.number][Offset(each["incarnation"]["offset"])]
            places, result = heard[each["pid"], each["message_id"]]
            assert born.call in places, f"of another call: {each}"
            begin, end = (born.begin + round(each[at] * RATE) for at in ("start", "end"))
            first, last = _frames(places[born.call], result)
            assert end == last, each
            assert begin > first if each["clamped"] else begin == first, each
            self._done[key, born.call, result.level].update(range(begin, end))

    def _check_streams(self, stand: Stand, key: str) -> None:
        """Every stream carries a stretch of one call; where it ended well, what the API said
        nothing about needs no more work.
        """
        for line in stand.api.of[key]:
            places = self._places(key, line)
            assert places, f"stream {line.number} of {key} carries what nobody has said"
            for call, base in places.items() if line.ok else ():
                self._note_dull(line, key, call, base)

    def _note_dull(self, line: Line, key: str, call: int, base: int) -> None:
        for level in self._levels:
            dull = set(range(base, base + len(b"".join(line.audio)) // 2))
            for message in line.said:
                for result in message.results:
                    if result.level is level:
                        dull.difference_update(range(*_frames(base, result)))
            self._done[key, call, level] |= dull

    def _places(self, key: str, line: Line) -> dict[int, int]:
        """Of which calls a stream may carry the audio, and from where on. Voices may overlap."""
        heard = b"".join(line.audio)
        found = {call: audio.find(heard) // 2 for call, audio in self._calls[key].items()}
        return {call: base for call, base in found.items() if base >= 0}

    def _check_letters(self, stand: Stand) -> None:
        """A dead letter is the record as it was; only what the API refuses is given up."""
        for letter in stand.written(LETTERS):
            said = headers(letter)
            number, offset = int(said["dlq-partition"]), int(said["dlq-offset"])
            record = self._records[number][offset]
            assert (letter.key, letter.value) == (record.key, record.value)
            spoken = self._books[number].get(record.offset)
            if spoken is None:
                continue
            assert said["dlq-reason"] in (b"refused", b"poisoned"), said
            refused = [line for line in stand.api.of[spoken.key] if line.refused(INVALID)]
            assert len(refused) >= _ATTEMPTS, said
            self._give_up(spoken)

    def _give_up(self, spoken: Spoken) -> None:
        for level in self._levels:
            frames = range(spoken.begin, spoken.end)
            self._done[spoken.key, spoken.call, level].update(frames)

    def _check_complete(self) -> None:
        """Every frame was told of, or is in the dead letters, or the API had nothing to say."""
        for book in self._books.values():
            for spoken in book.values():
                for level in self._levels:
                    done = self._done[spoken.key, spoken.call, level]
                    missing = set(range(spoken.begin, spoken.end)) - done
                    assert not missing, f"{level}: {spoken} lacks {sorted(missing)}"


def _frames(base: int, result: StreamResult) -> tuple[int, int]:
    """Where a result lies when its stream begins at `base`; the judge speaks in whole frames."""
    return base + round(result.start * RATE), base + round(result.end * RATE)
