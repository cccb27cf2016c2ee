"""What leaves a session, in order; a dead letter is the record as it was."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consumer.core.events import Close, DeadLettered, Publish, Settle
from consumer.core.offsets import Lane
from consumer.engine.egress import Egress
from consumer.engine.replayer import Replayer
from consumer.errors import KafkaFailed
from consumer.model import (
    Hertz,
    Incarnation,
    LevelChoice,
    Milliseconds,
    Offset,
    Record,
    SessionKey,
    SessionStarted,
)
from tests.engine.home import FakeHome
from tests.engine.stand import CALLS, LETTERS, SESSIONS, Stand, headers, settle_down, virtual_time

pytestmark = virtual_time

STARTED = Publish(
    SessionStarted(
        session=SessionKey("call"),
        incarnation=Incarnation(CALLS, 0, Offset(0)),
        sample_rate=Hertz(100),
        level=LevelChoice.ALL,
        timestamp=Milliseconds(0),
    )
)


def dead(*offsets: int, reason: str = "bad-audio") -> DeadLettered:
    """The session gives these records up."""
    return DeadLettered(tuple(map(Offset, offsets)), reason, "as the test wants it")


class Letting:
    """A session's way out with a home that takes notes."""

    def __init__(self, stand: Stand, home: FakeHome, egress: Egress) -> None:
        self.stand = stand
        self.home = home
        self.egress = egress
        self.closed = False

    def let_out(self, *actions: Publish | DeadLettered | Settle | Close) -> None:
        """What the session asks for while none of its records is at hand."""
        for action in actions:
            self.egress.let_out(action, None)


@asynccontextmanager
async def letting(seconds: float = 2.0) -> AsyncIterator[tuple[Letting, list[Record]]]:
    """A way out for a session that has spoken so long, in records of a quarter second."""
    stand, home = Stand(), FakeHome()
    records = stand.speak(seconds=seconds, headers=[("meta-site", b"x"), ("dlq-reason", b"old")])
    async with stand.kitted() as kit:
        replayer = Replayer(kit)
        kit.spawn(replayer.run(), "replayer")

        def close() -> None:
            out.closed = True
            home.out.append(-1)

        egress = Egress(SessionKey("call"), Lane(0), home, kit, replayer, closed=close)
        out = Letting(stand, home, egress)
        yield out, records


async def test_publications_and_settles_go_in_order() -> None:
    """Each goes out at once, as it comes."""
    async with letting() as (out, _):
        out.let_out(STARTED, Settle(Offset(3)), STARTED, Settle(Offset(4)), Close())
        assert out.home.told == [SESSIONS, 3, SESSIONS, 4, -1]


async def test_a_record_at_hand_is_its_own_dead_letter() -> None:
    """It is written before its offset settles, as it was, with where it came from and why."""
    async with letting() as (out, records):
        out.egress.let_out(dead(2), records[2])
        out.let_out(Settle(Offset(3)))
        assert out.home.told == [LETTERS, 3]
        [letter] = out.home.records(LETTERS)
        assert (letter.key, letter.value, letter.partition) == (b"call", records[2].value, 0)
        said = headers(letter)
        assert said["meta-site"] == b"x"
        assert said["dlq-topic"] == b"calls"
        assert said["dlq-partition"] == b"0"
        assert said["dlq-offset"] == b"2"
        assert said["dlq-reason"] == b"bad-audio"
        assert said["dlq-detail"] == b"as the test wants it"
        assert said["dlq-session"] == b"call"
        assert out.stand.replay.asked == []
        assert out.stand.metrics.values["dead_letters"] == 1


async def test_records_that_are_not_at_hand_are_read_again() -> None:
    """All that comes meanwhile waits behind them, and goes out in order after them."""
    async with letting() as (out, records):
        out.let_out(dead(0, 1, 3), STARTED, Settle(Offset(4)), Close())
        assert out.home.told == []
        assert not out.closed
        await settle_down()
        assert out.home.told == [LETTERS, LETTERS, LETTERS, SESSIONS, 4, -1]
        values = [letter.value for letter in out.home.records(LETTERS)]
        assert values == [records[number].value for number in (0, 1, 3)]


async def test_dead_letters_behind_a_waiting_one_wait_for_their_turn() -> None:
    """A second gap is read after the first, and the settle between them stays between them."""
    async with letting() as (out, records):
        out.let_out(dead(0), Settle(Offset(1)))
        out.egress.let_out(dead(1), records[1])
        out.let_out(Settle(Offset(2)), dead(2), Close())
        await settle_down(40)
        assert out.home.told == [LETTERS, 1, LETTERS, 2, LETTERS, -1]
        values = [letter.value for letter in out.home.records(LETTERS)]
        assert values == [record.value for record in records[:3]]


async def test_nothing_settles_while_reading_again_fails() -> None:
    """The dead letter is tried for until it can be written."""
    async with letting() as (out, _):
        out.stand.replay.script.fail("read", KafkaFailed("no leader"), KafkaFailed("no leader"))
        out.let_out(dead(0), Settle(Offset(1)))
        await settle_down()
        assert out.home.told == []
        await out.stand.until(lambda: out.home.told)
        assert out.home.told == [LETTERS, 1]


async def test_a_record_that_retention_has_deleted_is_dead_lettered_by_reference() -> None:
    """Key and place are all that is left of it."""
    async with letting() as (out, _):
        out.stand.cluster.delete(out.home.partition, below=1)
        out.let_out(dead(0), Settle(Offset(1)))
        await settle_down()
        [letter] = out.home.records(LETTERS)
        assert (letter.key, letter.value) == (b"call", None)
        assert headers(letter)["dlq-value"] == b"deleted"
        assert headers(letter)["dlq-offset"] == b"0"
        assert out.home.told == [LETTERS, 1]


async def test_nothing_leaves_a_dropped_session() -> None:
    """Records that come back for somebody who is gone are not written."""
    async with letting() as (out, _):
        out.let_out(dead(0), Settle(Offset(1)), Close())
        out.egress.drop()
        await settle_down()
        assert out.home.told == []
        assert not out.closed


async def test_a_session_that_is_given_up_is_said_once() -> None:
    """One log line and one count, however many records are read again in however many parts."""
    async with letting(seconds=300) as (out, records):
        everything = range(len(records))
        out.let_out(dead(*everything, reason="refused"), Settle(Offset(len(records))))
        await out.stand.until(lambda: out.home.told and out.home.told[-1] == len(records))
        assert len(out.home.records(LETTERS)) == len(records)
        assert [letter.value for letter in out.home.records(LETTERS)] == [r.value for r in records]
        assert out.stand.metrics.values["sessions_poisoned"] == 1
        assert out.stand.metrics.values["dead_letters"] == len(records)
        assert out.stand.log.events("error") == ["session given up"]
        most = max(len(asked) for _, asked in out.stand.replay.asked)
        assert most < len(records) / 2, "they are not all in memory at once"
