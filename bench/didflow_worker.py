"""A didflow worker as in production (consumer, stage, relay, timers, health), measured from outside.

The run ends when the offsets of the last batch are committed and the last outbox row is published and deleted.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bench.running_worker import running_worker
from bench.variant import Run, Stopwatch, Took, main
from didflow_chassis.consumer import Consumer
from didflow_chassis.offsets import OffsetCommits

LEFT = "SELECT EXISTS (SELECT FROM outbox)"
NOW = "SELECT clock_timestamp()"
TAKEN = "SELECT count(*) FROM inbox WHERE decision = 'decided' AND seen_at > $1"
LOOK_S = 0.005


class NotDecidedError(RuntimeError):
    """A purchase had another decision than expected, so the figures would be wrong."""

    code = "not-decided"


class Watch(Stopwatch):
    """A stopwatch that counts the batches of one stage."""

    consumer: Consumer


async def run_variant(run: Run) -> Took:
    """Take all purchases with the service's worker."""
    watch = Watch()
    with_stopwatch(watch)
    async with running_worker(run, NOW, batch_size=run.batch) as worker:

        async def is_busy() -> bool:
            is_taking = watch.done < run.messages or watch.consumer.is_behind
            return is_taking or await worker.connection.fetchval(LEFT)

        await worker.wait_while(is_busy, LOOK_S)
        took = watch.took()
        if (decided := await worker.connection.fetchval(TAKEN, worker.at_start)) != run.messages:
            raise NotDecidedError(f"{decided} of {run.messages} purchases were decided")
    return took


def with_stopwatch(watch: Watch) -> None:
    """Let every consumer of this process report its polls when they arrive and when they are done."""
    take: Callable[[Any, Sequence[Any]], Awaitable[None]] = Consumer.receive
    reached: Callable[[Any, Sequence[Any]], None] = OffsetCommits.add

    async def noted(self: Consumer, records: Sequence[Any]) -> None:
        watch.consumer = self
        watch.batch(len(records))
        await take(self, records)

    def through(self: OffsetCommits, records: Sequence[Any]) -> None:
        watch.done += len(records)
        reached(self, records)

    Consumer.receive = noted  # type: ignore[method-assign]
    OffsetCommits.add = through  # type: ignore[method-assign]


if __name__ == "__main__":
    main(run_variant)
