"""F07: a worker is frozen past all its leases, rows and a batch in its hands, and another takes over.

When it goes on it believes what was true once. Nothing of what it then does counts.
"""

from contextlib import AsyncExitStack
from typing import Any

from faults.installation import Install, ready
from faults.invariants import Judge
from faults.oracle import Ask
from faults.sessions import IN_HAND, OUTBOX, RELAY_HAS_READ, until_so
from harness.processes import until

SLOW = "relay.send=sleep:4@1;stage.commit=sleep:4@2"
LATE = "relay interrupted"
QUICK: dict[str, Any] = {"SESSION_TIMEOUT_MS": "3000", "HEARTBEAT_MS": "500"}


async def test_a_frozen_worker_that_wakes_up_changes_nothing(
    install: Install, ask: Ask, judge: Judge, exits: AsyncExitStack
) -> None:
    """F07: what a zombie publishes late is a repeat, what it deletes or commits late is nothing; I3 and I4 hold."""
    at = await install("billing", "inventory")
    billing = at.parts.postgres["billing"]
    oracle = await ask(at)
    zombie, api, _ = await ready(
        at.worker("billing", FAILPOINTS=SLOW, **QUICK), at.api("billing"), at.worker("inventory")
    )
    oracle.apis["billing"] = await exits.enter_async_context(at.http_client(api))
    bought = await oracle.purchase(5)
    await until_so(billing, RELAY_HAS_READ, within=20, what="rows in the relay's hands")
    await oracle.purchase(5)
    await until_so(billing, IN_HAND, within=20, what="a batch in the stage's hands")
    zombie.process.pause()
    await at.worker("billing", 1, **QUICK).ready()
    for one in bought:
        await oracle.command("set_cycles", one, billing_cycles=3)
    await until_so(billing, f"SELECT ({OUTBOX}) = 0", within=30, what="another relay")
    assert await at.unrest() == []
    zombie.process.resume()
    await until(lambda: LATE in zombie.process.log.read_text(), within=20, what="the zombie's late delete")
    await zombie.ready()
    assert (await judge(at, oracle)).repeats > 0
