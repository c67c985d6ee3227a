"""A didflow worker that finds due terms when it starts, measured from outside. It has no live work.

The clock starts at the first chunk. The run ends when nothing is due and the last outbox row is published and deleted.
"""

import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import asyncpg
from harness.due_terms import LEFT

from bench.variant import Run, Stopwatch, Took, main
from didflow.services import service, settings_class
from didflow_chassis.processes import run_worker
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
    settings = settings_class(run.service)(
        kafka=run.kafka,
        postgres=run.dsn,
        topic_prefix=run.prefix,
        production=False,
        health_port=0,
        timers_per_s=UNLIMITED,
    )
    watch = Stopwatch()
    with_stopwatch(watch)
    connection = await asyncpg.connect(run.dsn)
    before = await connection.fetchval(RENEWALS)
    worker = asyncio.create_task(run_worker(service(run.service, settings), settings))
    try:
        while not watch.messages or await connection.fetchval(LEFT):
            if worker.done():
                worker.result()
            await asyncio.sleep(LOOK_S)
        took = replace(watch.took(), messages=run.messages)
        if (renewed := await connection.fetchval(RENEWALS) - before) != run.messages:
            raise NotRenewedError(f"{renewed} of {run.messages} terms were renewed")
    finally:
        await connection.close()
        os.kill(os.getpid(), signal.SIGTERM)
        await worker
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
