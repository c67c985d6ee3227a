"""A didflow worker that finds due terms when it starts, measured from outside. It has no live work.

The clock starts at the first chunk. The run ends when nothing is due and the last outbox row is published and deleted.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.due_terms import LEFT

from bench.running_worker import running_worker
from bench.variant import Run, Stopwatch, Took, main
from didflow_chassis.stage.stage import Stage

RENEWALS = "SELECT count(*) FROM ledger WHERE kind = 'renewal'"
UNLIMITED = 10_000
"""The highest limit that the settings allow. By default, the limit and not the clock would be measured."""
LOOK_S = 0.02


class NotRenewedError(RuntimeError):
    """Another number of terms was renewed than expected, so the figures would be wrong."""

    code = "not-renewed"


async def run_variant(run: Run) -> Took:
    """Renew all due terms with the service's worker."""
    watch = Stopwatch()
    with_stopwatch(watch)
    async with running_worker(run, RENEWALS, timers_per_s=UNLIMITED) as worker:

        async def is_busy() -> bool:
            return not watch.messages or await worker.connection.fetchval(LEFT)

        await worker.wait_while(is_busy, LOOK_S)
        took = replace(watch.took(), messages=run.messages)
        if (renewed := await worker.connection.fetchval(RENEWALS) - worker.at_start) != run.messages:
            raise NotRenewedError(f"{renewed} of {run.messages} terms were renewed")
    return took


def with_stopwatch(watch: Stopwatch) -> None:
    """Let the stage of this process report its chunks of due terms."""
    due = Stage.due

    async def noted(self: Stage, model: type, keys: Sequence[Any]) -> bool:
        if keys:
            watch.batch(len(keys))
        return await due(self, model, keys)

    Stage.due = noted  # type: ignore[method-assign]


if __name__ == "__main__":
    main(run_variant)
