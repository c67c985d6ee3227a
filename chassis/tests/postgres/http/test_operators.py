"""Dead letters over HTTP, on PostgreSQL with the real stage: what an operator sees, retries and drops."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import toy
from harness.fixtures import OnPostgres
from held_commit import Held
from msgspec.structs import replace
from toy_messages import added, opened
from toy_records import named, raw, record

from didflow_chassis import failpoints
from didflow_chassis.database import compile_statement
from didflow_chassis.http.batch import MAX_ITEMS
from didflow_chassis.testing import ServiceOnPostgres

PATH = "/v1/counting/dead-letters"
RETRIES = timedelta(minutes=1)
"""Longer than all retries of a message together."""
KEY = {"Idempotency-Key": "k-1"}

Send = Callable[..., Awaitable[httpx.Response]]


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


async def the_letter(client: httpx.AsyncClient) -> dict[str, Any]:
    (letter,) = await listed(client)
    return letter


async def poison(counting: ServiceOnPostgres, number: int, value: bytes = b"{", **more: Any) -> None:
    """Receive a record that is no event, under the key of a number."""
    await counting.stage.records([raw(value, **{"key": named(number)[1].encode()} | more)])


async def give_up_a_defect(counting: ServiceOnPostgres, behind: tuple[int, ...] = (7,)) -> None:
    """Leave a dead letter of number 1 whose decision raises, and additions that are parked behind it."""
    await counting.stage.records([record(opened(1), "1"), record(added(1, toy.POISONED), "2")])
    await counting.stage.records([record(added(1, n), f"behind-{n}") for n in behind])
    await counting.advance(RETRIES)


async def total(counting: ServiceOnPostgres) -> int:
    rows = await counting.fetch("SELECT total FROM counters WHERE did_id = $1", named(1)[0])
    return rows[0][0]


async def test_a_dead_letter_is_listed_with_its_cause_and_its_origin(
    counting: ServiceOnPostgres, client: httpx.AsyncClient
) -> None:
    """All fields of the list. The number is that of the message, and `waiting` counts what is parked behind it."""
    await give_up_a_defect(counting, behind=(7, 8))
    letter = await the_letter(client)
    (row,) = await counting.fetch('SELECT id, at, "offset" FROM dead_letters')
    assert letter == {
        "id": str(row["id"]),
        "at": row["at"].isoformat().replace("+00:00", "Z"),
        "reason": "defect",
        "detail": "ZeroDivisionError: poisoned",
        "topic": "counter.added",
        "partition": 0,
        "offset": row["offset"],
        "key": named(1)[1],
        "number": named(1)[1],
        "truncated": False,
        "waiting": 2,
    }


async def test_a_dead_letter_of_a_timer_has_no_position(
    counting: ServiceOnPostgres, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Topic, partition, offset and key are null. The number is that of the state."""
    await counting.stage.records([record(opened(1), "1")])
    await counting.fetch("UPDATE counters SET rings_at = clock_timestamp()")
    monkeypatch.setattr(failpoints, "hit_now", _raise_at_decisions)
    await counting.run_due_timers()
    await counting.advance(RETRIES)
    letter = await the_letter(client)
    assert [letter[name] for name in ("topic", "partition", "offset", "key")] == [None] * 4
    assert (letter["reason"], letter["number"]) == ("defect", named(1)[1])


def _raise_at_decisions(place: str, about: str = "") -> None:
    if place == "stage.decide":
        raise ZeroDivisionError


async def test_one_dead_letter_has_its_headers_and_its_value(
    counting: ServiceOnPostgres, client: httpx.AsyncClient
) -> None:
    """Headers keep their order and their repeats."""
    headers = (("x", b"1"), ("x", b"2"), ("empty", None))
    await poison(counting, 1, b'{"a": 1', headers=headers)
    letter = await the_letter(client)
    shown = (await client.get(f"{PATH}/{letter['id']}")).json()
    assert shown == letter | {
        "headers": [
            {"name": "x", "value": "1"},
            {"name": "x", "value": "2"},
            {"name": "empty", "value": None},
        ],
        "value": '{"a": 1',
    }


async def test_bytes_that_are_no_text_are_shown_as_escaped_text(
    counting: ServiceOnPostgres, client: httpx.AsyncClient
) -> None:
    """Control characters, invalid UTF-8 and changes of direction, in the key, in headers and in the value."""
    evil = b'\x00\x1b[2J\r\n\xff"\\ \xe2\x80\xae\xc3\xa9'
    escaped = r'\x00\x1b[2J\x0d\x0a\xff"\\ \u202e' + "é"
    await poison(counting, 1, evil, key=evil, headers=(("\x1b\u202e", evil),))
    letter = await the_letter(client)
    assert (letter["key"], letter["number"]) == (escaped, None)
    shown = await client.get(f"{PATH}/{letter['id']}")
    assert shown.json()["value"] == escaped
    assert shown.json()["headers"] == [{"name": r"\x1b\u202e", "value": escaped}]
    assert shown.json()["detail"].isprintable()


