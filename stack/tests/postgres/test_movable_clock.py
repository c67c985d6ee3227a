"""The clock of the embedded stack, on real databases."""

from datetime import UTC, datetime, timedelta

import pytest
from harness.fixtures import DatabaseFor
from harness.migrations import migration_of

from didflow import movable_clock
from didflow.durations import parse_duration
from didflow.errors import BadInput
from didflow_chassis.database import Outage


async def test_all_services_move_together_and_add_up(database_for: DatabaseFor) -> None:
    """Two moves add up, and every service has the same time."""
    databases = {name: await database_for("billing", migration_of("billing")) for name in ("one", "two")}
    before = await movable_clock.show(databases)
    assert all(abs(reading.now - datetime.now(UTC)) < timedelta(minutes=1) for reading in before)
    await movable_clock.advance(databases, parse_duration("P31D"))
    after = await movable_clock.advance(databases, parse_duration("PT12H"))
    for reading in after:
        ahead = reading.now - datetime.now(UTC)
        assert abs(ahead - timedelta(days=31, hours=12)) < timedelta(minutes=1)
    assert {reading.shift for reading in after} == {"31 days 12:00:00"}
    assert [reading.shift for reading in await movable_clock.show(databases)] == [r.shift for r in after]


async def test_when_one_database_is_away_no_clock_moves(database_for: DatabaseFor) -> None:
    """Different clocks would be worse than a clock that does not move."""
    there = {"one": await database_for("billing", migration_of("billing"))}
    away = {"two": "postgresql://nobody@127.0.0.1:1/none"}
    with pytest.raises(Outage):
        await movable_clock.advance({**there, **away}, parse_duration("P1D"))
    assert [reading.shift for reading in await movable_clock.show(there)] == ["00:00:00"]


@pytest.mark.parametrize("duration", ["P200Y", "P9999Y", "P99999M", "P999999D"])
async def test_no_clock_moves_past_the_last_instant(database_for: DatabaseFor, duration: str) -> None:
    """From 2200 on nothing can be stored, so no service could decide anything any more."""
    databases = {"one": await database_for("billing", migration_of("billing"))}
    with pytest.raises(BadInput, match="2200-01-01"):
        await movable_clock.advance(databases, parse_duration(duration))
    assert [reading.shift for reading in await movable_clock.show(databases)] == ["00:00:00"]
