"""An approval covers the account's other pending attempts on the same details: they are approved by a job."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from harness.statements import statements_of

from didflow_chassis import failpoints
from didflow_verification.domain.axes.verification import verification_id
from didflow_verification.store import REGISTRATIONS, VERIFICATIONS

HOUR = timedelta(hours=1)
DUBLIN, GALWAY = "+3531960", "+3539170"
REASONS = {"reasons": [{"code": "mismatch"}]}


def numbers(build: Any, count: int, prefix: str = DUBLIN, account: str = "master/acme") -> list[Any]:
    """Return the messages of so many numbers."""
    made = []
    for n in range(count):
        one = type(build)()
        one.did, one.number, one.account = uuid4(), f"{prefix}{n:04}", account
        made.append(one)
    return made


async def submitted(running: Any, ones: list[Any], identity: Any, address: Any, **changes: Any) -> None:
    """Purchase the numbers, and assign the same details to all of them."""
    await running.receive(*(one.purchased() for one in ones))
    at = ones[0].zero + HOUR
    await running.receive(*(one.assigned(identity, address, at, **changes) for one in ones))


async def attempt(running: Any, one: Any) -> Any:
    """Return the first verification of a number."""
    return await running.stored(VERIFICATIONS, verification_id(one.did, 1))


async def statuses(running: Any, ones: list[Any]) -> list[str]:
    """Return the statuses of the first verifications of these numbers."""
    return [(await attempt(running, one)).status for one in ones]


async def test_one_approval_settles_the_other_pending_attempts_on_the_same_details(
    running: Any, build: Any, rita: Any, bakery: Any, pending_id: str
) -> None:
    """They are approved automatically and say what they rest on. Each publishes its event once."""
    others = numbers(build, 5)
    await submitted(running, others, bakery, bakery)
    before = len(await running.outbox())
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    await running.run_jobs()
    assert await statuses(running, others) == ["approved"] * 5
    for one in others:
        found = await attempt(running, one)
        assert (found.automatic, found.rests_on, found.decided_by) == (True, UUID(pending_id), None)
        registration = await running.stored(REGISTRATIONS, one.did)
        assert (registration.state, registration.open) == ("approved", False)
        assert registration.approved == registration.assigned
        assert (registration.approved.automatic, registration.approved.rests_on) == (True, UUID(pending_id))
    events = (await running.outbox())[before:]
    assert [event["topic"] for event in events] == ["verification.approved"] * 6
    assert {event["data"]["did_id"] for event in events} == {str(one.did) for one in (build, *others)}
    assert [event["data"]["rests_on"] for event in events] == [None, *[pending_id] * 5]
    assert await running.count("jobs", "kind = 'approve_covered' AND state = 'done' AND refused = 0") == 1


async def test_what_an_approval_does_not_cover_stays_pending(
    running: Any, ann: Any, build: Any, rita: Any, *, bakery: Any, pending_id: str
) -> None:
    """Another area, another account below, another address, and another document of a row that asks for documents."""
    shop = numbers(build, 1, "+3531961", "master/acme/shop")
    place = {"street": "8 Hidden Lane", "city": "Dublin", "country": "IE", "identity_id": bakery.identity_id}
    second = (await ann.post("/v1/addresses", json=place)).json()["address_id"]
    moved = numbers(build, 1, "+3531962")
    galway = numbers(build, 1, GALWAY)
    await submitted(running, shop, bakery, bakery)
    await submitted(running, moved, bakery, type(bakery)(bakery.identity_id, second))
    same = numbers(build, 1)
    await submitted(running, [*same, *galway], bakery, bakery)
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    await running.run_jobs()
    assert await statuses(running, [*same, *shop, *moved, *galway]) == [
        "approved",
        "pending",
        "pending",
        "rejected",
    ]


async def test_an_approval_of_an_only_attempt_starts_no_job(
    running: Any, build: Any, rita: Any, bakery: Any, pending_id: str
) -> None:
    """Neither does one beside attempts on other details, nor a rejection."""
    other = numbers(build, 1, "+3531961", "master/acme/shop")
    await submitted(running, other, bakery, bakery)
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    rejected = verification_id(other[0].did, 1)
    await rita.post(f"/v1/verifications/{rejected}/reject", json=REASONS)
    assert await running.count("jobs") == 0


async def test_a_rejection_settles_only_what_it_names(
    running: Any, build: Any, rita: Any, bakery: Any, pending_id: str
) -> None:
    """The others wait for a reviewer."""
    others = numbers(build, 2)
    await submitted(running, others, bakery, bakery)
    await rita.post(f"/v1/verifications/{pending_id}/reject", json=REASONS)
    await running.run_jobs()
    assert await statuses(running, others) == ["pending"] * 2


async def test_an_attempt_that_a_colleague_has_claimed_is_settled_too(
    running: Any, build: Any, rita: Any, bakery: Any, pending_id: str
) -> None:
    """A claim is not a decision. The colleague's approval is then unchanged, the rejection a conflict."""
    others = numbers(build, 2)
    await submitted(running, others, bakery, bakery)
    paths = [f"/v1/verifications/{verification_id(one.did, 1)}" for one in others]
    async with running.as_caller("rob", "master", "reviewer") as rob:
        for path in paths:
            await rob.post(f"{path}/claim")
        await rita.post(f"/v1/verifications/{pending_id}/approve")
        await running.run_jobs()
        found = await attempt(running, others[0])
        assert (found.status, found.claimed_by, found.claimed_until) == ("approved", None, None)
        assert (await rob.post(f"{paths[0]}/approve")).status_code == 200
        late = await rob.post(f"{paths[1]}/reject", json=REASONS)
        assert (late.status_code, late.json()["code"]) == (409, "already_decided")


