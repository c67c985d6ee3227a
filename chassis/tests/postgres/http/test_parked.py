"""Parked messages over HTTP, on PostgreSQL with the real stage: what waits, for what, and never its content."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import toy
from harness.fixtures import OnPostgres
from toy_messages import added, opened
from toy_records import named, raw, record

from didflow_chassis.testing import ServiceOnPostgres

PATH = "/v1/counting/parked"
SECRET = "Mary Example"
RETRIES = timedelta(minutes=1)


@pytest.fixture
async def counting(on_postgres: OnPostgres) -> ServiceOnPostgres:
    """The toy service. The default caller is an operator."""
    return await on_postgres(toy.SERVICE, prepare=toy.prepare)


@pytest.fixture
def client(counting: ServiceOnPostgres) -> httpx.AsyncClient:
    return counting.client()


async def listed(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def park_one_of_each(counting: ServiceOnPostgres) -> None:
    """Leave an early message of number 2, and a dead one of number 1 with one behind it."""
    await counting.stage.records([record(added(2, 5), "early")])
    await counting.stage.records([record(opened(1), "1"), record(added(1, toy.POISONED), "2")])
    await counting.stage.records([record(added(1, 7), "3")])
    await counting.advance(RETRIES)


async def test_a_parked_message_is_listed_with_what_it_waits_for(
    counting: ServiceOnPostgres, client: httpx.AsyncClient
) -> None:
    """All fields, in the order in which the messages were parked."""
    await park_one_of_each(counting)
    early, dead, behind = await listed(client)
    (row,) = await counting.fetch("SELECT id, since FROM parked WHERE reason = 'early'")
    did_id, number = named(2)
    assert early == {
        "id": row["id"],
        "reason": "early",
        "entity": str(did_id),
        "number": number,
        "type": toy.Added.type(),
        "missing": "counter.opened",
        "attempts": 0,
        "due_at": None,
        "since": row["since"].isoformat().replace("+00:00", "Z"),
    }
    about = [(each["reason"], each["attempts"], each["missing"]) for each in (dead, behind)]
    assert about == [("dead", 4, None), ("behind", 0, None)]


async def test_a_message_under_retry_has_the_instant_of_its_next_attempt(
    counting: ServiceOnPostgres, client: httpx.AsyncClient
) -> None:
    """`due_at` is in the service's time, like `since`."""
    await counting.stage.records([record(opened(1), "1"), record(added(1, toy.POISONED), "2")])
    (retry,) = await listed(client)
    assert (retry["reason"], retry["attempts"]) == ("retry", 1)
    assert retry["due_at"] > retry["since"]


async def test_a_retried_record_that_is_not_decoded_yet_has_no_entity(
    counting: ServiceOnPostgres, client: httpx.AsyncClient
) -> None:
    """Its number is the key of the record. Entity and type are unknown until it is decided."""
    await counting.stage.records([raw(b"{", key=named(1)[1].encode())])
    (row,) = await counting.fetch("SELECT id FROM dead_letters")
    await client.post(f"/v1/counting/dead-letters/{row['id']}/retry")
    (retry,) = await listed(client, number=named(1)[1])
    assert (retry["reason"], retry["entity"], retry["type"]) == ("retry", None, None)


@pytest.mark.parametrize(
    ("query", "reasons"),
    [
        ({"reason": "early"}, ["early"]),
        ({"reason": "retry"}, []),
        ({"number": named(1)[1]}, ["dead", "behind"]),
        ({"number": named(1)[1].removeprefix("+"), "reason": "behind"}, ["behind"]),
        ({"entity": str(named(2)[0])}, ["early"]),
    ],
)
async def test_the_list_is_filtered(
    counting: ServiceOnPostgres, client: httpx.AsyncClient, query: dict[str, str], reasons: list[str]
) -> None:
    """By reason, number and entity; a message satisfies all filters."""
    await park_one_of_each(counting)
    assert [each["reason"] for each in await listed(client, **query)] == reasons


async def test_pages_have_every_message_once_while_others_come_and_go(
    counting: ServiceOnPostgres, client: httpx.AsyncClient
) -> None:
    """In the order in which they were parked."""
    await counting.stage.records([record(added(n, 5), f"early-{n}") for n in range(10)])
    first = [each["id"] for each in await listed(client)]
    seen: list[int] = []
    page: dict[str, Any] = {"next": None}
    while not seen or page["next"]:
        cursor = {"cursor": page["next"]} if page["next"] else {}
        page = (await client.get(PATH, params={"limit": 4, **cursor})).json()
        seen += [each["id"] for each in page["items"]]
        if len(seen) == 4:
            await counting.stage.records([record(opened(0), "opened"), record(added(20, 5), "later")])
    assert seen[:10] == first
    assert len(seen) == len(set(seen)) == 11


async def test_the_content_of_a_message_is_never_shown(
    counting: ServiceOnPostgres, client: httpx.AsyncClient
) -> None:
    """No value, no header and no error text, because each can name a person."""
    await counting.fetch(
        "INSERT INTO parked (entity, subject, model, reason, since, last_error, inbox_id, topic, key, value, headers)"
        " VALUES ($1, '', 'Counter', 'dead', now(), $2, '', 'counter.added', $3, $3, $4)",
        str(UUID(int=1)),
        SECRET,
        SECRET.encode(),
        f'["{SECRET}"]',
    )
    answer = await client.get(PATH)
    assert len(answer.json()["items"]) == 1
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("reason=tired", "input_invalid"),
        ("number=+1x", "input_invalid"),
        ("reasons=early", "unknown_parameter"),
        ("sort=since", "sort_unknown"),
    ],
)
async def test_wrong_input_is_refused(client: httpx.AsyncClient, query: str, code: str) -> None:
    """422 with the code of the conventions."""
    answer = await client.get(f"{PATH}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, code)
