"""Jobs that spread a change: no DID is missed, none is overwritten, and none is decided by what was in force before."""

import asyncio
from dataclasses import replace as replace_dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from harness.statements import statements_of
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Decided
from didflow_chassis.states import Stored
from didflow_contracts.ids import uuid7
from didflow_verification.catalogue.load_plan import current_rules
from didflow_verification.domain.commands import LoadRules
from didflow_verification.store import REGISTRATIONS

MANY = 1_000
DAY = timedelta(days=1)
TOMORROW = datetime(2026, 11, 21, tzinfo=UTC)
OPERATOR = Caller(subject="op", account="", role="operator")
ITEMS = "SELECT total, done, refused FROM jobs ORDER BY created_at, job_id"


def named(build: Any, registration: Any) -> Any:
    """Return the messages about the DID of a registration."""
    one = type(build)()
    one.did, one.number = registration.did_id, registration.number
    return one


async def copied(running: Any, registration: Any, many: int) -> list[Any]:
    """Store copies of a registration with other ids and numbers. Return all of them in the order of their ids."""
    ids = sorted(uuid4() for _ in range(many - 1))
    copies = [replace(registration, did_id=key, number=f"+3531961{n:04}") for n, key in enumerate(ids)]
    rows = [Stored(copy, 1, 0, str(copy.did_id)) for copy in copies]
    await running.fetch(REGISTRATIONS.save_sql, *REGISTRATIONS.to_columns(rows))
    return sorted([registration, *copies], key=lambda one: one.did_id)


@pytest.fixture
async def approved(running: Any, build: Any, rita: Any, bakery: Any, pending_id: str) -> Any:
    """The registration of a number that a reviewer approved."""
    assert bakery.identity_id
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    return await running.stored(REGISTRATIONS, build.did)


async def load(running: Any, version_from: date) -> None:
    """Load rules for Ireland whose second version begins on this day and asks for a new verification."""
    ireland = (await current_rules(running.database))["IE"]
    first, grace = ireland.requirements[0], version_from + 20 * DAY
    second = replace_dataclass(
        first, version=2, effective_from=version_from, reverify=True, grace_until=grace
    )
    rules = replace_dataclass(ireland, requirements=(first, second))
    command = LoadRules(entity_id="IE", subject="", caller=OPERATOR, change_id=uuid7(), rules=rules)
    assert isinstance(await running.run(command), Decided)


async def stored(running: Any) -> dict[UUID, Any]:
    """Return all registrations by the id of their DID."""
    return {key: state for (_, key), state in (await running.all_states()).items() if hasattr(state, "lapse")}


async def test_a_catalogue_change_reaches_a_thousand_dids_and_overwrites_no_decision_between_its_chunks(
    running: Any, ann: Any, build: Any, bakery: Any, approved: Any
) -> None:
    """After three chunks, DIDs that were reached and DIDs that were not are removed, handed over and assigned again."""
    dids = await copied(running, approved, MANY)
    await load(running, TOMORROW.date())
    for _ in range(3):
        await running.run_job_chunk()
    assert await running.count("registrations", "lapse IS NOT NULL") == 300
    removed, handed_over, reassigned = ([named(build, dids[n]) for n in (k, -k)] for k in (10, 20, 30))
    await running.receive(*(one.removed() for one in removed))
    await running.receive(*(one.did_changed("master/globex", build.zero + DAY / 24) for one in handed_over))
    await ann.patch(f"/v1/addresses/{bakery.address_id}", json={"street": "8 Hidden Lane"})
    await running.receive(*(one.assigned(bakery, bakery, build.zero) for one in reassigned))
    ended = await running.stored(REGISTRATIONS, removed[1].did)
    await running.run_jobs()
    found = await stored(running)
    assert found[ended.did_id] == ended
    assert {found[one.did].state for one in handed_over} == {"awaiting"}
    assert all(found[one.did].open for one in reassigned)
    changed = {one.did for one in (*removed, *handed_over)}
    assert {one.lapse.at for one in found.values() if one.did_id not in changed} == {TOMORROW}
    assert {found[key].lapse for key in changed} == {None}
    assert len(found) == MANY


