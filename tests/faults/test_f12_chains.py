"""F12: chains of messages in one batch, where a message needs states that only an earlier message of the batch creates.

Each such state is found in one more attempt. A batch with many chains must still finish.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from faults.example_events import ExampleDid
from faults.services_in_process import services_in_process
from harness.fixtures import DatabaseFor

from didflow_chassis.records import Record

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)


def example_did(n: int) -> ExampleDid:
    """Return the n-th DID."""
    return ExampleDid(name=f"chain {n}", number=f"+35321{2_000_000 + n}", begin=BEGIN)


def details(did: ExampleDid, minute: int) -> Record:
    """Return the assignment of different end-user details at a minute after the purchase."""
    assigned_at = BEGIN + timedelta(minutes=minute)
    return did.event(minute, "enduser.assigned", assigned_at=assigned_at, document_ids=[])


async def test_a_batch_decides_the_chains_of_many_dids(database_for: DatabaseFor) -> None:
    """F12: sixty purchases with two assignments each in one batch. Every DID has its attempt, and nothing is parked."""
    dids = [example_did(n) for n in range(60)]
    async with services_in_process(database_for, "verification") as services:
        await services.receive(
            record
            for did in dids
            for record in (did.event(0, "did.purchased"), details(did, 1), details(did, 2))
        )
        states = await services.states("verification")
        assert {states[did.did_id].state.attempt for did in dids} == {1}
        assert await services.count("verification", "parked") == 0


async def test_a_batch_decides_a_long_chain_of_one_did(database_for: DatabaseFor) -> None:
    """F12: forty assignments of one DID, first before its purchase, then in one batch. All are decided."""
    did = example_did(99)
    async with services_in_process(database_for, "verification") as services:
        await services.receive([details(did, minute) for minute in range(1, 41)])
        assert await services.count("verification", "parked") == 40
        await services.receive([did.event(0, "did.purchased")])
        assert await services.count("verification", "parked") == 0
        await services.receive([details(did, minute) for minute in range(41, 81)])
        assert await services.count("verification", "parked") == 0