async def test_nobody_settles_what_they_submitted_by_approving_the_same_details_of_another(
    running: Any, build: Any, rita: Any, bakery: Any, pending_id: str
) -> None:
    """The reviewer submitted the second number. It waits for a colleague, whose approval of a third settles it."""
    own, third = numbers(build, 2)
    await submitted(running, [own, third], bakery, bakery)
    await running.fetch("UPDATE verifications SET submitted_by = 'user:rita' WHERE did_id = $1", own.did)
    version = "UPDATE verifications SET requirement_version = $1 WHERE did_id = $2"
    await running.fetch(version, 7, third.did)  # not covered by the first approval
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    await running.run_jobs()
    assert await statuses(running, [own, third]) == ["pending", "pending"]
    (result,) = await running.fetch("SELECT item, code FROM job_results WHERE outcome = 'refused'")
    assert tuple(result) == (own.number, "own_submission")
    await running.fetch(version, 1, third.did)
    async with running.as_caller("rob", "master", "reviewer") as rob:
        await rob.post(f"/v1/verifications/{verification_id(third.did, 1)}/approve")
    await running.run_jobs()
    assert await statuses(running, [own, third]) == ["approved", "approved"]


async def test_nothing_is_settled_by_an_approval_that_was_revoked_before_its_job(
    running: Any, build: Any, rita: Any, bakery: Any, pending_id: str
) -> None:
    """The others stay pending, so a person looks at them."""
    others = numbers(build, 3)
    await submitted(running, others, bakery, bakery)
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    await rita.post(f"/v1/verifications/{pending_id}/revoke", json={})
    await running.run_jobs()
    assert await statuses(running, others) == ["pending"] * 3


async def test_no_attempt_that_is_judged_at_the_time_of_the_approval_is_missed(
    running: Any, build: Any, rita: Any, bakery: Any, pending_id: str
) -> None:
    """Forty assignments and the approval run at the same time: each sees the approval, or the job finds it."""
    others = numbers(build, 40)
    await running.receive(*(one.purchased() for one in others))
    assigned = [running.receive(one.assigned(bakery, bakery, build.zero + HOUR)) for one in others]
    approval = rita.post(f"/v1/verifications/{pending_id}/approve")
    await asyncio.gather(*assigned[:20], approval, *assigned[20:])
    await running.run_jobs()
    assert await statuses(running, others) == ["approved"] * 40
    rests = await running.count("verifications", f"rests_on = '{pending_id}'")
    assert rests == 40


