"""The same details for 1,000 numbers at once: few statements, one evaluation, and each wrong number fails alone."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from didflow_chassis.database import Database
from didflow_contracts.ids import derived_id
from didflow_verification.domain.verifications import submission

MANY = 1_000
REMOVED, FOREIGN, GALWAY = range(100, 107), range(300, 307), range(500, 506)
HOUR = timedelta(hours=1)


def numbers_of(build: Any, prefix: str, count: int) -> list[Any]:
    """Return the messages of so many numbers with a prefix."""
    made = []
    for n in range(count):
        one = type(build)()
        one.did, one.number = derived_id("number", prefix, str(n)), f"{prefix}{n:04}"
        made.append(one)
    return made


@pytest.fixture
def evaluated(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every input that is evaluated from now on."""
    seen: list[Any] = []
    real = submission.evaluate

    def counted(given: Any) -> Any:
        seen.append(given)
        return real(given)

    monkeypatch.setattr(submission, "evaluate", counted)
    return seen


@contextmanager
def counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Collect every statement that is sent to the database in the meantime."""
    statements: list[str] = []
    real = Database.transaction

    @asynccontextmanager
    async def watched(self: Database) -> AsyncIterator[Any]:
        async with real(self) as connection:
            with connection.query_logger(lambda query: statements.append(query.query)):
                yield connection

    with monkeypatch.context() as patched:
        patched.setattr(Database, "transaction", watched)
        yield statements


async def outcomes(running: Any) -> Counter[str]:
    """Count the verifications by status, and by the first reason of the rejected ones."""
    rows = await running.fetch(
        "SELECT concat_ws(' ', status, reasons -> 0 ->> 'code') AS what FROM verifications"
    )
    return Counter(row["what"] for row in rows)


@pytest.mark.parametrize("reviewed", [False, True], ids=["pending", "automatic"])
async def test_a_thousand_numbers_need_as_many_statements_as_one(
    running: Any,
    build: Any,
    rita: Any,
    bakery: Any,
    *,
    evaluated: Any,
    monkeypatch: Any,
    record_property: Any,
    reviewed: bool,
) -> None:
    """There is one evaluation, also if all of them rest on one review."""
    if reviewed:
        await running.receive(build.purchased(), build.assigned(bakery, bakery))
        (first,) = (await rita.get("/v1/verifications")).json()["items"]
        await rita.post(f"/v1/verifications/{first['verification_id']}/approve")
    one, many = numbers_of(build, "+3531960", MANY)[:1], numbers_of(build, "+3531961", MANY)
    await running.receive(*(each.purchased() for each in (*one, *many)))
    costs = []
    for batch in (one, many):
        events = [each.assigned(bakery, bakery, build.zero + HOUR) for each in batch]
        evaluated.clear()
        with counting(monkeypatch) as statements:
            began = time.perf_counter()
            await running.receive(*events)
            took = time.perf_counter() - began
        costs.append((len(statements), len(evaluated)))
        record_property(f"{len(batch)} numbers", f"{len(statements)} statements, {took:.3f} s")
    assert costs[0] == costs[1]
    assert costs[1][1] == 1
    status = "approved" if reviewed else "pending"
    assert (await outcomes(running))[status] == MANY + 1 + reviewed


async def test_twenty_wrong_numbers_among_a_thousand_fail_alone(
    running: Any, build: Any, bakery: Any, evaluated: Any
) -> None:
    """They are removed, of another account, or of another area. Each has its code, and the others are not affected."""
    numbers = numbers_of(build, "+3531960", MANY)
    for n in GALWAY:
        numbers[n].number = f"+3539170{n:04}"
    for n in FOREIGN:
        numbers[n].account = "master/globex"
    await running.receive(*(each.purchased() for each in numbers))
    await running.receive(*(numbers[n].removed() for n in REMOVED))
    evaluated.clear()
    await running.receive(*(each.assigned(bakery, bakery) for each in numbers))
    assert await outcomes(running) == {
        "pending": MANY - 20,
        "rejected not_yours": 7,
        "rejected address_outside_area": 6,
    }
    assert len(evaluated) == 2
    refused = await running.fetch("SELECT decision, count(*) FROM inbox GROUP BY decision")
    assert {row["decision"]: row["count"] for row in refused}["refused:did_ended"] == 7
    assert {registered(n) for n in GALWAY} <= await named(running, "rejected")


def registered(n: int) -> UUID:
    """Return the DID of a number by its position."""
    return derived_id("number", "+3531960", str(n))


async def named(running: Any, state: str) -> set[UUID]:
    """Return the DIDs whose registration is in a state."""
    rows = await running.fetch("SELECT did_id FROM registrations WHERE state = $1", state)
    return {row["did_id"] for row in rows}


async def test_a_second_number_of_the_area_is_approved_within_a_second(
    running: Any, build: Any, rita: Any, bakery: Any, pending_id: str
) -> None:
    """The event names the review that it rests on, and the what-if predicted it."""
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    (second,) = numbers_of(build, "+3531960", 1)
    await running.receive(second.purchased())
    asked = {
        "dids": [second.number],
        "identity_id": bakery.identity_id,
        "address_id": bakery.address_id,
    }
    async with running.as_caller() as ann:
        promised = (await ann.post("/v1/requirements/evaluate", json=asked)).json()
    assert promised["outcome"] == "approved"
    began = time.perf_counter()
    await running.receive(second.assigned(bakery, bakery, build.zero + HOUR))
    event = (await running.outbox())[-1]
    assert time.perf_counter() - began < 1
    assert (event["topic"], event["data"]["automatic"]) == ("verification.approved", True)
    assert event["data"]["rests_on"] == pending_id