async def test_the_last_of_two_catalogue_changes_is_in_force_everywhere(running: Any, approved: Any) -> None:
    """The second is loaded while the first is spread. One more recheck finds nothing to do."""
    await copied(running, approved, MANY)
    await load(running, TOMORROW.date())
    for _ in range(3):
        await running.run_job_chunk()
    await load(running, (TOMORROW + 9 * DAY).date())
    await running.run_jobs()
    await running.run_due_timers()
    found = await stored(running)
    assert {(one.lapse.at, one.lapse.warned) for one in found.values()} == {(TOMORROW + 9 * DAY, True)}
    assert [tuple(row) for row in await running.fetch(ITEMS)] == [(MANY, MANY, 0)] * 2
    before = await running.count("job_results")
    ireland = (await current_rules(running.database))["IE"]
    rules = replace_dataclass(ireland, places={**ireland.places, "+353999": ("Dublin",)})
    await running.run(LoadRules(entity_id="IE", subject="", caller=OPERATOR, change_id=uuid7(), rules=rules))
    await running.run_jobs()
    assert await running.count("job_results") == before
    assert await stored(running) == found


async def test_the_last_of_two_changes_of_an_identity_is_judged_everywhere(
    running: Any, ann: Any, build: Any, bakery: Any, approved: Any
) -> None:
    """Another person changes it while the first change is spread. Nobody is judged twice by the same revision."""
    dids = await copied(running, approved, MANY)
    path = f"/v1/identities/{bakery.identity_id}"
    await ann.patch(path, json={"company_name": "Second Ltd"})
    for _ in range(3):
        await running.run_job_chunk()
    removed = [named(build, dids[n]) for n in (10, -10)]
    await running.receive(*(one.removed() for one in removed))
    async with running.as_caller("cat") as cat:
        await cat.patch(path, json={"company_name": "Third Ltd"})
    await running.run_jobs()
    live = "ended IS NULL AND open AND state = 'approved' AND (approved ->> 'identity_revision')::int = 1"
    assert await running.count("registrations", live) == MANY - 2
    rows = await running.fetch(
        "SELECT status, identity_revision, submitted_by, count(*) FROM verifications WHERE attempt > 1 "
        "GROUP BY 1, 2, 3 ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [
        ("pending", 3, "user:cat", MANY - 2),
        ("superseded", 2, "user:ann", 299),
        ("withdrawn", 2, "user:ann", 1),
    ]


async def test_live_changes_and_jobs_at_the_same_time_leave_every_did_up_to_date(
    running: Any, ann: Any, build: Any, bakery: Any, approved: Any
) -> None:
    """Two runners spread changes while DIDs are assigned, handed over and removed, and details change again."""
    dids = [named(build, one) for one in await copied(running, approved, 150)]
    path = f"/v1/identities/{bakery.identity_id}"
    other, place = {"type": "business", "company_name": "Other Ltd"}, {"city": "Dublin", "country": "IE"}
    for round_ in range(3):
        await ann.patch(path, json={"company_name": f"Round {round_} Ltd"})
        one = (await ann.post("/v1/identities", json=other)).json()["identity_id"]
        its_place = place | {"street": "1 Quay Street", "identity_id": one}
        taken = type(bakery)(one, (await ann.post("/v1/addresses", json=its_place)).json()["address_id"])
        some = dids[round_ * 40 : round_ * 40 + 30]
        at = build.zero + timedelta(minutes=round_ + 1)
        await asyncio.gather(
            running.run_jobs(),
            running.run_jobs(),
            running.receive(*(one.assigned(taken, taken, at) for one in some[:10])),
            running.receive(*(one.did_changed("master/globex", at) for one in some[10:20])),
            running.receive(*(one.removed(at) for one in some[20:])),
            ann.patch(f"/v1/addresses/{bakery.address_id}", json={"street": f"{round_ + 8} Hidden Lane"}),
        )
    await running.run_jobs()
    assert await running.count("jobs", "state = 'done' AND refused = 0") == 6
    live = "ended IS NULL AND assigned IS NOT NULL"
    ours = f"{live} AND assigned ->> 'identity_id' = '{bakery.identity_id}'"
    newest = "(assigned ->> 'identity_revision')::int = 4 AND (assigned ->> 'address_revision')::int = 4"
    assert await running.count("registrations", f"{ours} AND NOT ({newest})") == 0
    assert await running.count("registrations", ours) == 150 - 3 * 30
    assert await running.count("registrations", f"{live} AND open") == 150 - 3 * 20
    pending = "EXISTS (SELECT FROM verifications v WHERE v.did_id = r.did_id AND status = 'pending')"
    assert await running.count("registrations r", f"open <> {pending}") == 0


