"""The stream of changes on a real PostgreSQL and over real connections: each sentence of its contract."""

import asyncio
import math
import re
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa
from harness.deadline import eventually
from harness.event_client import Api, api_of

from didflow_chassis.http import Streams, event_stream, follower
from didflow_inventory.store.tables import did_changes

SECOND = "+35319609099"
DAY = timedelta(hours=24)
INSERT = """
    INSERT INTO did_changes (did_id, number, account, status)
    VALUES (gen_random_uuid(), $1, 'master/acme', 'active') RETURNING position
"""


@pytest.fixture(autouse=True)
def reads_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader of streams does not wait for long."""
    monkeypatch.setattr(follower, "POLL_S", 0.05)


@pytest.fixture
async def api(inventory: Any) -> AsyncIterator[Api]:
    """The API on a real port. Tokens do not expire."""
    inventory.tokens.left_s = math.inf
    async with api_of(inventory.application) as opened:
        yield opened


async def act(
    inventory: Any, action: str, number: str, by: str = "reseller:master/acme", **body: Any
) -> None:
    """Do something with one DID."""
    response = await inventory.call("POST", f"/v1/dids/batch/{action}", by, json={"dids": [number], **body})
    assert response.json()["done"] == 1, response.text


async def edit(inventory: Any, number: str, text: str) -> None:
    """Change the notes of a DID."""
    await act(inventory, "edit", number, "operator:root", notes=text)


async def test_a_change_comes_to_the_holder_and_those_above_and_to_no_sibling(
    inventory: Any, api: Api, make: Any, body_of: Any
) -> None:
    """The data names the DID. The first that the sibling gets is its own DID."""
    async with (
        api.stream("reseller:master/acme") as own,
        api.stream("operator:root") as operator,
        api.stream("reseller:other") as sibling,
        api.stream("reseller:master/acme/shop") as below,
    ):
        did = await inventory.purchase(make, make.number)
        expected = {
            "did_id": did["did_id"],
            "number": make.number,
            "account": "master/acme",
            "status": "awaiting_registration",
            "removed": False,
        }
        for stream in (own, operator):
            event = await stream.event()
            assert (event.event, event.data) == ("change", expected)
        body = body_of(number=SECOND, order_id="o-2", account="other")
        assert (
            await inventory.call("POST", "/v1/purchases", "operator:root", "k", json=body)
        ).status_code == 201
        assert (await sibling.event()).data["number"] == SECOND
        await act(inventory, "assign-account", make.number, account="master/acme/shop")
        assert (await below.event()).data | {"account": "master/acme/shop"} == (await own.event()).data


async def test_a_did_that_leaves_the_subtree_comes_once_with_its_last_account_inside(
    inventory: Any, api: Api, make: Any
) -> None:
    """What becomes of it outside is not shown. The account above both sees a change of the account."""
    body = {"path": "master/zeta", "name": "Zeta"}
    assert (await inventory.call("POST", "/v1/accounts", "operator:root", json=body)).status_code == 201
    await inventory.purchase(make, make.number)
    await inventory.purchase(make, SECOND)
    await act(inventory, "assign-account", make.number, account="master/acme/shop")
    async with (
        api.stream("reseller:master/acme") as left,
        api.stream("reseller:master/zeta") as entered,
        api.stream("master_reseller:master") as above,
    ):
        await act(inventory, "assign-account", make.number, "master_reseller:master", account="master/zeta")
        await edit(inventory, make.number, "outside")
        await edit(inventory, SECOND, "inside")
        removed, other = await left.events(2)
        assert (removed.data["removed"], removed.data["account"], removed.data["status"]) == (
            True,
            "master/acme/shop",
            None,
        )
        assert other.data["number"] == SECOND
        assert [e.data["removed"] for e in await entered.events(2)] == [False, False]
        moved, _, _ = await above.events(3)
        assert (moved.data["removed"], moved.data["account"]) == (False, "master/zeta")
    async with api.stream("reseller:master/acme", removed.id) as resumed:
        assert (await resumed.event()).id == other.id


async def test_a_did_that_ends_comes_once_as_removed(inventory: Any, api: Api, make: Any) -> None:
    """Later messages about it, here the end of its term, are no changes."""
    did = await inventory.purchase(make, make.number)
    await inventory.purchase(make, SECOND)
    async with api.stream() as stream:
        await act(inventory, "port-out", make.number)
        await inventory.receive(make.term("closed", did_id=did["did_id"], number=make.number))
        await edit(inventory, SECOND, "x")
        removed, other = await stream.events(2)
        assert (removed.data["removed"], removed.data["account"]) == (True, "master/acme")
        assert other.data["number"] == SECOND


async def test_a_user_gets_its_own_dids_and_each_that_ceases_to_be_its_once(
    inventory: Any, api: Api, make: Any
) -> None:
    """The other DIDs of its account are not shown. Another subject of the user's makes it read anew."""
    firm = "master/acme/firm"
    body = {"path": firm, "name": "Firm", "kind": "enterprise"}
    assert (await inventory.call("POST", "/v1/accounts", json=body)).status_code == 201
    user = {"account": firm, "name": "Reception", "kind": "sms", "subject": "ann"}
    user_id = (await inventory.call("POST", "/v1/users", json=user)).json()["user_id"]
    for number in (make.number, SECOND):
        await inventory.purchase(make, number)
        await act(inventory, "assign-account", number, account=firm)
    async with api.stream(f"user:{firm}") as own, api.stream(f"user:{firm}", subject="eve") as stranger:
        await edit(inventory, SECOND, "not shown")
        await act(inventory, "assign-user", make.number, user_id=user_id)
        await act(inventory, "assign-user", make.number, user_id=None)
        await act(inventory, "assign-user", SECOND, user_id=user_id)
        events = await own.events(3)
        shown = [(event.data["number"], event.data["removed"]) for event in events]
        assert shown == [(make.number, False), (make.number, True), (SECOND, False)]
        changed = await inventory.call("PATCH", f"/v1/users/{user_id}", json={"subject": "eve"})
        assert changed.status_code == 200
        assert (await own.event()).event == (await stranger.event()).event == "reset"
        await edit(inventory, SECOND, "now of eve")
        assert (await stranger.event()).data["number"] == SECOND
    async with api.stream(f"user:{firm}", events[0].id) as resumed:
        assert (resumed.first.event, resumed.first.data) == ("reset", {})