@pytest.mark.parametrize("first", ["kafka", "http"], ids=["assignment", "approval"])
async def test_an_approval_and_an_assignment_of_the_same_details_wait_for_each_other(
    running: Any, build: Any, rita: Any, bakery: Any, *, pending_id: str, monkeypatch: Any, first: str
) -> None:
    """One is judged and stopped before its commit. The other waits for it, and the number is approved either way."""
    (other,) = numbers(build, 1)
    await running.receive(other.purchased())
    stopped, goes_on = asyncio.Event(), asyncio.Event()

    async def hit(place: str, about: str = "") -> None:
        if (place, about) == ("stage.commit", first):
            stopped.set()
            await goes_on.wait()

    monkeypatch.setattr(failpoints, "hit", hit)
    assignment = running.receive(other.assigned(bakery, bakery, build.zero + HOUR))
    approval = rita.post(f"/v1/verifications/{pending_id}/approve")
    begun, waiting = (assignment, approval) if first == "kafka" else (approval, assignment)
    tasks = [asyncio.ensure_future(begun)]
    await stopped.wait()
    tasks.append(asyncio.ensure_future(waiting))
    await asyncio.wait(tasks, timeout=0.3)
    assert [task.done() for task in tasks] == [False, False]
    goes_on.set()
    await asyncio.gather(*tasks)
    await running.run_jobs()
    assert await statuses(running, [other]) == ["approved"]
    assert await running.count("jobs") == (1 if first == "kafka" else 0)


async def test_removed_handed_over_and_newer_attempts_are_left_alone_by_the_job(
    running: Any, ann: Any, build: Any, rita: Any, *, bakery: Any, pending_id: str
) -> None:
    """They change between the approval and its job. Only what is still the same is approved."""
    others = numbers(build, 4)
    await submitted(running, others, bakery, bakery)
    removed, handed_over, newer, _ = others
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    body = {"type": "business", "company_name": "Other Ltd"}
    identity = (await ann.post("/v1/identities", json=body)).json()["identity_id"]
    place = {"street": "1 Quay Street", "city": "Dublin", "country": "IE", "identity_id": identity}
    address = (await ann.post("/v1/addresses", json=place)).json()["address_id"]
    await running.receive(
        removed.removed(),
        handed_over.did_changed("master/globex", build.zero + 2 * HOUR),
        newer.assigned(
            type(bakery)(identity, address), type(bakery)(identity, address), build.zero + 2 * HOUR
        ),
    )
    await running.run_jobs()
    assert await statuses(running, others) == ["withdrawn", "withdrawn", "superseded", "approved"]
    assert (await running.stored(REGISTRATIONS, newer.did)).open


async def test_the_statements_of_a_chunk_of_settled_attempts_do_not_grow(
    running: Any, build: Any, rita: Any, bakery: Any, pending_id: str
) -> None:
    """20 or 100 attempts: each table is read and written by one statement."""
    counts = []
    await submitted(running, numbers(build, 220), bakery, bakery)
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    for _ in range(3):
        async with statements_of(running.database) as statements:
            await running.run_job_chunk()
        counts.append(len(statements))
    assert await running.count("verifications", "status = 'approved' AND automatic") == 220
    assert counts[1] == counts[2] <= 21, counts


@pytest.mark.parametrize("table", ["outbox", "jobs", "job_results"])
async def test_the_job_of_an_approval_carries_ids_only(
    running: Any, build: Any, rita: Any, bakery: Any, *, pending_id: str, table: str
) -> None:
    """Neither the job nor its results nor the events have personal data."""
    await submitted(running, numbers(build, 2), bakery, bakery)
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    await running.run_jobs()
    rows = await running.fetch(f"SELECT t::text AS all FROM {table} t")
    assert rows
    plain = " ".join(row["all"] for row in rows)
    for secret in ("Secretive", "2813105O", "Hidden Lane"):
        assert secret not in plain
        assert secret.encode().hex() not in plain
