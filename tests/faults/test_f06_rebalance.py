"""F06: members join and leave a group in the middle of batches, again and again.

Whoever has a partition, and whoever had it a moment ago, decides each event once and in order.
"""

import asyncio
import os

import pytest
from faults.installation import Install, Member, ready
from faults.invariants import Judge
from faults.load import loading
from faults.oracle import Ask

ROUNDS = 15 if os.environ.get("DIDFLOW_FAULT_MINUTES") else 2
SLOW = {"FAILPOINTS": "stage.commit=sleep:0.05;consumer.taken=sleep:0.2", "BATCH_SIZE": "10"}


@pytest.mark.faults
async def test_members_that_come_and_go_double_and_lose_nothing(
    install: Install, ask: Ask, judge: Judge
) -> None:
    """F06: one member, three, one, under load; offsets of a former owner are refused or harmless; I3 and I4 hold."""
    at = await install("billing", "inventory")
    oracle = await ask(at)

    def member(index: int) -> Member:
        return at.worker("inventory", index, MEMBER_ID="", **SLOW)

    await ready(member(0), at.worker("billing"))
    async with loading(oracle, every=0.05):
        for _ in range(ROUNDS):
            guests = await ready(member(1), member(2))
            assert await asyncio.gather(*(guest.process.stop() for guest in guests)) == [0, 0]
    await judge(at, oracle)
