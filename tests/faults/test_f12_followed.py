"""F12, as a batch may have it: messages that follow to states which only the same batch makes.

Each such message is found out in one more attempt; a batch of many of them must still come to an end.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from faults.four import four
from faults.lives import Life
from harness.fixtures import DatabaseFor

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)


def life(n: int) -> Life:
    """The n-th DID."""
    return Life(name=f"followed {n}", number=f"+35321{2_000_000 + n}", begin=BEGIN)


def details(one: Life, minute: int):
    """Say that details were assigned at a minute of a DID's life, each time others."""
    at = BEGIN + timedelta(minutes=minute)
    return one.event(minute, "enduser.assigned", assigned_at=at, document_ids=[])


async def test_many_dids_with_a_chain_each_fit_one_batch(database_for: DatabaseFor) -> None:
    """Sixty purchases with two assignments each, all at once: every second attempt is there, nothing waits."""
    lives = [life(n) for n in range(60)]
    async with four(database_for, "verification") as house:
        await house.receive(
            record
            for one in lives
            for record in (one.event(0, "did.purchased"), details(one, 1), details(one, 2))
        )
        states = await house.states("verification")
        assert {states[one.did_id].state.attempt for one in lives} == {1}
        assert await house.count("verification", "parked") == 0


async def test_one_did_may_have_a_long_chain(database_for: DatabaseFor) -> None:
    """Forty assignments on one DID, first waiting for its purchase, then in one batch: all are decided, in order."""
    one = life(99)
    async with four(database_for, "verification") as house:
        await house.receive([details(one, minute) for minute in range(1, 41)])
        assert await house.count("verification", "parked") == 40
        await house.receive([one.event(0, "did.purchased")])
        assert await house.count("verification", "parked") == 0
        await house.receive([details(one, minute) for minute in range(41, 81)])
        assert await house.count("verification", "parked") == 0