async def test_a_reader_that_resumes_misses_nothing_of_a_transaction_that_commits_late(
    inventory: Any, api: Api
) -> None:
    """The older position is committed last. A live stream, and one that resumes in between, get both once."""
    early, late = [await asyncpg.connect(inventory.database.dsn) for _ in range(2)]
    async with api.stream() as live:
        begin = live.last_id
        slow, fast = early.transaction(), late.transaction()
        await slow.start()
        first = await early.fetchval(INSERT, "slow")
        await fast.start()
        second = await late.fetchval(INSERT, "fast")
        assert first < second
        await fast.commit()
        async with api.stream(last_id=begin) as resumed:
            between = resumed.last_id
        await passed_on(inventory)
        await slow.commit()
        seen = await live.events(2)
        assert [event.data["number"] for event in seen] == ["slow", "fast"]
    for last_id, expected in ((begin, ["slow", "fast"]), (between, ["slow", "fast"]), (seen[0].id, ["fast"])):
        async with api.stream(last_id=last_id) as resumed:
            assert [event.data["number"] for event in await resumed.events(len(expected))] == expected
    await early.close()
    await late.close()


async def passed_on(inventory: Any) -> None:
    """Wait until the reader of the streams has read twice."""
    changes = inventory.streams._shared["changes"]
    begin = changes.follower.end.at
    later = begin + timedelta(seconds=2 * follower.POLL_S)

    async def has_read() -> bool:
        return bool(changes.follower.end.at >= later)

    await eventually(has_read)


async def test_an_id_is_good_for_24_hours_and_then_there_is_a_reset(
    inventory: Any, api: Api, make: Any
) -> None:
    """So is there for what is no id, and for an id that another database has given. The stream goes on behind it."""
    await inventory.purchase(make, make.number)
    async with api.stream() as stream:
        await edit(inventory, make.number, "one")
        last = (await stream.event()).id
    await edit(inventory, make.number, "missed")
    now = await inventory.now()
    await inventory.set_time(now + DAY - timedelta(minutes=5))
    async with api.stream(last_id=last) as stream:
        assert stream.first.event is None
        assert (await stream.event()).event == "change"
    await inventory.set_time(now + DAY + timedelta(minutes=5))
    for gone in (last, "17", "x" * 2_000, f"9{'0' * 15}-1-1767225600", f"1-1-{'9' * 11}"):
        async with api.stream(last_id=gone) as stream:
            assert (stream.first.event, stream.first.data) == ("reset", {})
            await edit(inventory, make.number, gone[-9:])
            assert (await stream.event()).event == "change"


