"""F07: a worker is frozen for longer than all its leases, with rows in its relay and a batch in its stage.

Another worker takes over. What the frozen worker does after it wakes up has no effect.
"""

from contextlib import AsyncExitStack
from typing import Any

from faults.installation import Install, ready
from faults.invariants import CheckInvariants
from faults.recording_client import OpenClient
from faults.sessions import IN_TRANSACTION, OUTBOX, RELAY_HAS_READ, until_true
from harness.processes import until

SLOW = "relay.send=sleep:4@1;stage.commit=sleep:4@2"
LATE_RELAY_LOG = "The relay was interrupted and tries again"
SHORT_SESSION: dict[str, Any] = {"SESSION_TIMEOUT_MS": "3000", "HEARTBEAT_MS": "500"}


async def test_a_frozen_worker_that_wakes_up_changes_nothing(
    install: Install, open_client: OpenClient, check_invariants: CheckInvariants, exits: AsyncExitStack
) -> None:
    """F07: records that it publishes late are repeats; its late deletes and commits have no effect. I3 and I4 hold."""
    installation = await install("billing", "inventory")
    billing = installation.parts.postgres["billing"]
    client = await open_client(installation)
    frozen, api, _ = await ready(
        installation.worker("billing", FAILPOINTS=SLOW, **SHORT_SESSION),
        installation.api("billing"),
        installation.worker("inventory"),
    )
    client.apis["billing"] = await exits.enter_async_context(installation.http_client(api))
    purchases = await client.purchase(5)
    await until_true(billing, RELAY_HAS_READ, within=20, what="rows that the relay has read")
    await client.purchase(5)
    await until_true(billing, IN_TRANSACTION, within=20, what="a batch in its transaction")
    frozen.process.pause()
    await installation.worker("billing", 1, **SHORT_SESSION).ready()
    for purchase in purchases:
        await client.command("set_cycles", purchase, billing_cycles=3)
    await until_true(
        billing, f"SELECT ({OUTBOX}) = 0", within=30, what="an outbox that another relay has emptied"
    )
    assert await installation.unfinished_work() == []
    frozen.process.resume()
    await until(
        lambda: LATE_RELAY_LOG in frozen.process.log.read_text(),
        within=20,
        what="the log line of the frozen worker's late delete",
    )
    await frozen.ready()
    assert (await check_invariants(installation, client)).repeats > 0
