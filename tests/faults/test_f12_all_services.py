"""F12: events of all four services are delivered in any order over all topics, and the result is the same."""

import random
from datetime import UTC, datetime, timedelta
from typing import Final

from faults.example_events import ExampleDid
from faults.final_states import differences, final_states
from faults.services_in_process import READS, deliver_until_idle, services_in_process
from harness.fixtures import DatabaseFor

from didflow.consistency.check import check
from didflow_chassis.records import Record

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
NUMBERS: Final = 40

Twins = tuple[ExampleDid, ExampleDid]
"""Two DIDs of one purchase of one number. One is accepted, the other refused."""


def twins(n: int) -> Twins:
    """Return the two DIDs of the n-th number."""
    first, second = (
        ExampleDid(name=f"{n} {who}", number=f"+1212{2_000_000 + n}", begin=BEGIN) for who in "ab"
    )
    return first, second


def purchase_of(did: ExampleDid) -> Record:
    """Return the purchase of a DID."""
    order = f"order {did.number}"
    return did.event(
        0, "did.purchased", order_id=order, purchased_at=BEGIN, country=None, area=None, features=["voice_in"]
    )


async def test_every_order_over_all_topics_has_the_same_result(database_for: DatabaseFor, seed: int) -> None:
    """F12: a purchase and its repeat as another DID, once in order and 39 times shuffled. All results are equal."""
    numbers = [twins(n) for n in range(NUMBERS)]
    async with services_in_process(database_for) as services:
        await deliver_until_idle(services, map(purchase_of, numbers[0]), None)
        await deliver_until_idle(
            services, (purchase_of(did) for pair in numbers[1:] for did in pair), random.Random(seed)
        )
        holders = {
            n
            for n, row in (await services.states("inventory")).items()
            if row.state.holding.stock == "assigned"
        }
        accepted = [did for pair in numbers for did in pair if did.did_id in holders]
        refused = [did for pair in numbers for did in pair if did.did_id not in holders]
        assert len({did.number for did in accepted}) == len(accepted) == len(refused) == NUMBERS
        for name in READS:
            for group in (accepted, refused):
                found = await final_states(services, name, group, without=["sequences"])
                assert not differences(found, [did.name for did in group]), name
            assert await services.count(name, "parked") + await services.count(name, "dead_letters") == 0
        assert (await check(services.dsns, wait=0)).disagreements == []
