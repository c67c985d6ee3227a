"""Creates the missing topics of an installation on a Kafka that the options name."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from didflow.embedded.wait import DeadlineMissedError, until
from didflow.errors import Missing
from didflow_chassis.kafka_clients import connection
from didflow_chassis.settings import Settings
from didflow_contracts.topics import COMPRESSION, DEAD_LETTER_TOPICS, TOPICS, Topic

REPLICAS: Final = 3
_ANY: Final = next(iter(TOPICS.values()))
_PATIENCE_MS: Final = 10_000
_SERVED_S: Final = 30.0


def topic_names(prefix: str = "") -> tuple[str, ...]:
    """Return every topic of an installation, including the dead letter topics."""
    return tuple(f"{prefix}{name}" for name in (*TOPICS, *DEAD_LETTER_TOPICS.values()))


async def create_topics(settings: Settings) -> tuple[str, ...]:
    """Create the topics that a cluster lacks and return their names. Raises Missing with the reason."""
    admin: Any = AIOKafkaAdminClient(**connection(settings), request_timeout_ms=_PATIENCE_MS)
    try:
        await admin.start()
        return await _make(admin, settings.topic_prefix)
    except (KafkaError, OSError) as error:
        raise Missing(f"Kafka at {settings.kafka} does not answer: {type(error).__name__}") from None
    finally:
        await admin.close()


async def _make(admin: Any, prefix: str) -> tuple[str, ...]:
    there = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
    _check_alike({name: count for name, count in there.items() if name in topic_names(prefix)})
    lacking = [name for name in topic_names(prefix) if name not in there]
    if lacking:
        replicas = min(REPLICAS, len((await admin.describe_cluster())["brokers"]))
        answer = await admin.create_topics([_new(name, prefix, replicas) for name in lacking])
        _check_made((error[0], error[1]) for error in answer.topic_errors)
        await _until_served(admin, lacking)
    return tuple(lacking)


async def _until_served(admin: Any, names: list[str]) -> None:
    """Wait until every partition has a leader. A consumer that subscribes earlier does not see the partition."""

    async def served() -> bool:
        there = {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics()}
        return all(
            name in there and all(partition["leader"] >= 0 for partition in there[name]) for name in names
        )

    condition: Callable[[], Awaitable[bool]] = served
    try:
        await until(condition, within=_SERVED_S, what="leaders of new topics")
    except DeadlineMissedError as error:
        raise Missing(str(error)) from None


def _new(name: str, prefix: str, replicas: int) -> NewTopic:
    topic: Topic = TOPICS.get(name.removeprefix(prefix), _ANY)
    configs = {
        "cleanup.policy": "delete",
        "retention.ms": str(int(topic.retention.total_seconds() * 1000)),
        "max.message.bytes": str(topic.max_message_bytes),
        "compression.type": COMPRESSION,
        "min.insync.replicas": str(max(1, replicas - 1)),
    }
    return NewTopic(name, topic.partitions, replicas, topic_configs=configs)


def _check_alike(partitions: dict[str, int]) -> None:
    """Raise Missing if partition counts differ: the events of one number would go to different workers."""
    if any(count != _ANY.partitions for count in partitions.values()):
        wrong = ", ".join(f"{name} {count}" for name, count in partitions.items() if count != _ANY.partitions)
        raise Missing(
            f"Each topic needs {_ANY.partitions} partitions. These topics have another number: {wrong}."
        )


def _check_made(errors: Iterable[tuple[str, int]]) -> None:
    failed = [(name, for_code(code)) for name, code in errors if code]
    real = [(name, error) for name, error in failed if error is not TopicAlreadyExistsError]
    if real:
        reasons = ", ".join(f"{name} ({error.__name__})" for name, error in real)
        raise Missing(f"These topics are missing and could not be created: {reasons}.")
