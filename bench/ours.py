"""Ours: the real stage of a real service behind its real consumer, with the relay beside it, in one process.

Put together as a worker is, without what reads nothing from Kafka: the clock, health and metrics over HTTP.
"""

import asyncio
from collections.abc import Sequence

import asyncpg

from bench.run import Run, Stopwatch, Took, main
from didflow.services import service
from didflow_chassis.brokers import producer
from didflow_chassis.consumer import Consumer
from didflow_chassis.relay import Relay
from didflow_chassis.running import opened
from didflow_chassis.settings import Settings
from didflow_chassis.stage.messages import Record
from didflow_chassis.stage.stage import Stage

LEFT = "SELECT EXISTS (SELECT FROM outbox)"
TAKEN = "SELECT count(*) FROM inbox WHERE outcome = 'decided'"
LOOK_S = 0.005


class NotDecidedError(RuntimeError):
    """Something else than the plain decision came of a purchase: what was measured is not what it says."""

    code = "not-decided"


class Watched(Stage):
    """The stage, with a stopwatch at its door."""

    watch: Stopwatch

    async def records(self, records: Sequence[Record]) -> None:
        """Count a batch and take it."""
        self.watch.batch(len(records))
        await super().records(records)


async def run_ours(run: Run) -> Took:
    """Take all purchases through the service's stage; done when the last row is published."""
    chosen = service(run.service)
    settings = Settings(
        kafka=run.kafka,
        postgres=run.dsn,
        topic_prefix=run.prefix,
        production=False,
        batch_size=run.batch,
    )
    watch = Stopwatch()
    sender = producer(settings, "bench-relay")
    async with opened(chosen, settings, "worker") as process:
        # `opened` builds a plain Stage: the same object gets the stopwatch's method.
        process.stage.__class__ = Watched
        process.stage.watch = watch
        consumer = Consumer(chosen, settings, process.stage)
        relay = Relay(
            settings.dsn, sender, process.metrics, application="bench-relay", poll_s=settings.relay_poll_s
        )
        await sender.start()
        relaying = asyncio.create_task(relay.run())
        await consumer.start()
        try:
            await _until_done(run, watch, consumer)
            published = int(process.metrics.relay_rows.labels("sent")._value.get())
            took = watch.took(published=published)
        finally:
            await consumer.stop()
            relaying.cancel()
            await sender.stop()
    await _check(run)
    return took


async def _until_done(run: Run, watch: Stopwatch, consumer: Consumer) -> None:
    while watch.messages < run.messages:
        await asyncio.sleep(LOOK_S)
    # The last batch has come in: it is done when the consumer's lock is free again and nothing is left to publish.
    async with consumer._busy:
        pass
    connection = await asyncpg.connect(run.dsn)
    try:
        while await connection.fetchval(LEFT):
            await asyncio.sleep(LOOK_S)
    finally:
        await connection.close()


async def _check(run: Run) -> None:
    connection = await asyncpg.connect(run.dsn)
    try:
        decided = await connection.fetchval(TAKEN)
    finally:
        await connection.close()
    if decided != run.messages:
        raise NotDecidedError(f"{decided} of {run.messages} purchases were decided")


if __name__ == "__main__":
    main(run_ours)
