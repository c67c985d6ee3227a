"""F03: every record of every topic is delivered again, to the same worker and to another one at the same time.

Each event is applied once, and the carrier receives one command for each activation.
"""

from collections import Counter

from faults.carrier import StartCarrier
from faults.installation import Install, ready
from faults.invariants import CheckInvariants
from faults.ledger import Ledger
from faults.recording_client import OpenClient
from faults.replay import replaying

from didflow_contracts.topics import SERVICES

PURCHASES = 20


async def test_every_event_that_is_delivered_twice_is_applied_once(
    install: Install,
    open_client: OpenClient,
    check_invariants: CheckInvariants,
    start_carrier: StartCarrier,
    ledger: Ledger,
) -> None:
    """F03: two workers of each service, a copy of each record for both. I3 and I7 hold; one command for each DID."""
    installation = await install(*SERVICES)
    client = await open_client(installation)
    await ready(*(installation.worker(name, index) for name in SERVICES for index in range(2)))
    await start_carrier(installation)
    async with replaying(installation):
        await client.purchase(PURCHASES)
        evidence = await check_invariants(installation, client)
    assert evidence.repeats >= len(evidence.records) / 2
    commands = {(entry.did_id, entry.key) for entry in ledger.of("carrier")}
    assert Counter(did_id for did_id, _ in commands) == Counter(
        purchase.did_id for purchase in client.purchases
    )
