"""F12 over all four services: whatever they say is handed on in any order over all topics, and all ends the same."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from faults.endings import differing, endings
from faults.four import READS, Four, Record, answers, four
from faults.lives import Life
from harness.fixtures import DatabaseFor

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
NUMBERS: Final = 40
ABREAST: Final = 60

Twins = tuple[Life, Life]
"""Two DIDs that one order made for one number: one is given it, the other is refused."""


def twins(n: int) -> Twins:
    """The two DIDs of the n-th number."""
    first, second = (Life(name=f"{n} {who}", number=f"+1212{2_000_000 + n}", begin=BEGIN) for who in "ab")
    return first, second


def bought(one: Life) -> Record:
    """Say that a DID was purchased."""
    order = f"order {one.number}"
    return one.event(
        0, "did.purchased", order_id=order, purchased_at=BEGIN, country=None, area=None, features=["voice_in"]
    )


async def play(house: Four, begun: Iterable[Record], chance: random.Random | None) -> None:
    """Hand on all that is said until nobody says anything more: in order, or in any order; the carrier answers."""
    waiting = [(name, record) for record in begun for name in READS if record.topic in READS[name]]
    while waiting:
        if chance is not None:
            chance.shuffle(waiting)
        abreast = len(waiting) if chance is None else ABREAST
        taken, waiting = waiting[:abreast], waiting[abreast:]
        for name in READS:
            await house.receive((record for reader, record in taken if reader == name), only=name)
        said = await house.publish()
        said += answers(said, BEGIN)
        waiting += [(name, record) for record in said for name in READS if record.topic in READS[name]]


async def test_every_order_over_all_topics_ends_the_same(database_for: DatabaseFor, seed: int) -> None:
    """F12: a purchase and its repeat as another DID, told straight once and shuffled 39 times: two endings in all."""
    numbers = [twins(n) for n in range(NUMBERS)]
    async with four(database_for) as house:
        await play(house, map(bought, numbers[0]), None)
        await play(house, (bought(one) for pair in numbers[1:] for one in pair), random.Random(seed))
        holders = {n for n, row in (await house.states("inventory")).items() if row.state.stock == "assigned"}
        winners = [one for pair in numbers for one in pair if one.did_id in holders]
        losers = [one for pair in numbers for one in pair if one.did_id not in holders]
        assert len({one.number for one in winners}) == len(winners) == len(losers) == NUMBERS
        for name in READS:
            for some in (winners, losers):
                found = await endings(house, name, some, without=["sequences"])
                assert not differing(found, [one.name for one in some]), name
            assert await house.count(name, "parked") + await house.count(name, "dead_letters") == 0
