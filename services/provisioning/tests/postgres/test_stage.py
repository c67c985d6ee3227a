"""The decisions on the real stage and a real PostgreSQL database."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from didflow_contracts.events import CarrierCommandIssued, DidActivated, RoutingChanged
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.store import KINDS, METADATA
from didflow_provisioning.store.tables import VIEWS


def assert_same_tables(connection: sa.Connection) -> None:
    """Assert that the columns and indexes of the database are those of the tables in the code."""
    inspector = sa.inspect(connection)
    for table in METADATA.sorted_tables:
        migrated = {c["name"]: (str(c["type"]), c["nullable"]) for c in inspector.get_columns(table.name)}
        declared = {c.name: (str(c.type.compile(connection.dialect)), c.nullable) for c in table.columns}
        assert {name: nullable for name, (_, nullable) in migrated.items()} == {
            name: nullable for name, (_, nullable) in declared.items()
        }
        indexes = {index["name"] for index in inspector.get_indexes(table.name)}
        assert indexes == {index.name for index in table.indexes}
    for view in VIEWS.sorted_tables:
        assert {column["name"] for column in inspector.get_columns(view.name)} == set(view.columns.keys())


async def test_the_migration_creates_the_tables_of_the_code(provisioning: Any) -> None:
    """Every column and index of the code is in the database, and no other. So is every column of its views.

    Each table has a kind, but that of reads of credentials: it is written by the read itself.
    """
    engine = create_async_engine(provisioning.database.dsn.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        await connection.run_sync(assert_same_tables)
    await engine.dispose()
    assert {kind.table.name for kind in KINDS} == {*METADATA.tables, *VIEWS.tables} - {"credential_reads"}


async def test_a_purchase_is_activated_by_one_batch_and_one_result(
    provisioning: Any, messages: Any, issued: Any
) -> None:
    """The published events have the sequences 1, 2, 3, 4."""
    await provisioning.receive(messages.registration(), messages.did_changed(), messages.purchased())
    (command,) = await issued()
    await provisioning.receive(messages.result(command))
    published = await provisioning.published()
    assert [type(event.data) for event in published] == [
        RoutingChanged,
        CarrierCommandIssued,
        DidActivated,
        RoutingChanged,
    ]
    assert [event.sequence for event in published] == [1, 2, 3, 4]
    assert published[-1].data.carrier_state == "active"
    assert await provisioning.parked() == []


async def test_events_before_the_purchase_are_parked(provisioning: Any, messages: Any, issued: Any) -> None:
    """They are decided once, when the purchase arrives in a later batch."""
    holding, registration = messages.did_changed(), messages.registration()
    await provisioning.receive(registration)
    await provisioning.receive(holding, registration)
    assert len(await provisioning.parked()) == 2
    await provisioning.receive(messages.purchased())
    assert await provisioning.parked() == []
    assert len(await issued()) == 1


async def test_repeated_events_are_applied_once(provisioning: Any, messages: Any, issued: Any) -> None:
    """The same events again publish nothing, in the same batch and alone."""
    events = [messages.purchased(), messages.did_changed(), messages.registration(), messages.term()]
    await provisioning.receive(*events, *events)
    for event in events:
        await provisioning.receive(event)
    assert len(await issued()) == 1


async def test_an_unanswered_command_is_repeated_and_given_up(
    provisioning: Any, messages: Any, issued: Any
) -> None:
    """All attempts are the same command. After a week the activation has failed, and no timer is left."""
    await provisioning.receive(messages.purchased(), messages.did_changed(), messages.registration())
    await provisioning.advance(timedelta(minutes=3))
    commands = await issued()
    assert [command.attempt for command in commands] == [1, 2]
    assert commands[0].command_id == commands[1].command_id
    await provisioning.advance(timedelta(days=8))
    assert (await provisioning.published())[-1].data.carrier_state == "failed"
    assert await provisioning.count("number_queues", "due_at IS NOT NULL") == 0


async def test_the_end_of_a_grace_period_suspends_the_number(
    provisioning: Any, messages: Any, issued: Any
) -> None:
    """The timer of the routing makes the queue due. The queue sends the suspension at once."""
    await provisioning.receive(messages.purchased(), messages.did_changed(), messages.registration())
    await provisioning.receive(messages.result((await issued())[0]))
    grace_until = await provisioning.now() + timedelta(days=2)
    await provisioning.receive(messages.registration("expired", 2, grace_until=grace_until))
    await provisioning.advance(timedelta(days=1))
    assert len(await issued()) == 1
    await provisioning.advance(timedelta(days=1))
    assert [command.action for command in await issued()] == ["activate", "suspend"]


async def test_the_release_of_a_did_activates_the_next_did_of_the_number(
    provisioning: Any, messages: Any, issued: Any
) -> None:
    """Events of two DIDs of one number arrive in one batch."""
    await provisioning.receive(messages.purchased(), messages.did_changed(), messages.registration())
    await provisioning.receive(messages.result((await issued())[-1]))
    follower = messages.next_did_id
    await provisioning.receive(
        messages.removed(),
        messages.purchased(follower),
        messages.did_changed(did_id=follower),
        messages.registration(did_id=follower),
    )
    release = (await issued())[-1]
    assert release.action == "release"
    await provisioning.receive(messages.result(release))
    last = (await issued())[-1]
    assert (last.action, last.did_id) == ("activate", follower)


async def test_each_number_of_a_batch_gets_its_command(provisioning: Any, messages: Any, issued: Any) -> None:
    """Three events each of 200 numbers in one batch send 200 activations."""
    events = []
    for n in range(200):
        base = {"did_id": uuid4(), "number": f"+35319{600000 + n}"}
        events += [messages.purchased(**base), messages.did_changed(**base), messages.registration(**base)]
    await provisioning.receive(*events)
    commands = await issued()
    assert len({command.number for command in commands}) == len(commands) == 200


async def test_a_result_for_an_unknown_command_is_refused(
    provisioning: Any, messages: Any, issued: Any
) -> None:
    """It is neither parked nor a dead letter. The inbox shows the code."""
    await provisioning.receive(messages.purchased(), messages.did_changed(), messages.registration())
    command = (await issued())[0]
    await provisioning.receive(messages.result(command, command_id=messages.next_did_id))
    rows = await provisioning.fetch("SELECT decision FROM inbox ORDER BY seen_at DESC LIMIT 1")
    assert rows[0]["decision"] == "refused:command_unknown"
    assert await provisioning.parked() == []
    assert await provisioning.dead_letters() == []


@pytest.mark.parametrize("capacity", [0, 3, "unlimited", None])
async def test_a_routing_is_loaded_as_it_was_stored(
    provisioning: Any, messages: Any, issued: Any, capacity: Any
) -> None:
    """A routing with settings and a failure survives the database."""
    await provisioning.receive(messages.purchased(), messages.did_changed(origin="stock"))
    await provisioning.receive(messages.registration())
    client = provisioning.client()
    body = {"name": "D", "sip": {"uri": "sip:a.example"}}
    created = (await client.post("/v1/voice-trunks", json=body)).json()
    target = {"dids": [messages.number], "voice_trunk_id": created["voice_trunk_id"]}
    await client.post("/v1/routing/batch/set-voice", json=target)
    await client.post(
        "/v1/routing/batch/set-capacity", json={"dids": [messages.number], "capacity": capacity}
    )
    await provisioning.receive(messages.failure((await issued())[0]))
    routing = await provisioning.state(Routing, messages.did_id)
    assert routing.capacity == capacity
    assert routing.voice_delivery.endpoints[0].address == "sip:a.example"
    assert routing.failures[0].code == "rejected"
    assert routing.open_command is None
