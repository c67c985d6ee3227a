"""A voice trunk is replaced on all its DIDs by a job, while others set and delete trunks."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from harness.routing_calls import set_voice

from didflow_chassis.jobs.kinds import Item
from didflow_provisioning.domain.targets.job_kinds import REPLACE_VOICE_TRUNK
from didflow_provisioning.jobs import JOBS

KIND = JOBS[REPLACE_VOICE_TRUNK]
NUMBERS = [f"+3531960{n:04}" for n in range(250)]
LATE = NUMBERS[:5]
"""Numbers of the lowest ids: the first chunk is already past them."""

Act = Callable[[], Awaitable[Any]]


async def start(client: httpx.AsyncClient, former: str, by: str, **more: Any) -> httpx.Response:
    """Start the replacement of a trunk."""
    return await client.post(f"/v1/voice-trunks/{former}/replace", json={"by": by}, **more)


async def on_trunk(provisioning: Any, trunk_id: str) -> set[str]:
    """Return the numbers that deliver their calls to a trunk."""
    statement = "SELECT number FROM routings WHERE voice -> 'delivery' ->> 'id' = $1"
    return {row["number"] for row in await provisioning.fetch(statement, trunk_id)}


async def results(provisioning: Any, job_id: str) -> list[tuple[str, str | None]]:
    """Return outcome and code of each item of a job. Each item has one result."""
    statement = "SELECT item, outcome, code FROM job_results WHERE job_id = $1 ORDER BY n"
    rows = await provisioning.fetch(statement, UUID(job_id))
    assert len({row["item"] for row in rows}) == len(rows)
    return [(row["outcome"], row["code"]) for row in rows]


async def job_of(provisioning: Any, job_id: str) -> tuple[str, int, int, int]:
    """Return the state of a job and its numbers of all, done and refused items."""
    statement = "SELECT state, total, done, refused FROM jobs WHERE job_id = $1"
    ((state, total, done, refused),) = await provisioning.fetch(statement, UUID(job_id))
    return state, total, done, refused


@pytest.fixture
async def numbers(provisioning: Any, messages: Any) -> Any:
    """Provisioning with 250 DIDs: the items of three chunks. The order of their ids is that of the numbers."""
    ids = (UUID(int=n) for n in count(1))
    await provisioning.receive(*(messages.purchased(next(ids), number=number) for number in NUMBERS))
    return provisioning


@pytest.fixture
def after_page(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Act], None]:
    """Lets something happen when the n-th page of the job was read and is not decided yet."""

    def add(number: int, act: Act) -> None:
        pages: list[Sequence[Item]] = []

        async def page(tools: Any, after: str | None, limit: int) -> Sequence[Item]:
            pages.append(await KIND.page(tools, after, limit))
            if len(pages) == number:
                await act()
            return pages[-1]

        monkeypatch.setitem(JOBS, REPLACE_VOICE_TRUNK, replace(KIND, page=page))

    return add


async def test_a_replacement_moves_every_did_of_the_trunk(numbers: Any, create_trunk: Any) -> None:
    """Other DIDs keep their trunk. The events name the caller and the job, and the old trunk can be deleted."""
    client = numbers.client()
    former, other, third = [await create_trunk(client) for _ in range(3)]
    await set_voice(client, NUMBERS[10:], former)
    await set_voice(client, NUMBERS[:10], third)
    before = len(await numbers.published("routing.changed"))
    answer = await start(client, former, other)
    job_id = answer.json()["job_id"]
    assert (answer.status_code, answer.headers["Location"]) == (202, f"/v1/provisioning/jobs/{job_id}")
    assert (answer.json()["kind"], answer.json()["state"]) == ("replace_voice_trunk", "queued")
    await numbers.run_jobs()
    assert await job_of(numbers, job_id) == ("done", 240, 240, 0)
    assert await results(numbers, job_id) == [("done", None)] * 240
    assert await on_trunk(numbers, other) == set(NUMBERS[10:])
    assert await on_trunk(numbers, third) == set(NUMBERS[:10])
    events = (await numbers.published("routing.changed"))[before:]
    assert len(events) == 240
    assert {(event.actor, event.causationid) for event in events} == {("user:ann", job_id)}
    assert (await client.delete(f"/v1/voice-trunks/{former}")).status_code == 204


async def test_a_replacement_moves_the_dids_that_take_the_trunk_meanwhile(
    numbers: Any, create_trunk: Any, after_page: Any
) -> None:
    """They take it after the job has passed their ids. The job ends when no undecided DID is on the trunk."""
    client = numbers.client()
    former, other = [await create_trunk(client) for _ in range(2)]
    await set_voice(client, NUMBERS[5:], former)
    after_page(2, lambda: set_voice(client, LATE, former))
    job_id = (await start(client, former, other)).json()["job_id"]
    await numbers.run_jobs()
    assert await job_of(numbers, job_id) == ("done", 250, 250, 0)
    assert await on_trunk(numbers, former) == set()


async def test_a_did_that_is_set_back_on_the_trunk_keeps_it(
    numbers: Any, create_trunk: Any, after_page: Any
) -> None:
    """The job has moved it once and does not decide about it again. So it ends, whatever others do meanwhile."""
    client = numbers.client()
    former, other = [await create_trunk(client) for _ in range(2)]
    await set_voice(client, NUMBERS, former)
    after_page(2, lambda: set_voice(client, LATE, former))
    job_id = (await start(client, former, other)).json()["job_id"]
    await numbers.run_jobs()
    assert await job_of(numbers, job_id) == ("done", 250, 250, 0)
    assert await on_trunk(numbers, former) == set(LATE)
    refused = await client.delete(f"/v1/voice-trunks/{former}")
    assert refused.json()["detail"].startswith("5 live DIDs use this voice trunk.")


async def test_a_did_that_was_changed_meanwhile_keeps_what_it_was_changed_to(
    numbers: Any, create_trunk: Any, after_page: Any
) -> None:
    """It was read as an item and then got a third trunk. Its result is `unchanged`."""
    client = numbers.client()
    former, other, third = [await create_trunk(client) for _ in range(3)]
    await set_voice(client, NUMBERS, former)
    after_page(1, lambda: set_voice(client, LATE, third))
    job_id = (await start(client, former, other)).json()["job_id"]
    await numbers.run_jobs()
    assert Counter(await results(numbers, job_id)) == {("done", None): 245, ("unchanged", None): 5}
    assert await on_trunk(numbers, third) == set(LATE)


async def test_the_dids_are_refused_one_by_one_if_the_other_trunk_is_deleted(
    numbers: Any, create_trunk: Any, after_page: Any
) -> None:
    """They keep the trunk that they have. The job ends, and each result has the code."""
    client = numbers.client()
    former, other = [await create_trunk(client) for _ in range(2)]
    await set_voice(client, NUMBERS, former)
    after_page(1, lambda: client.delete(f"/v1/voice-trunks/{other}"))
    job_id = (await start(client, former, other)).json()["job_id"]
    await numbers.run_jobs()
    assert await job_of(numbers, job_id) == ("done", 250, 0, 250)
    assert await results(numbers, job_id) == [("refused", "voice_trunk_not_found")] * 250
    assert await on_trunk(numbers, former) == set(NUMBERS)


async def test_two_replacements_in_opposite_directions_end(numbers: Any, create_trunk: Any) -> None:
    """Each job decides each number once, so they do not move the DIDs to and fro for ever."""
    client = numbers.client()
    one, two = [await create_trunk(client) for _ in range(2)]
    await set_voice(client, NUMBERS[:125], one)
    await set_voice(client, NUMBERS[125:], two)
    started = [(await start(client, *pair)).json()["job_id"] for pair in ((one, two), (two, one))]
    await asyncio.gather(*(numbers.run_jobs() for _ in range(2)))
    for job_id in started:
        state, total, done, refused = await job_of(numbers, job_id)
        assert (state, done, refused) == ("done", total, 0)
        assert len(await results(numbers, job_id)) == total
    assert await on_trunk(numbers, one) | await on_trunk(numbers, two) == set(NUMBERS)


async def test_a_repeat_under_the_key_starts_no_second_job(provisioning: Any, create_trunk: Any) -> None:
    """The same body and the same location are returned again."""
    client = provisioning.client()
    former, other = [await create_trunk(client) for _ in range(2)]
    first = await start(client, former, other, headers={"Idempotency-Key": "k"})
    again = await start(client, former, other, headers={"Idempotency-Key": "k"})
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert await provisioning.count("jobs") == 1


async def test_a_replacement_of_trunks_that_the_caller_does_not_reach_is_not_found(
    provisioning: Any, create_trunk: Any
) -> None:
    """Unknown and foreign trunks are 404, as the trunk or as the other one. The caller may be served from above."""
    client, below = provisioning.client(), provisioning.client("master/acme/shop")
    own, foreign = await create_trunk(client), await create_trunk(provisioning.client("master/other"))
    of_shop = await create_trunk(below)
    for former in (foreign, str(uuid4())):
        answer = await start(client, former, own)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    for by in (foreign, str(uuid4())):
        answer = await start(client, own, by)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (404, "by")
    assert (await start(below, own, of_shop)).status_code == 404
    assert (await start(below, of_shop, own)).status_code == 202
    itself = await start(client, own, own)
    assert (itself.status_code, itself.json()["code"]) == (409, "same_target")
    assert await provisioning.count("jobs") == 1
