"""The topics of a variant: all that a service reads and writes, under the variant's own prefix, and their groups."""

from aiokafka import AIOKafkaConsumer, TopicPartition
from harness.topics import create_topics

from didflow_contracts.topics import DEAD_LETTER_TOPICS, TOPICS

PARTITIONS = 12


async def create_bench_topics(kafka: str, prefix: str) -> None:
    """Create every topic of the contract under a prefix."""
    names = [prefix + name for name in (*TOPICS, *DEAD_LETTER_TOPICS.values())]
    await create_topics(kafka, names, partitions=PARTITIONS)


async def rewind(kafka: str, group: str, topic: str) -> None:
    """Set a group without running members to the first record of a topic."""
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(partitions)
        await consumer.commit(dict.fromkeys(partitions, 0))
    finally:
        await consumer.stop()
