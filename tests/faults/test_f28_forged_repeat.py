"""F28: an event id that was used before comes again and says something else."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from faults.four import READS, event_of, four, raw
from faults.lives import Life
from harness.fixtures import DatabaseFor

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
ONE: Final = Life(name="forged", number="+353212000001", begin=BEGIN)
OTHER: Final = Life(name="victim", number="+353212000002", begin=BEGIN)


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "later"])
async def test_a_forged_repeat_is_quarantined_by_every_service(
    database_for: DatabaseFor, caplog: pytest.LogCaptureFixture, together: bool
) -> None:
    """F28: it is a dead letter `id_reused` with a security line, the first effect stands, a true repeat is nothing."""
    bought = ONE.event(0, "did.purchased", purchased_at=BEGIN)
    dearer = ONE.event(0, "did.purchased", purchased_at=BEGIN, order_id="another")
    renewed = ONE.event(0, "did.purchased", purchased_at=BEGIN)
    async with four(database_for) as house:
        with caplog.at_level(logging.WARNING):
            if together:
                await house.receive([bought, dearer, renewed])
            else:
                for record in (bought, dearer, renewed):
                    await house.receive([record])
        said = await house.publish()
        for name in READS:
            letters = await house.stages[name].database.fetch("SELECT reason, value FROM dead_letters")
            assert [(row["reason"], row["value"]) for row in letters] == [("id_reused", dearer.value)], name
            assert set(await house.states(name)) == {ONE.did_id}
        alarms = [line for line in caplog.records if getattr(line, "security", False)]
        assert len(alarms) == len(READS)
        assert {one.topic for one in said if one.topic.endswith(".dlq")} == {f"{name}.dlq" for name in READS}


async def test_an_id_cannot_be_taken_for_another_did(database_for: DatabaseFor) -> None:
    """The same id about another DID is quarantined; the other DID's own purchase is taken as if nothing had been."""
    bought = ONE.event(0, "did.purchased", purchased_at=BEGIN)
    theirs = OTHER.event(0, "did.purchased", purchased_at=BEGIN)
    event = event_of(theirs)
    stolen = raw(theirs.value.replace(event.id.encode(), event_of(bought).id.encode()), theirs.topic)
    async with four(database_for) as house:
        await house.receive([bought, stolen])
        for name in READS:
            assert set(await house.states(name)) == {ONE.did_id}
            assert await house.count(name, "dead_letters", "reason = 'id_reused'") == 1
        await house.receive([theirs])
        for name in READS:
            assert set(await house.states(name)) == {ONE.did_id, OTHER.did_id}
