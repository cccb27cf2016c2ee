"""What must hold when all is over, worked out from the log, the API and the output alone."""

import json
from collections import defaultdict

from consumer.model import Level, LevelChoice, Offset, Partition, StreamResult
from tests.engine.chaos import KEYS, Chaos
from tests.engine.ledger import Spoken
from tests.engine.moods import INVALID
from tests.engine.props import Line
from tests.engine.stand import CALLS, LETTERS, RATE, RESULTS, SESSIONS, Json, Stand, headers

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
        self._exactly_once = chaos.exactly_once
        self._reigns = [reign for w in chaos.witnesses for reign in w.reigns()]
        self._done: defaultdict[tuple[str, int, Level], set[int]] = defaultdict(set)

    def check(self) -> None:
        """Fail when anything does not hold."""
        for stand in self._stands:
            self._check_letters(stand)
            for key in KEYS:
                self._check_streams(stand, key)
                for number in self._books:
                    self._check_places(stand, number, key)
        self._check_complete()
        if self._exactly_once:
            for number in self._books:
                for key in KEYS:
                    self._check_order(number, key, self._seen(number, key), whole=True)
        for reign in self._reigns:
            for key, said in reign.said.items():
                self._check_order(reign.partition.number, key, said, whole=False)

    def _seen(self, number: int, key: str) -> list[Json]:
        """What readers see of a key: starts, then results, then ends, session by session."""
        records = [
            record
            for topic in (RESULTS, SESSIONS)
            for record in self._stands[0].cluster.contents(Partition(topic, number))
            if record.key == key.encode()
        ]
        said = [json.loads(record.value or b"{}") for record in records]
        order = {"started": 0, None: 1, "ended": 2}
        return sorted(said, key=lambda e: (e["incarnation"]["offset"], order[e.get("event")]))

    def _check_order(self, number: int, key: str, said: list[Json], *, whole: bool) -> None:
        """One session after the other, each with its start, its results without overlap, its end.

        Sessions begin where calls do, whoever has read that. whole: nobody else has said anything
        of this key, so every call must be told of, once and from its start to its end.
        """
        book = self._books[number]
        calls = [r.offset for r in book.values() if r.key == key and r.begin == 0]
        live: Offset | None = None
        told: list[Offset] = []
        ends: dict[str, float] = {}
        for each in said:
            born, event = each["incarnation"]["offset"], each.get("event")
            assert born in calls, f"no call begins there: {each}"
            if born != live:
                assert live is None or not whole, f"the session before is not over: {each}"
                assert not told or born > told[-1], f"that session was over: {each}"
                assert event == "started" or not whole, f"nothing has begun: {each}"
                live, ends = born, {}
                told.append(born)
            else:
                assert event != "started", f"it has begun already: {each}"
            if event == "started":
                assert not each["resumed"], each
            elif event == "ended":
                live = None
            else:
                assert ends.get(each["level"], 0) <= each["start"] < each["end"], each
                ends[each["level"]] = each["end"]
        if whole:
            assert told == calls, f"{key}: calls without a word, {set(calls) - set(told)}"
            assert live is None

    def _check_places(self, stand: Stand, number: int, key: str) -> None:
        """Results lie where the API has heard them; clamped ones begin later."""
        heard = {
            (message.pid, message.message_id): (self._places(key, line), result)
            for line in stand.api.of[key]
            for message in line.said
            for result in message.results
        }
        for each in stand.results(key):
            if each["incarnation"]["partition"] != number:
                continue
            born = self._books[number][Offset(each["incarnation"]["offset"])]
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
            lines = [line for each in self._stands for line in each.api.of[spoken.key]]
            refused = [line for line in lines if line.refused(INVALID)]
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
