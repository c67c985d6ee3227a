"""Observes the polls of a FastStream subscriber, and makes each poll wait until there are records.

FastStream sleeps after an empty poll, and it decodes a poll before any handler sees it. A rebalance or a failure can
happen in between, so the consumer has to know of a poll as soon as it returns.

Replaces: `getmany` of the subscriber's aiokafka consumer, on that one object. Public interface that would replace this
module: a hook of FastStream's batch subscriber that gets the polled records before they are parsed.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from aiokafka import ConsumerRecord

from didflow_chassis.kafka_internals.versions import AIOKAFKA, FASTSTREAM, Fits

FITS: Final[Fits] = {"aiokafka": AIOKAFKA, "faststream": FASTSTREAM}
IDLE_MS = 500
"""How long one poll waits for records. It returns with the first record."""


def observe(
    kafka: Any,
    *,
    before_poll: Callable[[], None],
    on_idle: Callable[[], None],
    on_records: Callable[[Sequence[ConsumerRecord]], None],
) -> None:
    """Change `getmany` of a running aiokafka consumer.

    `before_poll` is called before every poll, `on_idle` when no record is there, and `on_records` with the records of
    a poll, before any other code sees them. None of them may block or raise.
    """
    getmany = kafka.getmany

    async def observed(*partitions: Any, **options: Any) -> Any:
        before_poll()
        found = await getmany(*partitions, **options | {"timeout_ms": 0})
        while not found:
            on_idle()
            before_poll()
            found = await getmany(*partitions, **options | {"timeout_ms": IDLE_MS})
        on_records([record for records in found.values() for record in records])
        return found

    kafka.getmany = observed
