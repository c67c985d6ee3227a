"""F12: events on different topics have no common order. Every order of a DID's events must have the same result.

Each case has 120 DIDs. Each of them receives the same five events in a different order.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Final

import pytest
from faults.example_events import ExampleDid, Step, events_of
from faults.final_states import answer_carrier_commands, differences, final_states
from faults.services_in_process import services_in_process
from harness.fixtures import DatabaseFor

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
BOUGHT: Final[Step] = ("did.purchased", None, {"purchased_at": BEGIN})
REPEATED: Final[Step] = ("did.purchased", None, {"purchased_at": BEGIN})
LISTED: Final[Step] = ("did.purchased", None, {"purchased_at": BEGIN, "price": None})
"""A purchase without a price. The price list is empty, so billing removes the DID."""
PORTED: Final[Step] = ("did.purchased", None, {"purchased_at": BEGIN, "acquired": "ported_in"})
PORTING: Final[Step] = ("did.porting_started", None, {})
HELD: Final[Step] = ("did.changed", 1, {})
MOVED: Final[Step] = ("did.changed", 4, {"tags": ["moved"]})
DETAILS: Final[Step] = ("enduser.assigned", None, {})
OTHER_DETAILS: Final[Step] = ("enduser.assigned", None, {"assigned_at": "2026-03-02T09:30:00Z"})
REFUSED: Final[Step] = ("purchase.refused", 1, {})
WITHDRAWN: Final[Step] = ("did.withdrawn", 5, {})
REQUIRED: Final[Step] = ("verification.required", 1, {})
FREE: Final[Step] = ("verification.not_required", 1, {"registration": "not_required"})
PENDING: Final[Step] = ("verification.pending", 2, {"registration": "pending"})
APPROVED: Final[Step] = ("verification.approved", 3, {})
STARTED: Final[Step] = ("term.changed", 1, {})
CANCELED: Final[Step] = ("term.changed", 4, {"state": "canceled", "reason": "canceled"})
CLOSED: Final[Step] = ("term.changed", 5, {"state": "closed", "reason": "closed"})
POSTED: Final[Step] = ("ledger.posted", 2, {})
REMOVED: Final[Step] = ("did.removed", 6, {})
RELEASED: Final[Step] = ("routing.changed", 7, {"carrier_state": "released"})

EVENTS: Final[Mapping[str, list[list[Step]]]] = {
    "inventory": [
        [BOUGHT, REQUIRED, APPROVED, STARTED, POSTED],
        [BOUGHT, STARTED, CANCELED, REMOVED, RELEASED],
    ],
    "verification": [
        [BOUGHT, DETAILS, HELD, MOVED, REMOVED],
        [BOUGHT, DETAILS, OTHER_DETAILS, REPEATED, REFUSED],
        [PORTING, PORTED, DETAILS, HELD, MOVED],
    ],
    "billing": [
        [BOUGHT, HELD, REQUIRED, PENDING, APPROVED],
        [BOUGHT, REQUIRED, PENDING, REPEATED, REFUSED],
        [BOUGHT, HELD, FREE, MOVED, WITHDRAWN],
        [PORTING, PORTED, HELD, FREE, MOVED],
        [LISTED, HELD, FREE, MOVED, WITHDRAWN],
    ],
    "provisioning": [
        [BOUGHT, HELD, REQUIRED, APPROVED, STARTED],
        [BOUGHT, REQUIRED, STARTED, CLOSED, REFUSED],
        [BOUGHT, HELD, FREE, STARTED, REMOVED],
    ],
}


def example_did(n: int) -> ExampleDid:
    """Return the n-th DID of a test."""
    return ExampleDid(name=f"did {n}", number=f"+35321{2_000_000 + n}", begin=BEGIN)


CASES: Final = [(name, n) for name, cases in EVENTS.items() for n in range(len(cases))]


@pytest.mark.parametrize(("name", "index"), CASES)
async def test_every_order_of_five_events_has_the_same_result(
    database_for: DatabaseFor, name: str, index: int
) -> None:
    """F12: all 120 orders on the real stage and database. All have the same state and events, and nothing is parked."""
    steps = EVENTS[name][index]
    orders = list(permutations(range(len(steps))))
    dids = [example_did(n) for n in range(len(orders))]
    records_of = [events_of(did, steps) for did in dids]
    async with services_in_process(database_for, name) as services:
        for position in range(len(steps)):
            await services.receive(
                records[order[position]] for records, order in zip(records_of, orders, strict=True)
            )
        await answer_carrier_commands(services)
        found = await final_states(services, name, dids)
        assert not differences(found, orders)
        assert await services.count(name, "parked") + await services.count(name, "dead_letters") == 0
