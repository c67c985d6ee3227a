"""What must be true of the topics before an adapter starts."""

from typing import Any, Final

import structlog
from aiokafka.admin import AIOKafkaAdminClient
from faststream.kafka.security import parse_security

from didflow_adapters.kit.settings import AdapterSettings
from didflow_contracts.events import CarrierCommandIssued, ResultReported

_TIMEOUT_MS: Final = 10_000
_LOG = structlog.get_logger(__name__)


class DifferentPartitions(Exception):
    """The two topics have different numbers of partitions. The message names both, for people."""


async def check_topics(settings: AdapterSettings) -> None:
    """Check that a command and its results are in partitions of the same number.

    The kit finds the former results of a partition of commands in the partition of results with the same number. With
    other numbers of partitions it would not find them, and would do commands twice. A topic that does not exist yet is
    logged and not checked.
    Raises DifferentPartitions, and KafkaError if no broker answers.
    """
    names = [settings.topic_prefix + event.topic for event in (CarrierCommandIssued, ResultReported)]
    counts = await _partitions(settings, names)
    for name in names:
        if not counts.get(name):
            _LOG.warning("a topic does not exist yet", topic=name)
    if len({count for count in counts.values() if count}) > 1:
        found = " and ".join(f"{name} has {counts[name]} partitions" for name in names)
        raise DifferentPartitions(
            f"{found}. Both need the same number, because an adapter finds the results of a command by its partition."
        )


async def _partitions(settings: AdapterSettings, names: list[str]) -> dict[str, int]:
    admin: Any = AIOKafkaAdminClient(
        bootstrap_servers=settings.kafka.split(","),
        request_timeout_ms=_TIMEOUT_MS,
        **parse_security(settings.security()),
    )
    try:
        await admin.start()
        return {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics(names)}
    finally:
        await admin.close()
