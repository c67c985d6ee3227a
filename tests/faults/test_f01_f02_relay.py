"""F01 and F02: a worker is killed in its relay, before Kafka has received the records or after.

Every committed event is published in spite of the kill. An event that is published twice is applied once.
"""

import signal

from faults.installation import Install, ready
from faults.invariants import CheckInvariants
from faults.recording_client import OpenClient
from faults.sessions import OUTBOX, query, until_true

SERVICES = ("inventory", "billing")


async def test_committed_events_are_published_after_a_kill_before_the_publish(
    install: Install, open_client: OpenClient, check_invariants: CheckInvariants
) -> None:
    """F01: kill -9 between commit and publish. All is published within 5 s of the restart; I1, I2 and I5 hold."""
    installation = await install(*SERVICES)
    client = await open_client(installation)
    killed, _ = await ready(
        installation.worker("billing", FAILPOINTS="relay.read=kill@1"), installation.worker("inventory")
    )
    await client.purchase(20)
    assert await killed.process.ended(within=20) == -signal.SIGKILL
    billing = installation.parts.postgres["billing"]
    assert await query(billing, OUTBOX)
    await installation.worker("billing").ready()
    await until_true(billing, f"SELECT ({OUTBOX}) = 0", within=5, what="an empty outbox")
    await check_invariants(installation)


async def test_an_event_that_is_published_twice_is_applied_once(
    install: Install, open_client: OpenClient, check_invariants: CheckInvariants
) -> None:
    """F02: kill -9 between the broker's acknowledgement and the delete. The topic has repeats, and I3 holds."""
    installation = await install(*SERVICES)
    client = await open_client(installation)
    killed, _ = await ready(
        installation.worker("billing", FAILPOINTS="relay.acked=kill@1"), installation.worker("inventory")
    )
    await client.purchase(20)
    assert await killed.process.ended(within=20) == -signal.SIGKILL
    await installation.worker("billing").ready()
    assert (await check_invariants(installation)).repeats > 0
