"""Which versions of requests Apache Kafka still serves of those that the library speaks."""

import pytest
from aiokafka.protocol import commit, transaction
from aiokafka.protocol.admin import ApiVersionRequest

from tests.kafka.bench import admin
from tests.kafka.cluster import Cluster

pytestmark = pytest.mark.kafka

SPOKEN = {
    transaction.InitProducerIdRequest: 22,
    transaction.AddPartitionsToTxnRequest: 24,
    transaction.AddOffsetsToTxnRequest: 25,
    transaction.EndTxnRequest: 26,
    transaction.TxnOffsetCommitRequest: 28,
    commit.OffsetFetchRequest: 9,
}
"""Requests with their numbers in Kafka's protocol."""
NEEDED_TO_BE_FENCED_BY_GENERATION = 3
NEEDED_TO_WAIT_FOR_OPEN_TRANSACTIONS = 7


async def test_serves_what_the_library_speaks(apache_kafka: Cluster) -> None:
    """Of every request around transactions a version that the library speaks is served."""
    async with admin(apache_kafka) as client:
        answer = await client._client.send(client._client.get_random_node(), ApiVersionRequest())
    served = {number: range(oldest, newest + 1) for number, oldest, newest in answer.api_versions}
    for request, number in SPOKEN.items():
        spoken = {each.API_VERSION for each in request._CLASSES}
        assert spoken & set(served[number]), request


def test_library_cannot_be_fenced_by_generation() -> None:
    """The library speaks no version that names the member, or that waits for open transactions.

    When this fails, the library has learned it, and the design may become simpler.
    """
    offsets = [each.API_VERSION for each in transaction.TxnOffsetCommitRequest._CLASSES]
    fetches = [each.API_VERSION for each in commit.OffsetFetchRequest._CLASSES]
    assert max(offsets) < NEEDED_TO_BE_FENCED_BY_GENERATION
    assert max(fetches) < NEEDED_TO_WAIT_FOR_OPEN_TRANSACTIONS