async def test_a_record_without_key_and_value_is_shown(
    counting: ServiceOnPostgres, client: httpx.AsyncClient
) -> None:
    """Null stays null."""
    await poison(counting, 1, None, key=None, headers=())
    shown = (await client.get(f"{PATH}/{(await the_letter(client))['id']}")).json()
    assert (shown["key"], shown["value"], shown["headers"]) == (None, None, [])


async def test_a_record_with_huge_headers_is_truncated_and_can_only_be_dropped(
    counting: ServiceOnPostgres, client: httpx.AsyncClient
) -> None:
    """409 `truncated`, and `done` for the drop."""
    await poison(counting, 1, headers=tuple((f"h{n}", b"x" * 1_000) for n in range(1_000)))
    letter = await the_letter(client)
    assert letter["truncated"]
    assert len((await client.get(f"{PATH}/{letter['id']}")).json()["headers"]) == 20
    refused = await client.post(f"{PATH}/{letter['id']}/retry")
    assert (refused.status_code, refused.json()["code"]) == (409, "truncated")
    assert (await client.post(f"{PATH}/{letter['id']}/drop")).json()["outcome"] == "done"
    assert await listed(client) == []


async def test_a_message_that_is_parked_completely_is_retried_although_its_letter_is_truncated(
    counting: ServiceOnPostgres, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The headers are too large for the dead letter. The parked message has all of them, and it is what is retried."""
    headers = tuple((f"h{n}", b"x" * 1_000) for n in range(90))
    large = record(added(1, toy.POISONED), "2")
    await counting.stage.records([record(opened(1), "1"), replace(large, headers=(*large.headers, *headers))])
    await counting.advance(RETRIES)
    letter = await the_letter(client)
    assert (letter["reason"], letter["truncated"]) == ("defect", True)
    monkeypatch.setattr(toy, "POISONED", -1)
    assert (await client.post(f"{PATH}/{letter['id']}/retry")).json()["outcome"] == "done"
    await counting.run_due_timers()
    assert await total(counting) == 666


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"reason": "not_json"}, 2),
        ({"reason": "no_such_reason"}, 0),
        ({"topic": "counter.opened"}, 1),
        ({"number": named(2)[1]}, 1),
        ({"number": named(2)[1].removeprefix("+")}, 1),
        ({"number": named(1)[1], "topic": "counter.opened"}, 0),
    ],
)
async def test_the_list_is_filtered(
    counting: ServiceOnPostgres, client: httpx.AsyncClient, query: dict[str, str], found: int
) -> None:
    """By reason, topic and number; a letter satisfies all filters."""
    await poison(counting, 1)
    await poison(counting, 2)
    await poison(counting, 3, b"[]", topic="counter.opened")
    assert len(await listed(client, **query)) == found


async def test_pages_have_every_letter_once_while_others_come_and_go(
    counting: ServiceOnPostgres, client: httpx.AsyncClient
) -> None:
    """In the order of `at` and the id. Letters of one batch have the same `at`."""
    await counting.stage.records([raw(b"%d" % n) for n in range(20)])
    first = [letter["id"] for letter in await listed(client)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await client.get(PATH, params={"limit": 3, **cursor})).json()
        seen += [letter["id"] for letter in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
        await client.post(f"{PATH}/{seen[0]}/drop")
        if len(seen) < 10:
            await poison(counting, 1)
    assert seen[:20] == first
    assert len(seen) == len(set(seen)) == 23
    latest = (await client.get(PATH, params={"sort": "-at", "limit": 1})).json()["items"]
    assert [letter["id"] for letter in latest] == seen[-1:]


async def test_a_page_takes_one_statement(
    counting: ServiceOnPostgres, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits behind each letter is counted by the statement of the page, and its values are not read."""
    await counting.stage.records([raw(b"%d" % n) for n in range(50)])
    statements: list[str] = []
    read = counting.reads.read

    async def logged(statement: Any, caller: Any) -> Any:
        statements.append(compile_statement(statement)[0])
        return await read(statement, caller)

    monkeypatch.setattr(counting.reads, "read", logged)
    assert len(await listed(client)) == 50
    assert len(statements) == 1
    assert "value" not in statements[0]


async def test_a_retried_record_is_decided(
    counting: ServiceOnPostgres, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the defect, the record is decided before those behind it."""
    await give_up_a_defect(counting)
    letter = await the_letter(client)
    monkeypatch.setattr(toy, "POISONED", -1)
    answer = await client.post(f"{PATH}/{letter['id']}/retry")
    assert (answer.status_code, answer.json()) == (200, {"dead_letter": letter["id"], "outcome": "done"})
    await counting.run_due_timers()
    assert await total(counting) == 673
    assert await listed(client) == []


async def test_a_retried_record_that_fails_again_is_a_new_dead_letter(
    counting: ServiceOnPostgres, client: httpx.AsyncClient
) -> None:
    """It has a new id, and the same messages wait behind it."""
    await give_up_a_defect(counting)
    letter = await the_letter(client)
    await client.post(f"{PATH}/{letter['id']}/retry")
    await counting.advance(RETRIES)
    again = await the_letter(client)
    assert again["id"] != letter["id"]
    assert (again["offset"], again["waiting"]) == (letter["offset"], 1)


async def test_a_drop_releases_what_waits_behind(
    counting: ServiceOnPostgres, client: httpx.AsyncClient
) -> None:
    """The record is never decided, those behind it are."""
    await give_up_a_defect(counting, behind=(7, 8))
    letter = await the_letter(client)
    assert (await client.post(f"{PATH}/{letter['id']}/drop")).json()["outcome"] == "done"
    await counting.run_due_timers()
    assert await total(counting) == 15
    assert await counting.count("parked") == 0


async def test_the_same_key_gives_the_first_answer_without_a_second_effect(
    counting: ServiceOnPostgres, client: httpx.AsyncClient
) -> None:
    """Also after the record has failed again. Another body under the key is refused."""
    await poison(counting, 1)
    path = f"{PATH}/{(await the_letter(client))['id']}/retry"
    first = await client.post(path, headers=KEY)
    await counting.run_due_timers()
    again = await the_letter(client)
    second = await client.post(path, headers=KEY)
    assert (second.content, second.headers["Idempotent-Replayed"]) == (first.content, "true")
    assert await the_letter(client) == again
    assert await counting.count("parked") == 0
    batch = f"{PATH}/batch/drop"
    one = await client.post(batch, headers=KEY, json={"dead_letters": [again["id"]]})
    assert one.json()["done"] == 1
    other = await client.post(batch, headers=KEY, json={"dead_letters": [str(uuid4())]})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_second_call_under_a_running_key_is_refused_at_once(
    counting: ServiceOnPostgres, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """409 `idempotency_in_progress`, and the stored answer when the first call has ended."""
    await poison(counting, 1)
    path = f"{PATH}/{(await the_letter(client))['id']}/retry"
    held = Held()
    monkeypatch.setattr(failpoints, "hit", held.hit)
    first = asyncio.create_task(client.post(path, headers=KEY))
    await held.reached.wait()
    second = await asyncio.wait_for(client.post(path, headers=KEY), 5)
    assert (second.status_code, second.json()["code"]) == (409, "idempotency_in_progress")
    held.go.set()
    answer = await first
    assert (await client.post(path, headers=KEY)).content == answer.content


async def test_an_answer_is_stored_with_its_effect_or_not_at_all(
    counting: ServiceOnPostgres, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the process fails before the commit, there is neither. The call under the same key then does its work."""
    await poison(counting, 1)
    path = f"{PATH}/{(await the_letter(client))['id']}/drop"
    with monkeypatch.context() as patched:
        patched.setattr(failpoints, "hit", _fail_at_commit)
        assert (await client.post(path, headers=KEY)).status_code == 500
    assert await counting.count("dead_letters") == 1
    assert await counting.count("idempotency") == await counting.count("handled_letters") == 0
    answer = await client.post(path, headers=KEY)
    assert answer.json()["outcome"] == "done"
    assert "Idempotent-Replayed" not in answer.headers


async def _fail_at_commit(place: str, about: str = "") -> None:
    if place == "stage.commit":
        raise ZeroDivisionError


async def test_the_same_without_a_key_is_unchanged(
    counting: ServiceOnPostgres, client: httpx.AsyncClient
) -> None:
    """A second retry is `unchanged`. A drop after a retry is 409, and an id that never existed is 404."""
    await poison(counting, 1)
    path = f"{PATH}/{(await the_letter(client))['id']}"
    assert [(await client.post(f"{path}/retry")).json()["outcome"] for _ in range(2)] == ["done", "unchanged"]
    late = await client.post(f"{path}/drop")
    assert (late.status_code, late.json()["code"]) == (409, "already_retried")
    for method, unknown in (("GET", ""), ("POST", "/retry"), ("POST", "/drop")):
        answer = await client.request(method, f"{PATH}/{uuid4()}{unknown}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_each_letter_of_a_batch_has_its_own_result(
    counting: ServiceOnPostgres, client: httpx.AsyncClient
) -> None:
    """Done, named twice, cut, dropped before, never existed, not an id: in the order of the request."""
    await poison(counting, 1)
    await poison(counting, 2, b"x" * 1_000_001)
    await poison(counting, 3)
    whole, cut, dropped = [letter["id"] for letter in await listed(client)]
    await client.post(f"{PATH}/{dropped}/drop")
    names = [whole, whole.upper(), cut, dropped, str(uuid4()), "nonsense"]
    answer = (await client.post(f"{PATH}/batch/retry", json={"dead_letters": names})).json()
    assert [result["dead_letter"] for result in answer["results"]] == names
    assert [result["code"] or result["outcome"] for result in answer["results"]] == [
        "done",
        "unchanged",
        "truncated",
        "already_dropped",
        "not_found",
        "not_found",
    ]
    assert (answer["done"], answer["unchanged"], answer["refused"]) == (1, 1, 4)
    again = (await client.post(f"{PATH}/batch/retry", json={"dead_letters": [whole]})).json()
    assert again["unchanged"] == 1


@pytest.mark.parametrize("action", ["retry", "drop"])
async def test_a_thousand_letters_take_as_many_statements_as_one(
    counting: ServiceOnPostgres, client: httpx.AsyncClient, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction of a batch has at most a dozen statements, whatever the number of letters."""
    for start in range(0, MAX_ITEMS + 1, 500):
        await counting.stage.records([raw(b"%d" % n) for n in range(start, min(start + 500, MAX_ITEMS + 1))])
    rows = await counting.fetch("SELECT id FROM dead_letters ORDER BY at, id")
    ids = [str(row[0]) for row in rows]
    counts = []
    for some in (ids[:1], ids[1:]):
        statements: list[str] = []
        monkeypatch.setattr(counting.database, "transaction", _logged(counting, statements))
        body = {"dead_letters": some}
        answer = await client.post(f"{PATH}/batch/{action}", json=body, headers={"Idempotency-Key": some[0]})
        monkeypatch.undo()
        assert answer.json()["done"] == len(some)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 12
    assert await counting.count("dead_letters") == 0
    if action == "retry":
        kept = await counting.fetch("SELECT value FROM parked ORDER BY id")
        assert [row[0] for row in kept] == [b"%d" % n for n in range(MAX_ITEMS + 1)]


def _logged(counting: ServiceOnPostgres, statements: list[str]) -> Any:
    """Return the method that opens a transaction, with the statements of the transaction logged."""
    opened_by = counting.database.transaction

    @asynccontextmanager
    async def transaction() -> Any:
        async with opened_by() as connection:
            with connection.query_logger(lambda query: statements.append(query.query)):
                yield connection

    return transaction


async def test_too_few_and_too_many_are_refused(client: httpx.AsyncClient) -> None:
    """1 to 1,000 ids."""
    for names, code in (([], "too_few"), (["x"] * (MAX_ITEMS + 1), "too_many")):
        answer = await client.post(f"{PATH}/batch/drop", json={"dead_letters": names})
        assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", "?topics=a", None, "unknown_parameter"),
        ("GET", "?number=abc", None, "input_invalid"),
        ("GET", "?reason=", None, "input_invalid"),
        ("GET", "?sort=reason", None, "sort_unknown"),
        ("GET", "/no-id", None, "input_invalid"),
        ("POST", "/batch/retry", {"dead_letters": ["x"], "reason": "y"}, "unknown_field"),
    ],
)
async def test_wrong_input_is_refused(
    client: httpx.AsyncClient, method: str, path: str, body: Any, code: str
) -> None:
    """422 with the code of the conventions."""
    answer = await client.request(method, PATH + path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_only_operators_see_dead_letters(counting: ServiceOnPostgres) -> None:
    """Others get 403 before anything is looked up, also for a letter that exists."""
    await poison(counting, 1)
    letter = await the_letter(counting.client())
    for role in ("master_reseller", "service", "reviewer", "user"):
        client = counting.client(role=role)
        for method, path in (("GET", ""), ("GET", f"/{letter['id']}"), ("POST", f"/{letter['id']}/drop")):
            answer = await client.request(method, PATH + path)
            assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")
    assert await counting.count("dead_letters") == 1


async def test_operators_work_while_the_outbox_is_full(
    counting: ServiceOnPostgres, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A retry writes nothing to the outbox, so it is not refused like a command."""

    def full() -> None:
        raise AssertionError("A command is refused.")

    monkeypatch.setattr(counting.stage, "_check_backlog", full)
    await counting.fetch(
        "INSERT INTO dead_letters (id, at, reason) VALUES (gen_random_uuid(), now(), 'defect')"
    )
    letter = await the_letter(client)
    assert (await client.post(f"{PATH}/{letter['id']}/retry")).json()["outcome"] == "done"
