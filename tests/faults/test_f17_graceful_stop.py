"""F17: workers are told to stop under load, and killed where they don't in time.

What was in hand is finished or done again; nobody is given up on for not having been served.
"""

import signal
import time

from faults.installation import Install
from faults.invariants import Judge
from faults.load import loading
from faults.oracle import Ask
from faults.sessions import IN_HAND, until_so
from harness.processes import DeadlineMissedError

GRACE_S = 10.0


async def test_a_worker_told_to_stop_finishes_what_it_has_in_hand(
    install: Install, ask: Ask, judge: Judge
) -> None:
    """F17: SIGTERM under load ends a worker within its grace with code 0; its successor goes on; nothing is lost."""
    at = await install("billing")
    oracle = await ask(at)
    worker = await at.worker("billing", FAILPOINTS="stage.commit=sleep:0.3", BATCH_SIZE="5").ready()
    async with loading(oracle, every=0.02):
        for _ in range(2):
            await oracle.purchase()
            began = time.monotonic()
            worker.process.send(signal.SIGTERM)
            assert await worker.process.ended(within=GRACE_S) == 0
            assert time.monotonic() - began < GRACE_S
            worker = await at.worker("billing").ready()
    await judge(at, oracle)


async def test_a_worker_that_is_killed_at_the_end_of_its_grace_loses_nothing(
    install: Install, ask: Ask, judge: Judge
) -> None:
    """F17: SIGTERM, and SIGKILL when a batch takes longer than the grace: the batch is done by the next worker."""
    at = await install("billing")
    oracle = await ask(at)
    worker = await at.worker("billing", FAILPOINTS="stage.commit=sleep:60@1").ready()
    await oracle.purchase(5)
    await until_so(at.parts.postgres["billing"], IN_HAND, within=20, what="a batch in hand")
    worker.process.send(signal.SIGTERM)
    try:
        await worker.process.ended(within=1)
    except DeadlineMissedError:
        await worker.process.kill()
    assert worker.process.exit_code == -signal.SIGKILL
    await at.worker("billing").ready()
    await judge(at, oracle)
