"""A defect of ours over HTTP: only the item that it concerns fails, and the log has the reference of the answer."""

import logging
from typing import Any

import httpx
import orjson
import pytest
import toy
from toy_records import named

from didflow_contracts.ids import derived_id

MAX_INTEGER = 2**31 - 1


def results(answer: httpx.Response) -> list[tuple[str, str | None]]:
    return [(each["outcome"], each["code"]) for each in answer.json()["results"]]


def logged_references(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.reference for record in caplog.records if hasattr(record, "reference")]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every decision about counter 1 raises."""
    decide = toy._add

    def add(counter: toy.Counter | None, amount: int, limit: toy.Limit | None) -> toy.Decision:
        if counter is not None and counter.number == named(1)[1]:
            raise ZeroDivisionError("broken")
        return decide(counter, amount, limit)

    monkeypatch.setattr(toy, "_add", add)


@pytest.mark.usefixtures("broken")
async def test_one_decision_that_raises_does_not_fail_its_batch(
    api: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Its item is refused as `internal_error`; the others are done. A replay returns the stored answer."""
    with caplog.at_level(logging.ERROR):
        answer = await api.add_to_all(1, 2, 404)
    assert answer.status_code == 200
    assert results(answer) == [("refused", "internal_error"), ("done", None), ("refused", "not_found")]
    assert logged_references(caplog) == [answer.json()["results"][0]["reference"]]
    assert await api.traces() == (1, 1, 1)
    again = await api.add_to_all(1, 2, 404)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (answer.content, "true")
    assert await api.traces() == (1, 1, 1)


async def test_one_row_that_the_database_refuses_does_not_fail_its_batch(
    api: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The item of that row is refused as `internal_error`; effects and stored answer of the others are together."""
    await api.database.fetch("UPDATE counters SET total = $1 WHERE did_id = $2", MAX_INTEGER, named(1)[0])
    with caplog.at_level(logging.ERROR):
        answer = await api.add_to_all(1, 2)
    assert results(answer) == [("refused", "internal_error"), ("done", None)]
    assert logged_references(caplog) == [answer.json()["results"][0]["reference"]]
    assert await api.traces() == (MAX_INTEGER + 1, 1, 1)
    again = await api.add_to_all(1, 2)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (answer.content, "true")


async def test_events_of_a_split_batch_have_the_ids_of_an_undivided_one(api: Any) -> None:
    """The id follows from the key, so a retry after a lost answer publishes the same event."""
    await api.database.fetch("UPDATE counters SET total = $1 WHERE did_id = $2", MAX_INTEGER, named(1)[0])
    await api.add_to_all(1, 2)
    rows = await api.database.fetch("SELECT value FROM outbox ORDER BY id DESC LIMIT 1")
    event = orjson.loads(rows[0]["value"])
    did_id = str(named(2)[0])
    assert event["data"]["did_id"] == did_id
    expected = derived_id("master/acme", "ann", "POST /v1/counters/batch/add", "k", event["type"], did_id)
    assert event["id"] == str(expected)


@pytest.mark.usefixtures("broken")
async def test_a_batch_of_one_item_whose_decision_raises_answers_like_any_batch(api: Any) -> None:
    """The answer is 200 with one refused item, and it is stored."""
    answer = await api.add_to_all(1)
    assert (answer.status_code, results(answer)) == (200, [("refused", "internal_error")])
    assert await api.traces() == (0, 0, 1)


async def test_a_single_call_whose_decision_raises_stores_nothing(
    api: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It answers 500 `internal_error` with the reference of the log. A retry under the same key runs again."""
    with monkeypatch.context() as defect:
        defect.setattr(toy, "POISONED", 7)
        with caplog.at_level(logging.ERROR):
            failed = await api.add(1, 7)
    assert (failed.status_code, failed.json()["code"]) == (500, "internal_error")
    reference = failed.json()["reference"]
    assert reference
    assert reference in caplog.text
    assert await api.traces() == (0, 0, 0)
    retried = await api.add(1, 7)
    assert (retried.status_code, retried.json()) == (201, {"total": 7})
    assert await api.traces() == (7, 1, 1)
