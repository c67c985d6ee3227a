"""H1, H2, H4 to H7: one call has one effect and one answer, on the real stage and PostgreSQL.

H3 (an API that is killed near its commit) needs processes: see `tests/faults/test_f05_lost_answer.py`.
"""

import asyncio
from typing import Any

import httpx
import orjson
import pytest
import toy
from toy_messages import CALLER, command
from toy_records import named

from didflow_chassis import failpoints, timers
from didflow_chassis.http import context
from didflow_chassis.pacing import Pacing

REFUSING = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'too late'; END $$;
CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE ON {table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();
"""


def replayed(answer: httpx.Response) -> bool:
    """Return True if the answer is marked as a replay."""
    return bool(answer.headers.get("Idempotent-Replayed") == "true")


@pytest.mark.parametrize("call", ["add", "add_to_all"])
async def test_a_hundred_calls_at_once_with_one_key_have_one_effect(api: Any, call: str) -> None:
    """H1: two APIs use one database. One call runs. The others get its answer, or 409 with Retry-After."""
    post = getattr(api, call)
    answers = await asyncio.gather(*(post(1, at=n % 2) for n in range(100)))
    assert await api.traces() == (1, 1, 1)
    given = [answer for answer in answers if answer.status_code != 409]
    assert [replayed(answer) for answer in given].count(False) == 1
    assert len({(answer.status_code, answer.content) for answer in given}) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "idempotency_in_progress"
            assert int(answer.headers["Retry-After"]) >= 1
    late = await post(1, at=1)
    assert (late.status_code, late.content, replayed(late)) == (
        given[0].status_code,
        given[0].content,
        True,
    )
    assert await api.traces() == (1, 1, 1)


async def test_the_same_key_is_refused_at_every_api_while_the_first_call_is_running(
    api: Any, held: Any
) -> None:
    """H1: before the commit, each API answers 409. After the commit, each API replays the answer."""
    first = asyncio.create_task(api.add())
    await held.reached.wait()
    for at in (0, 1):
        early = await api.add(at=at)
        assert (early.status_code, early.json()["code"]) == (409, "idempotency_in_progress")
        assert early.headers["Retry-After"] == "1"
    held.go.set()
    done, again = await first, await api.add(at=1)
    assert (done.status_code, again.content, replayed(again)) == (201, done.content, True)
    assert await api.traces() == (1, 1, 1)


async def read_past(*_: object) -> None:
    """Do not find the answer before the transaction, like a call that began before the first commit."""


@pytest.fixture(params=["before the transaction", "inside it"])
def found(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test for both places in which a repeated call is recognized."""
    if request.param == "inside it":
        monkeypatch.setattr(context, "replay", read_past)


@pytest.mark.usefixtures("found")
async def test_another_key_order_replays_and_another_value_is_refused(api: Any) -> None:
    """H2: another value, or a list in another order, is 422 without effect."""
    path, (_, one), (_, two) = "/v1/counters/batch/add", named(1), named(2)
    first = await api.post(path, orjson.dumps({"counters": [one, two], "amount": 3}))
    again = await api.post(
        path, orjson.dumps({"amount": 3, "counters": [one, two]}, option=orjson.OPT_INDENT_2)
    )
    assert (first.status_code, again.content, replayed(again)) == (200, first.content, True)
    for other in ({"counters": [one, two], "amount": 4}, {"counters": [two, one], "amount": 3}):
        refused = await api.post(path, other)
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
        assert not replayed(refused)
    assert await api.traces() == (6, 2, 1)


async def test_another_tenant_with_the_same_key_makes_its_own_call(api: Any) -> None:
    """H4: the same call of another tenant is neither replayed nor refused."""
    mine = await api.add_to_all(1, 3)
    theirs = await api.add_to_all(1, 3, who="master/other")
    assert [item["outcome"] for item in mine.json()["results"]] == ["done", "refused"]
    assert [item["outcome"] for item in theirs.json()["results"]] == ["refused", "done"]
    other_body = await api.add_to_all(1, amount=9, who="master/third")
    assert (other_body.status_code, other_body.json()["refused"], replayed(other_body)) == (200, 1, False)
    assert await api.traces() == (2, 2, 3)


@pytest.mark.usefixtures("found")
async def test_another_path_with_the_same_key_is_another_call(api: Any) -> None:
    """H4: the same body and the same key on another path run again."""
    answers = [await api.add(1), await api.add(2), await api.add_to_all(1)]
    assert [(answer.status_code, replayed(answer)) for answer in answers] == [
        (201, False),
        (201, False),
        (200, False),
    ]
    assert await api.traces() == (3, 3, 3)


async def test_a_stored_answer_is_for_its_account_only(api: Any) -> None:
    """H4: on the same path, a sibling account gets 404, and the parent account makes its own call."""
    mine = await api.add(1, 5)
    sibling, absent = [await api.add(n, 5, who="master/other") for n in (1, 404)]
    for answer in (sibling, absent):
        assert (answer.status_code, answer.json()["code"], replayed(answer)) == (404, "not_found", False)
    assert sibling.content == absent.content
    parent = await api.add(1, 7, who="master")
    assert (mine.json(), parent.json(), replayed(parent)) == ({"total": 5}, {"total": 12}, False)
    assert (await api.add(1, 5)).content == mine.content
    assert await api.traces() == (12, 2, 2)


@pytest.mark.usefixtures("found")
async def test_two_subjects_of_one_account_with_the_same_key_make_two_calls(api: Any) -> None:
    """H4: neither is answered with what the other one was answered, and both changes are published."""
    first = await api.add(1, 5)
    other = await api.add(1, 5, sub="bob")
    third = await api.add(1, 7, sub="eve")
    assert [(one.status_code, one.json(), replayed(one)) for one in (first, other, third)] == [
        (201, {"total": 5}, False),
        (201, {"total": 10}, False),
        (201, {"total": 17}, False),
    ]
    again = await api.add(1, 5, sub="bob")
    assert (again.content, replayed(again)) == (other.content, True)
    assert await api.traces() == (17, 3, 3)
    rows = await api.database.fetch("SELECT convert_from(value, 'utf8')::jsonb ->> 'id' AS id FROM outbox")
    assert len({row["id"] for row in rows}) == len(rows)


async def test_a_running_call_of_one_subject_delays_no_other_subject(api: Any, held: Any) -> None:
    """H4: while a key is in use, another subject of the account can use the same key."""
    first = asyncio.create_task(api.add_to_all(1))
    await held.reached.wait()
    other = await api.add_to_all(2, sub="bob")
    assert (other.status_code, replayed(other)) == (200, False)
    held.go.set()
    assert (await first).status_code == 200
    assert await api.traces() == (2, 2, 2)


async def test_a_running_call_delays_no_other_tenant_and_no_other_path(api: Any, held: Any) -> None:
    """H4: while a key is in use, another tenant, or the same tenant on another path, can use the same key."""
    first = asyncio.create_task(api.add_to_all(1))
    await held.reached.wait()
    others = [await api.add_to_all(3, who="master/other"), await api.add(2)]
    assert [(answer.status_code, replayed(answer)) for answer in others] == [(200, False), (201, False)]
    held.go.set()
    assert (await first).status_code == 200
    assert await api.traces() == (3, 3, 3)


class OneTurn:
    """Measures the queues once. The second call ends the housekeeping, which has then run once."""

    class Over(Exception):
        """Housekeeping has run once."""

    looked = False

    async def measure(self) -> None:
        """Raise Over on the second call."""
        if self.looked:
            raise self.Over
        self.looked = True


async def pass_days(api: Any, days: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the stored answers older and run housekeeping once."""
    await api.database.fetch(
        "UPDATE idempotency SET created_at = created_at - make_interval(days => $1)", days
    )
    monkeypatch.setattr(timers, "HOUSEKEEPING_S", 0)
    watch: Any = OneTurn()
    pacing = Pacing(api.database)
    keeper = timers.Timers(toy.SERVICE, api.stage, api.database, watch, pacing, interval_s=1, days=30)
    with pytest.raises(OneTurn.Over):
        await keeper.housekeeping()


async def test_a_call_is_decided_again_after_its_answer_has_expired(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H5: after 30 days the rules decide again. Here a limit prevents a second effect."""
    await command(api.stage, toy.SetLimit(entity_id="default", subject="", caller=CALLER, most=5))
    first = await api.add(1, 5)
    await pass_days(api, 29, monkeypatch)
    kept = await api.add(1, 5)
    assert (kept.content, replayed(kept)) == (first.content, True)
    await pass_days(api, 2, monkeypatch)
    assert await api.traces() == (5, 1, 0)
    anew = await api.add(1, 5)
    assert (anew.status_code, anew.json()["code"], replayed(anew)) == (409, "over_limit", False)
    assert await api.traces() == (5, 1, 1)


@pytest.mark.usefixtures("found")
@pytest.mark.parametrize(("amount", "status"), [(1, 201), (9, 409)], ids=["done", "refused"])
async def test_a_replay_is_the_first_answer_with_a_mark(api: Any, amount: int, status: int) -> None:
    """H6: status, media type and bytes are those of the first answer, also for a refusal."""
    await command(api.stage, toy.SetLimit(entity_id="default", subject="", caller=CALLER, most=5))
    first = await api.add(1, amount)
    before = await api.traces()
    again = await api.add(1, amount, at=1)
    assert (first.status_code, again.status_code, again.content) == (status, status, first.content)
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert (replayed(first), replayed(again)) == (False, True)
    assert await api.traces() == before


async def test_a_failure_before_the_commit_leaves_nothing_and_the_retry_has_one_effect(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H7: state, outbox and stored answer were written before the failure, and all are rolled back."""
    monkeypatch.setattr(failpoints, "_POINTS", failpoints.parse("stage.commit=raise@1"))
    failed = await api.add()
    assert (failed.status_code, failed.json()["code"]) == (500, "internal_error")
    assert await api.traces() == (0, 0, 0)
    retried = await api.add()
    assert (retried.status_code, retried.json(), replayed(retried)) == (201, {"total": 1}, False)
    assert await api.traces() == (1, 1, 1)
    assert replayed(await api.add())


@pytest.mark.parametrize("table", ["counters", "outbox", "idempotency"])
async def test_a_commit_that_the_database_refuses_leaves_nothing(api: Any, table: str) -> None:
    """H7: if one of the three tables fails the commit, all are rolled back. The answer is 503, and a retry works."""
    await api.database.pool.execute(REFUSING.format(table=table))
    failed = await api.add()
    assert (failed.status_code, failed.json()["code"]) == (503, "unavailable")
    assert int(failed.headers["Retry-After"]) >= 1
    assert await api.traces() == (0, 0, 0)
    await api.database.pool.execute(f"DROP TRIGGER refuse ON {table}")
    retried = await api.add()
    assert (retried.status_code, retried.json(), replayed(retried)) == (201, {"total": 1}, False)
    assert await api.traces() == (1, 1, 1)


async def test_state_outbox_and_answer_become_visible_together(api: Any, held: Any) -> None:
    """H7: before the commit, other connections see none of the three. After the commit they see all."""
    first = asyncio.create_task(api.add())
    await held.reached.wait()
    assert await api.traces() == (0, 0, 0)
    held.go.set()
    await first
    assert await api.traces() == (1, 1, 1)
