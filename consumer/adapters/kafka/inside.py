"""What aiokafka keeps to itself and we must know.

Kept in one room, and the library pinned below its next minor version, so that a change of its
insides has one place to be found. Each entry says which promise needs it.
"""

import asyncio
from collections.abc import Collection
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.consumer.subscription_state import TopicPartitionState
from aiokafka.errors import KafkaError
from aiokafka.protocol.group import LeaveGroupRequest


def generation(consumer: AIOKafkaConsumer) -> int:
    """The generation of the group that the coordinator knows us in, below 0 when in none.

    Tells a revoke from a loss, and keeps a member that was thrown out from committing as a
    stranger, which an empty group would let it.
    """
    coordinator = consumer._coordinator  # noqa: SLF001 - there is no public way
    value: int = -1 if coordinator is None else coordinator.generation
    return value


async def heartbeat(consumer: AIOKafkaConsumer) -> bool:
    """Whether the coordinator still knows us as we know ourselves; asks it just now.

    What is done in a transaction is not checked against the group, so it must be asked before.
    """
    if generation(consumer) < 0:
        return False
    known: bool = await consumer._coordinator._do_heartbeat()  # noqa: SLF001 - there is no public way
    return known


def leave_first_generation(consumer: AIOKafkaConsumer) -> None:
    """Let a member of generation 0 leave its group when it stops.

    Apache Kafka counts from 1, the embedded broker from 0, which the client takes for no member;
    the next member would then wait for this one's session timeout.
    """
    if generation(consumer) == 0:
        consumer._coordinator.generation = 1  # noqa: SLF001 - read by nothing but the leaving


async def quit_join(consumer: AIOKafkaConsumer) -> None:
    """Leave the group in the middle of a join, of a consumer that is stopping already.

    The library first awaits the join's end, for which the group may wait for its slowest member,
    and then doesn't leave if that came to nothing: the others would wait for our session timeout.
    Brokers answer a connection's requests in turn, so this takes another one.
    """
    coordinator = consumer._coordinator  # noqa: SLF001 - there is no public way
    if coordinator is None or coordinator._group_instance_id is not None:  # noqa: SLF001
        return
    if coordinator.member_id and coordinator.coordinator_id is not None:
        request = LeaveGroupRequest(coordinator.group_id, coordinator.member_id)
        with suppress(KafkaError):
            await consumer._client.send(coordinator.coordinator_id, request)  # noqa: SLF001


def state(consumer: AIOKafkaConsumer, place: TopicPartition) -> TopicPartitionState | None:
    """Position, end and time of the last fetch; the public ways are asynchronous or assert."""
    subscription = consumer._subscription.subscription  # noqa: SLF001 - see above
    assignment = None if subscription is None else subscription.assignment
    return None if assignment is None else assignment.state_value(place)


async def partitions(consumer: AIOKafkaConsumer, topic: str) -> Collection[int]:
    """The numbers of a topic's partitions; asks the brokers unless they have told already.

    A consumer that is asked for one that isn't there would look for it until it gives up.
    """
    found: Collection[int] = await consumer._client._wait_on_metadata(topic)  # noqa: SLF001 - see above
    return found


def hidden(consumer: AIOKafkaConsumer, topic: str) -> bool:
    """Whether the brokers have last said that we may not see this topic.

    To the group it has no partitions then, so its members would wait for ever for some.
    """
    return topic in consumer._client.cluster.unauthorized_topics  # noqa: SLF001 - see above


def holds_records(consumer: AIOKafkaConsumer, place: TopicPartition) -> bool:
    """Whether fetched records wait to be handed out: such a fetch is not over for us."""
    return place in consumer._fetcher._records  # noqa: SLF001 - there is no public way


def raise_group_errors(consumer: AIOKafkaConsumer) -> None:
    """Raise what went wrong in the group's affairs, in the library's words.

    A poll of the library does this too, but it waits for a rebalance to end; and the library
    waits for someone to take the error before it goes on with the rebalance.
    """
    consumer._coordinator.check_errors()  # noqa: SLF001 - there is no public way


def fetches_no_more(consumer: AIOKafkaConsumer) -> bool:
    """Whether the fetching in the background has ended.

    Nobody else would say so: a consumer without it returns no records, for ever.
    """
    task: asyncio.Task[None] | None = consumer._fetcher.error_future  # noqa: SLF001 - see above
    return task is not None and task.done()


def writes_no_more(producer: AIOKafkaProducer) -> bool:
    """Whether the sending in the background has ended, after which every record is refused."""
    task: asyncio.Task[None] | None = producer._sender.sender_task  # noqa: SLF001 - see above
    return task is not None and task.done()


def forget_transaction(producer: AIOKafkaProducer) -> None:
    """Let the end of a producer that was shut out be nobody's business.

    The library keeps it in futures that nobody awaits, and Python would print a traceback for each;
    whoever wrote has been told by records, offsets and commits.
    """
    batches = producer._message_accumulator._batches.values()  # noqa: SLF001 - no public way
    waiters = [batch._drain_waiter for queue in batches for batch in queue]  # noqa: SLF001
    if producer._txn_manager is not None:  # noqa: SLF001
        waiters.append(producer._txn_manager._transaction_waiter)  # noqa: SLF001
    for waiter in waiters:
        if waiter is not None and waiter.done() and not waiter.cancelled():
            waiter.exception()
