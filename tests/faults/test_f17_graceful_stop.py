"""F17: workers are stopped under load, and killed if they do not stop in time.

The current batch is finished or processed again by the next worker.
"""

import signal
import time

from faults.installation import Install
from faults.invariants import CheckInvariants
from faults.recording_client import OpenClient
from faults.sessions import IN_TRANSACTION, until_true
from faults.steady_load import steady_purchases
from harness.processes import DeadlineMissedError

GRACE_S = 10.0


async def test_a_worker_that_is_stopped_finishes_its_current_batch(
    install: Install, open_client: OpenClient, check_invariants: CheckInvariants
) -> None:
    """F17: SIGTERM under load ends a worker in its grace period with code 0. The next one continues."""
    installation = await install("billing")
    client = await open_client(installation)
    worker = await installation.worker("billing", FAILPOINTS="stage.commit=sleep:0.3", BATCH_SIZE="5").ready()
    async with steady_purchases(client, every=0.02):
        for _ in range(2):
            await client.purchase()
            began = time.monotonic()
            worker.process.send(signal.SIGTERM)
            assert await worker.process.ended(within=GRACE_S) == 0
            assert time.monotonic() - began < GRACE_S
            worker = await installation.worker("billing").ready()
    await check_invariants(installation, client)


async def test_a_worker_that_is_killed_after_its_grace_period_loses_nothing(
    install: Install, open_client: OpenClient, check_invariants: CheckInvariants
) -> None:
    """F17: SIGTERM, then SIGKILL if a batch takes longer than the grace period. The next worker processes the batch."""
    installation = await install("billing")
    client = await open_client(installation)
    worker = await installation.worker("billing", FAILPOINTS="stage.commit=sleep:60@1").ready()
    await client.purchase(5)
    await until_true(
        installation.parts.postgres["billing"], IN_TRANSACTION, within=20, what="a batch in its transaction"
    )
    worker.process.send(signal.SIGTERM)
    try:
        await worker.process.ended(within=1)
    except DeadlineMissedError:
        await worker.process.kill()
    assert worker.process.exit_code == -signal.SIGKILL
    await installation.worker("billing").ready()
    await check_invariants(installation, client)
