"""F06: members join and leave a group repeatedly, in the middle of batches.

Each event is decided once and in order, before and after its partition moves to another member.
"""

import asyncio
import os

import pytest
from faults.installation import Install, Member, ready
from faults.invariants import CheckInvariants
from faults.recording_client import OpenClient
from faults.steady_load import steady_purchases

ROUNDS = 15 if os.environ.get("DIDFLOW_FAULT_MINUTES") else 2
SLOW = {"FAILPOINTS": "stage.commit=sleep:0.05;consumer.taken=sleep:0.2", "BATCH_SIZE": "10"}


@pytest.mark.faults
async def test_no_event_is_lost_or_applied_twice_when_members_join_and_leave(
    install: Install, open_client: OpenClient, check_invariants: CheckInvariants
) -> None:
    """F06: one member, three, one, under load. I3 and I4 hold, even if a former owner commits its offsets late."""
    installation = await install("billing", "inventory")
    client = await open_client(installation)

    def add_member(index: int) -> Member:
        return installation.worker("inventory", index, MEMBER_ID="", **SLOW)

    await ready(add_member(0), installation.worker("billing"))
    async with steady_purchases(client, every=0.05):
        for _ in range(ROUNDS):
            added = await ready(add_member(1), add_member(2))
            assert await asyncio.gather(*(worker.process.stop() for worker in added)) == [0, 0]
    await check_invariants(installation, client)
