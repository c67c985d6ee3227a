"""F12: across topics there is no order. Every order of a DID's events ends in the same state and the same facts.

A hundred and twenty DIDs live one story at once, each in another order of its five events.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Final

import pytest
from faults.endings import answered, differing, endings
from faults.four import four
from faults.lives import Life, Step, told
from harness.fixtures import DatabaseFor

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
BOUGHT: Final[Step] = ("did.purchased", None, {"purchased_at": BEGIN})
AGAIN: Final[Step] = ("did.purchased", None, {"purchased_at": BEGIN})
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

STORIES: Final[Mapping[str, list[list[Step]]]] = {
    "inventory": [
        [BOUGHT, REQUIRED, APPROVED, STARTED, POSTED],
        [BOUGHT, STARTED, CANCELED, REMOVED, RELEASED],
    ],
    "verification": [
        [BOUGHT, DETAILS, HELD, MOVED, REMOVED],
        [BOUGHT, DETAILS, OTHER_DETAILS, AGAIN, REFUSED],
        [PORTING, PORTED, DETAILS, HELD, MOVED],
    ],
    "billing": [
        [BOUGHT, HELD, REQUIRED, PENDING, APPROVED],
        [BOUGHT, REQUIRED, PENDING, AGAIN, REFUSED],
        [BOUGHT, HELD, FREE, MOVED, WITHDRAWN],
        [PORTING, PORTED, HELD, FREE, MOVED],
    ],
    "provisioning": [
        [BOUGHT, HELD, REQUIRED, APPROVED, STARTED],
        [BOUGHT, REQUIRED, STARTED, CLOSED, REFUSED],
        [BOUGHT, HELD, FREE, STARTED, REMOVED],
    ],
}


def life(n: int) -> Life:
    """The n-th DID of a test."""
    return Life(name=f"life {n}", number=f"+35321{2_000_000 + n}", begin=BEGIN)


CASES: Final = [(name, n) for name, stories in STORIES.items() for n in range(len(stories))]


@pytest.mark.parametrize(("name", "which"), CASES)
async def test_every_order_of_five_events_ends_the_same(
    database_for: DatabaseFor, name: str, which: int
) -> None:
    """F12: all 120 orders on the real stage and database: one state, one set of facts, nothing left waiting."""
    steps = STORIES[name][which]
    orders = list(permutations(range(len(steps))))
    lives = [life(n) for n in range(len(orders))]
    tellings = [told(one, steps) for one in lives]
    async with four(database_for, name) as house:
        for position in range(len(steps)):
            await house.receive(
                telling[order[position]] for telling, order in zip(tellings, orders, strict=True)
            )
        await answered(house)
        found = await endings(house, name, lives)
        assert not differing(found, orders)
        assert await house.count(name, "parked") + await house.count(name, "dead_letters") == 0
