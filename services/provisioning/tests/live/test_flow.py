"""The decisions on the real stage and a real PostgreSQL."""

from datetime import timedelta
from typing import Any

import pytest

from didflow_contracts.events import CarrierCommandIssued, DidActivated, RoutingChanged
from didflow_provisioning.service import service
from didflow_provisioning.settings import ProvisioningSettings
from didflow_provisioning.store import KINDS, METADATA

SERVICE = service(ProvisioningSettings.placeholder())


async def test_the_tables_are_those_that_the_code_describes(live: Any) -> None:
    """Every column and index of the migrations is in the store's description, and the other way round."""
    import sqlalchemy as sa
    from sqlalchemy.ext.asyncio import create_async_engine

    def compared(connection: sa.Connection) -> None:
        inspector = sa.inspect(connection)
        for table in METADATA.sorted_tables:
            there = {c["name"]: (str(c["type"]), c["nullable"]) for c in inspector.get_columns(table.name)}
            described = {
                c.name: (c.type.compile(connection.dialect), bool(c.nullable)) for c in table.columns
            }
            assert there.keys() == described.keys()
            assert {n: null for n, (_, null) in there.items()} == {
                n: null for n, (_, null) in described.items()
            }
            indexes = {index["name"] for index in inspector.get_indexes(table.name)}
            assert indexes == {index.name for index in table.indexes}

    engine = create_async_engine(live.database.dsn.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        await connection.run_sync(compared)
    await engine.dispose()
    assert {kind.table.name for kind in KINDS} == set(METADATA.tables)


async def test_a_purchase_becomes_active_in_one_batch_and_its_answer(live: Any, say: Any) -> None:
    """Purchase, holding and approval in one batch order one activation; its success is said, numbered 1, 2, ..."""
    await live.feed(say.registration(), say.holding(), say.purchased())
    (order,) = await live.orders()
    await live.feed(say.result(order))
    said = await live.said()
    assert [type(event.data) for event in said] == [
        RoutingChanged,
        CarrierCommandIssued,
        DidActivated,
        RoutingChanged,
    ]
    assert [event.sequence for event in said] == [1, 2, 3, 4]
    assert said[-1].data.carrier_state == "active"
    assert await live.count("parked") == 0


async def test_what_comes_before_the_purchase_waits_in_the_database(live: Any, say: Any) -> None:
    """Too early in one batch, it is parked; the purchase in a later one lets it run, once."""
    holding, registration = say.holding(), say.registration()
    await live.feed(registration)
    await live.feed(holding, registration)
    assert await live.count("parked") == 2
    await live.feed(say.purchased())
    assert await live.count("parked") == 0
    assert len(await live.orders()) == 1


async def test_everything_delivered_twice_is_taken_once(live: Any, say: Any) -> None:
    """The same events again, alone and together, say nothing more."""
    events = [say.purchased(), say.holding(), say.registration(), say.term()]
    await live.feed(*events, *events)
    for event in events:
        await live.feed(event)
    assert len(await live.orders()) == 1


async def test_the_clock_retries_and_gives_up_on_the_database(live: Any, say: Any) -> None:
    """Unanswered attempts come again with the same order; after a week the number is failed."""
    await live.feed(say.purchased(), say.holding(), say.registration())
    await live.later(timedelta(minutes=3))
    orders = await live.orders()
    assert [order.attempt for order in orders] == [1, 2]
    assert orders[0].command_id == orders[1].command_id
    await live.later(timedelta(days=8))
    assert (await live.said())[-1].data.carrier_state == "failed"
    rows = await live.database.fetch("SELECT count(*) AS n FROM lines WHERE due_at IS NOT NULL")
    assert rows[0]["n"] == 0


async def test_a_grace_that_ends_suspends_through_the_line(live: Any, say: Any) -> None:
    """The routing's instant makes the line due, and the line orders the suspension in the same strike."""
    await live.feed(say.purchased(), say.holding(), say.registration())
    await live.feed(say.result((await live.orders())[0]))
    rows = await live.database.fetch("SELECT clock_timestamp() + interval '2 days' AS grace")
    await live.feed(say.registration("expired", 2, grace_until=rows[0]["grace"]))
    await live.later(timedelta(days=1))
    assert len(await live.orders()) == 1
    await live.later(timedelta(days=1))
    assert [order.action for order in await live.orders()] == ["activate", "suspend"]


async def test_the_next_life_is_activated_by_the_release_of_the_former(live: Any, say: Any) -> None:
    """Two DIDs of one number in one batch: the release's success orders the next activation."""
    await live.feed(say.purchased(), say.holding(), say.registration())
    await live.feed(say.result((await live.orders())[-1]))
    follower = say.next
    await live.feed(
        say.removed(), say.purchased(follower), say.holding(did=follower), say.registration(did=follower)
    )
    release = (await live.orders())[-1]
    assert release.action == "release"
    await live.feed(say.result(release))
    last = (await live.orders())[-1]
    assert (last.action, last.did_id) == ("activate", follower)


async def test_many_numbers_in_one_batch_each_have_their_order(live: Any, say: Any) -> None:
    """Two hundred numbers, three events each, one batch: two hundred activations."""
    from uuid import uuid4

    events = []
    for n in range(200):
        whose = {"did_id": uuid4(), "number": f"+35319{600000 + n}"}
        events += [say.purchased(**whose), say.holding(**whose), say.registration(**whose)]
    await live.feed(*events)
    orders = await live.orders()
    assert len({order.number for order in orders}) == len(orders) == 200


async def test_a_result_for_an_unknown_command_is_refused_and_not_kept_waiting(live: Any, say: Any) -> None:
    """Nothing is parked, nothing dead-lettered: the inbox says why."""
    await live.feed(say.purchased(), say.holding(), say.registration())
    order = (await live.orders())[0]
    await live.feed(say.result(order, command_id=say.next))
    rows = await live.database.fetch("SELECT outcome FROM inbox ORDER BY seen_at DESC LIMIT 1")
    assert rows[0]["outcome"] == "refused:command_unknown"
    assert await live.count("parked") + await live.count("dead_letters") == 0


@pytest.mark.parametrize("capacity", [0, 3, "unlimited", None])
async def test_every_state_comes_back_from_its_tables_as_it_was(live: Any, say: Any, capacity: Any) -> None:
    """A routing with all that it can hold is read as it was written."""
    from didflow_provisioning import store

    await live.feed(say.purchased(), say.holding(origin="stock"), say.registration())
    caller = say.caller()
    async with live.client() as client:
        made = (
            await client.post("/v1/voice-trunks", json={"name": "D", "sip": {"uri": "sip:a.example"}})
        ).json()
        trunk = {"dids": [say.number], "voice_trunk_id": made["voice_trunk_id"]}
        await client.post("/v1/routing/batch/set-voice", json=trunk)
        await client.post("/v1/routing/batch/set-capacity", json={"dids": [say.number], "capacity": capacity})
    await live.feed(say.failure((await live.orders())[0]))
    row = (await live.database.fetch(store.routings_named([say.did], caller)))[0]
    routing = store.routing_in(row)
    assert store.ROUTING.from_row(tuple(row)).state == routing
    assert routing.capacity == capacity
    delivery = routing.voice_delivery
    assert delivery is not None
    assert delivery.endpoints[0].address == "sip:a.example"
    assert routing.failures[0].code == "rejected"
    assert SERVICE.main is type(routing)
