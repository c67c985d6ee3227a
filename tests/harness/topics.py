"""Topics of a test, under a prefix of its own. They are created in one call and deleted in one call."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from didflow.embedded.wait import until
from didflow_contracts.topics import COMPRESSION

_ALREADY_THERE = 36
_SERVED_SECONDS = 20.0
_TOPIC_SETTINGS = {"max.message.bytes": "2097152", "compression.type": COMPRESSION}


class TopicsNotMadeError(RuntimeError):
    """The broker refused to create a topic. The message names it."""

    code = "topics-not-made"


async def is_serving(bootstrap: str, **options: Any) -> bool:
    """Return True if the broker answers and is a member of its cluster."""
    host, _, port = bootstrap.rpartition(":")
    try:
        # The Kafka client logs each refused connection, so a plain one is tried first.
        _, writer = await asyncio.open_connection(host, int(port))
        writer.close()
        async with admin(bootstrap, **options) as client:
            return bool((await client.describe_cluster())["brokers"])
    except (KafkaError, OSError):
        return False


async def create_topics(
    bootstrap: str, names: Iterable[str], *, partitions: int = 12, **options: Any
) -> None:
    """Create the topics that do not exist, and wait until clients see all of their partitions.

    A consumer that subscribes earlier is not assigned the partitions that it does not see. Raises TopicsNotMadeError.
    """
    wanted = [
        NewTopic(name=name, num_partitions=partitions, replication_factor=1, topic_configs=_TOPIC_SETTINGS)
        for name in names
    ]
    async with admin(bootstrap, **options) as client:
        answer = await client.create_topics(wanted)
        refused = [error for error in answer.topic_errors if error[1] not in (0, _ALREADY_THERE)]
        if refused:
            raise TopicsNotMadeError(", ".join(f"{error[0]}: error {error[1]}" for error in refused))

        async def served() -> bool:
            found = await client.describe_topics([topic.name for topic in wanted])
            return all(_has_leaders(topic, partitions) for topic in found)

        await until(served, within=_SERVED_SECONDS, what="leaders of new topics")


def _has_leaders(topic: dict[str, Any], partitions: int) -> bool:
    leading = [part for part in topic["partitions"] if part["error_code"] == 0 and part["leader"] >= 0]
    return len(leading) >= partitions


async def delete_topics(bootstrap: str, names: Sequence[str]) -> None:
    """Delete the topics, and return when the broker has none of them. A topic that does not exist is no error."""
    async with admin(bootstrap) as client:

        async def deleted() -> bool:
            left = sorted(set(names).intersection(await client.list_topics()))
            if left:
                await client.delete_topics(left)
            return not left

        await until(deleted, within=20, what="deletion of topics")


@asynccontextmanager
async def admin(bootstrap: str, **options: Any) -> AsyncIterator[AIOKafkaAdminClient]:
    """Return an admin client for the length of the block. `options` are the credentials of the client."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=20_000, **options)
    await client.start()
    try:
        yield client
    finally:
        await client.close()