async def test_a_comment_comes_every_15_seconds_and_keeps_the_id_of_a_quiet_client_young(
    inventory: Any, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The id advances with the changes of others too."""
    assert event_stream.COMMENT_S == 15
    monkeypatch.setattr(event_stream, "COMMENT_S", 0.05)
    async with api.stream("reseller:other") as stream:
        first = stream.last_id
        await inventory.fetch(INSERT, "of acme")

        async def is_advanced() -> bool:
            block = await stream.block()
            assert block is not None
            assert (block.event, block.comment) == (None, "keep-alive")
            return bool(block.id != first)

        await eventually(is_advanced)


async def test_the_eleventh_stream_of_a_subject_is_refused_in_all_processes_together(
    inventory: Any, api: Api, make: Any
) -> None:
    """Another subject has its own ten. The slot of a client that goes away is free again."""
    second = Streams(inventory.database.dsn, application="test", most=100)
    taken = [await second.slots.take(make.caller("master/acme")) for _ in range(7)]
    async with api.stream(), api.stream():
        async with api.stream(), api.request() as refused:
            assert refused.status_code == 429
            await refused.aread()
            assert refused.json()["code"] == "too_many_streams"
            assert int(refused.headers["Retry-After"]) > 0
            async with api.stream(subject="eve"):
                pass

        async def is_free() -> bool:
            async with api.request() as response:
                return bool(response.status_code == 200)

        await eventually(is_free)
        second.slots.free(taken.pop())
        await eventually(is_free)
    await second.aclose()


async def test_a_process_that_dies_frees_its_slots(inventory: Any, api: Api, make: Any) -> None:
    """They are locks of its connection."""
    second = Streams(inventory.database.dsn, application="test", most=100)
    for _ in range(10):
        await second.slots.take(make.caller("master/acme"))
    async with api.request() as refused:
        assert refused.status_code == 429
    await second.aclose()

    async def is_free() -> bool:
        async with api.request() as response:
            return bool(response.status_code == 200)

    await eventually(is_free)


async def test_a_process_has_an_upper_bound_of_streams(inventory: Any) -> None:
    """So streams do not take all connections."""
    inventory.tokens.left_s = math.inf
    inventory.streams.slots._most = 1
    async with api_of(inventory.application) as api, api.stream(), api.request(subject="eve") as refused:
        assert refused.status_code == 503


async def test_a_stream_ends_when_its_token_expires(inventory: Any, api: Api) -> None:
    """It ends cleanly, and not before."""
    inventory.tokens.left_s = 0.5
    began = time.monotonic()
    async with api.stream() as stream:
        assert await stream.rest() == []
    assert 0.4 < time.monotonic() - began < 5


async def test_a_graceful_shutdown_ends_the_streams_at_once(inventory: Any) -> None:
    """The server does not wait for clients that stay."""
    inventory.tokens.left_s = math.inf
    ended: list[Any] = []

    async def follow(opened: Api, is_open: asyncio.Event) -> None:
        async with opened.stream() as stream:
            is_open.set()
            ended.append(await stream.rest())

    async with asyncio.TaskGroup() as clients, api_of(inventory.application) as api:
        is_open = asyncio.Event()
        clients.create_task(follow(api, is_open))
        await is_open.wait()
        began = time.monotonic()
    assert ended == [[]]
    assert time.monotonic() - began < 3
    assert len(inventory.streams.slots) == 0


async def test_a_rebuild_and_what_changes_nothing_are_no_changes(inventory: Any, api: Api, make: Any) -> None:
    """A DID whose stored listing is out of date is written again, and nobody hears of it."""
    did = await inventory.purchase(make, make.number)
    async with api.stream() as stream:
        await inventory.fetch("UPDATE dids SET in_active = NOT in_active, status = 'active'")
        rows = await inventory.count("did_changes")
        await inventory.run(make.rebuild(UUID(did["did_id"])))
        assert await inventory.count("dids", "status = 'active'") == 0
        await act_unchanged(inventory, make.number)
        assert await inventory.count("did_changes") == rows
        await edit(inventory, make.number, "x")
        assert (await stream.event()).data["status"] == "awaiting_registration"


async def act_unchanged(inventory: Any, number: str) -> None:
    """Edit a DID to what it is."""
    body = {"dids": [number], "notes": None}
    response = await inventory.call("POST", "/v1/dids/batch/edit", json=body)
    assert response.json()["unchanged"] == 1, response.text


async def test_fifty_streams_cost_as_many_reads_as_one(
    inventory: Any, api: Api, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One reader of the process reads each change once."""
    reads = 0
    fetch = inventory.database.fetch

    async def counting(statement: Any, *values: Any) -> Any:
        nonlocal reads
        reads += "did_changes" in str(statement)
        return await fetch(statement, *values)

    async with asyncio.TaskGroup() as group:
        opened: list[Any] = []
        all_open, done = asyncio.Event(), asyncio.Event()

        async def follow(subject: str) -> None:
            async with api.stream(subject=subject) as stream:
                opened.append(stream)
                if len(opened) == 50:
                    all_open.set()
                await done.wait()

        for number in range(50):
            group.create_task(follow(f"s{number % 5}"))
        await all_open.wait()
        monkeypatch.setattr(inventory.database, "fetch", counting)
        began = time.monotonic()
        await inventory.purchase(make, make.number)
        for stream in opened:
            assert (await stream.event()).data["number"] == make.number
        assert 1 <= reads <= 2 + 2 * (time.monotonic() - began) / follower.POLL_S
        done.set()


async def test_a_client_that_does_not_read_costs_a_bounded_queue_and_misses_nothing(
    inventory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When there are too many changes for its queue, the stream reads them from the table, page by page."""
    monkeypatch.setattr(follower, "MAX_WAITING", 20)
    monkeypatch.setattr(event_stream.View, "PAGE", 10)
    inventory.tokens.left_s = math.inf
    reads, gone, sent = asyncio.Event(), asyncio.Event(), []

    async def receive() -> Any:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))
        await reads.wait()

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/v1/dids/changes",
        "query_string": b"",
        "headers": [(b"authorization", b"Bearer ann:master/acme:reseller")],
    }
    client = asyncio.create_task(inventory.application(scope, receive, send))
    reads.set()

    async def is_live() -> bool:
        return len(queues(inventory)) == 1

    await eventually(is_live)
    reads.clear()
    (queue,) = queues(inventory)
    for number in range(100):
        await inventory.fetch(INSERT, f"n{number:02}")

    async def is_given_up() -> bool:
        assert len(queue) <= 20
        return bool(queue.is_given_up)

    await eventually(is_given_up)
    assert len(queue) == 0
    reads.set()

    async def has_all() -> bool:
        return b"".join(sent).count(b"event: change") >= 100

    await eventually(has_all)
    assert re.findall(rb'"number":"n([0-9]+)"', b"".join(sent)) == [b"%02d" % n for n in range(100)]
    gone.set()
    await client
    assert queues(inventory) == []


def queues(inventory: Any) -> list[Any]:
    """Return the queues of the process."""
    shared = inventory.streams._shared.get("changes")
    return [] if shared is None else [one for some in shared.follower._queues.values() for one in some]


async def test_a_query_without_its_condition_reads_only_changes_of_the_accounts_in_reach(
    inventory: Any, make: Any
) -> None:
    """The policy of the table knows the account before a change and the one after it."""
    await inventory.fetch(
        "INSERT INTO did_changes (did_id, number, account, former_account) VALUES "
        "(gen_random_uuid(), 'moved', 'master/zeta/a', 'master/acme/shop'), "
        "(gen_random_uuid(), 'ended', NULL, 'master/acme'), (gen_random_uuid(), 'new', 'master/acme/shop', NULL)"
    )
    expected = {
        "master": {"moved", "ended", "new"},
        "master/acme": {"moved", "ended", "new"},
        "master/acme/shop": {"moved", "new"},
        "master/zeta": {"moved"},
        "master/ac": set(),
        "other": set(),
    }
    for account, numbers in expected.items():
        rows = await inventory.reads.read(sa.select(did_changes), make.caller(account))
        assert {row["number"] for row in rows} == numbers, account


async def test_the_workers_delete_changes_after_25_hours(inventory: Any) -> None:
    """By the time of the database: whoever may still resume finds all rows."""
    for hours in (24, 26):
        await inventory.fetch(
            "INSERT INTO did_changes (did_id, number, account, written_at) "
            f"VALUES (gen_random_uuid(), '{hours}', 'master', clock_timestamp() - interval '{hours} hours')"
        )
    keeping = asyncio.create_task(inventory.timers.housekeeping())

    async def is_pruned() -> bool:
        return bool(await inventory.count("did_changes") == 1)

    await eventually(is_pruned)
    keeping.cancel()
    assert [row[0] for row in await inventory.fetch("SELECT number FROM did_changes")] == ["24"]
