"""F28: an event with a used id has different contents."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from faults.example_events import ExampleDid
from faults.services_in_process import READS, event_of, raw_record, services_in_process
from harness.fixtures import DatabaseFor

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
ONE: Final = ExampleDid(name="forged", number="+353212000001", begin=BEGIN)
OTHER: Final = ExampleDid(name="victim", number="+353212000002", begin=BEGIN)


@pytest.mark.parametrize("one_batch", [True, False], ids=["in one batch", "later"])
async def test_a_forged_repeat_is_a_dead_letter_of_every_service(
    database_for: DatabaseFor, caplog: pytest.LogCaptureFixture, one_batch: bool
) -> None:
    """F28: a dead letter `id_reused` and a security log line. The first effect stays, and a true repeat has none."""
    purchase = ONE.event(0, "did.purchased", purchased_at=BEGIN)
    forged = ONE.event(0, "did.purchased", purchased_at=BEGIN, order_id="another")
    repeat = ONE.event(0, "did.purchased", purchased_at=BEGIN)
    async with services_in_process(database_for) as services:
        with caplog.at_level(logging.WARNING):
            if one_batch:
                await services.receive([purchase, forged, repeat])
            else:
                for record in (purchase, forged, repeat):
                    await services.receive([record])
        published = await services.publish()
        for name in READS:
            letters = await services.stages[name].database.fetch("SELECT reason, value FROM dead_letters")
            assert [(row["reason"], row["value"]) for row in letters] == [("id_reused", forged.value)], name
            assert set(await services.states(name)) == {ONE.did_id}
        warnings = [line for line in caplog.records if getattr(line, "security", False)]
        assert len(warnings) == len(READS)
        assert {record.topic for record in published if record.topic.endswith(".dlq")} == {
            f"{name}.dlq" for name in READS
        }


async def test_the_id_of_another_dids_event_cannot_be_used(database_for: DatabaseFor) -> None:
    """F28: the id of another DID's event is a dead letter. The purchase that the id belongs to is applied normally."""
    purchase = ONE.event(0, "did.purchased", purchased_at=BEGIN)
    other_purchase = OTHER.event(0, "did.purchased", purchased_at=BEGIN)
    event = event_of(other_purchase)
    stolen = raw_record(
        other_purchase.value.replace(event.id.encode(), event_of(purchase).id.encode()), other_purchase.topic
    )
    async with services_in_process(database_for) as services:
        await services.receive([purchase, stolen])
        for name in READS:
            assert set(await services.states(name)) == {ONE.did_id}
            assert await services.count(name, "dead_letters", "reason = 'id_reused'") == 1
        await services.receive([other_purchase])
        for name in READS:
            assert set(await services.states(name)) == {ONE.did_id, OTHER.did_id}