async def test_a_did_that_waits_for_an_operator_is_not_left_out(
    running: Any, ann: Any, build: Any, bakery: Any, approved: Any
) -> None:
    """An earlier message about it has failed. Its details are judged again, and the message stays where it is."""
    await running.fetch(
        "INSERT INTO parked (entity, subject, model, reason, attempts, since, inbox_id) "
        "VALUES ($1, $2, 'Registration', 'dead', 4, now(), '')",
        str(build.did),
        build.number,
    )
    await ann.patch(f"/v1/identities/{bakery.identity_id}", json={"company_name": "Second Ltd"})
    await running.run_jobs()
    assert (await running.stored(REGISTRATIONS, build.did)).open
    assert (await running.count("parked"), approved.open) == (1, False)


async def test_whoever_may_make_a_change_sees_how_it_is_spread(
    running: Any, ann: Any, rita: Any, *, bakery: Any, pending_id: str, approved: Any
) -> None:
    """Managers see changes of details, reviewers revocations: in their accounts. Operators see all, loads too."""
    await ann.patch(f"/v1/identities/{bakery.identity_id}", json={"company_name": "Second Ltd"})
    await rita.post(f"/v1/verifications/{pending_id}/revoke", json={})
    await load(running, TOMORROW.date())
    await running.run_jobs()
    seen = {}
    for subject, account, role in (
        ("ann", "master/acme", "reseller"),
        ("eve", "master/globex", "reseller"),
        ("rita", "master", "reviewer"),
        ("ivy", "master/acme", "reviewer"),
        ("op", "master", "operator"),
    ):
        async with running.as_caller(subject, account, role) as client:
            items = (await client.get("/v1/verification/jobs")).json()["items"]
            seen[subject] = [(item["kind"], item["created_by"], item["state"]) for item in items]
    reassessed, rechecked = ("reassess_dids", "user:ann", "done"), ("recheck_dids", "user:op", "done")
    revoked = ("revoke_resting", "user:rita", "done")
    assert seen == {
        "ann": [reassessed],
        "eve": [],
        "rita": [revoked],
        "ivy": [],
        "op": [rechecked, revoked, reassessed],
    }
    assert approved


async def test_nobody_but_an_operator_keeps_changed_details_from_being_judged_again(
    running: Any, ann: Any, build: Any, bakery: Any, approved: Any
) -> None:
    """Whoever changed the identity sees the job and cannot cancel it. So no approval covers another person for long."""
    await ann.patch(f"/v1/identities/{bakery.identity_id}", json={"company_name": "Second Ltd"})
    (job,) = (await ann.get("/v1/verification/jobs")).json()["items"]
    answer = await ann.post(f"/v1/verification/jobs/{job['job_id']}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_completes_decision")
    await running.run_jobs()
    assert (approved.open, bool((await running.stored(REGISTRATIONS, build.did)).open)) == (False, True)


async def test_the_statements_of_a_chunk_do_not_grow_with_its_dids(
    running: Any, ann: Any, bakery: Any, approved: Any
) -> None:
    """20 or 100 DIDs: each table is read and written by one statement, also when all of them are judged again."""
    counts = []
    for many, name in ((20, "Second Ltd"), (80, "Third Ltd")):
        await copied(running, replace(approved, did_id=uuid4(), number="+35319619999"), many)
        await ann.patch(f"/v1/identities/{bakery.identity_id}", json={"company_name": name})
        async with statements_of(running.database) as statements:
            await running.run_job_chunk()
        counts.append(len(statements))
    assert await running.count("job_results", "outcome = 'done'") == 20 + 99
    assert counts[0] == counts[1] <= 25, counts
