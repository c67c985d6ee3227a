"""The job that erases a person: whatever comes between two of its steps, nothing is overwritten and nothing is left."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from didflow_chassis.decision import Caller
from didflow_chassis.jobs.job import CancelJob
from didflow_chassis.jobs.kinds import Item
from didflow_chassis.service import Handler
from didflow_contracts.events import DidChanged
from didflow_verification.domain.details.identity import Identity, Person
from didflow_verification.domain.published_reasons import STANDARD_MESSAGES
from didflow_verification.domain.verifications import reviewer_texts
from didflow_verification.erasure.job import ERASURE
from didflow_verification.erasure.step import ErasePerson
from didflow_verification.jobs import ERASE_IDENTITY

WORDS = "The passport XK4410992 of Seraphina Quillfeather is a copy."
DETAILS = {"identities", "addresses", "documents"}
PLACE = {"street": "1 Quay Street", "city": "Dublin 2", "postal_code": "D02 X000", "country": "IE"}


@pytest.fixture
async def former(running: Any, build: Any, person: dict[str, str]) -> UUID:
    """The person of the other tests, after the DID was removed. The value is the id of the identity."""
    await running.receive(build.removed())
    return UUID(person["identity"])


async def start(jobs: Any, identity_id: UUID) -> UUID:
    """Start the erasure of an identity."""
    started: UUID = await jobs.start(ERASE_IDENTITY, ErasePerson(identity_id=identity_id))
    return started


def between(step: str, happens: Callable[[], Awaitable[object]]) -> Any:
    """Return the work of the job. In the first chunk of a step, something happens between the read and the write."""
    seen = []

    async def work(tools: Any, items: Sequence[Item]) -> Any:
        works = await ERASURE.work(tools, items)
        if items[0].name.startswith(f"{step} ") and not seen:
            seen.append(await happens())
        return works

    return work


async def results(running: Any) -> list[tuple[str, str, str | None]]:
    """Return item, outcome and code of each result."""
    rows = await running.fetch("SELECT item, outcome, code FROM job_results ORDER BY n")
    return [tuple(row) for row in rows]


async def test_the_results_list_each_place_and_have_no_personal_data(
    running: Any, jobs: Any, former: UUID, traces: Any
) -> None:
    """Every place with data has a result, named by ids. The job itself is seen by operators only."""
    job = await jobs.finish(await start(jobs, former))
    assert (job.state, job.refused) == ("done", 0)
    assert await traces.found() == {}
    listed = await results(running)
    assert {item.split(" ")[0] for item, *_ in listed} == {
        *("identity", "texts", "idempotency", "dead_letters", "parked", "outbox", "details", "contents")
    }
    assert {(outcome, code) for _, outcome, code in listed} == {("done", None)}
    assert listed[0][0] == f"identity {former}"
    for role, kinds in (
        ("operator", ["erase_identity"]),
        *((role, []) for role in ("master_reseller", "reseller", "reviewer")),
    ):
        shown = await running.client(account="master", role=role).get("/v1/verification/jobs")
        seen = [one["kind"] for one in shown.json()["items"]]
        assert [kind for kind in seen if kind != "reassess_dids"] == kinds, role


async def test_an_erasure_that_is_killed_everywhere_goes_on_to_its_end(
    running: Any, jobs: Any, former: UUID, *, traces: Any, kills: Any
) -> None:
    """Each chunk is killed three times. At each of these instants the details have what is still found elsewhere."""
    instants = []

    async def look() -> None:
        found = await traces.found()
        places = set().union(*found.values())
        assert not places & {"jobs", "job_results"}
        assert found == {} or all(tables & DETAILS for tables in found.values())
        instants.append(places)

    kills.look = look
    job = await kills.run_through(jobs.runner(chunk=2), await start(jobs, former))
    assert (job.state, job.refused, len(instants) > 30) == ("done", 0, True)
    assert (instants[0] > DETAILS, DETAILS in instants, instants[-1]) == (True, True, set())
    assert await running.count("document_chunks") == 0
    assert await running.count("document_contents") == 0


async def test_two_runners_at_once_erase_a_person_once(
    running: Any, jobs: Any, former: UUID, traces: Any
) -> None:
    """They share one job. Each place has one result."""
    job_id = await start(jobs, former)
    ended = await asyncio.gather(*(jobs.finish(job_id, chunk=1) for _ in range(2)))
    assert [(job.state, job.refused) for job in ended] == [("done", 0)] * 2
    assert await traces.found() == {}
    items = [item for item, *_ in await results(running)]
    assert len(items) == len(set(items))


async def test_a_decision_of_a_reviewer_between_read_and_write_is_not_overwritten(
    running: Any, jobs: Any, build: Any, rita: Any, bakery: Any
) -> None:
    """A reviewer revokes with new reasons. The verification is revoked for this reason, with the text of its code."""
    await running.receive(build.purchased(), build.assigned(bakery, bakery))
    (verification,) = (await rita.get("/v1/verifications")).json()["items"]
    path = f"/v1/verifications/{verification['verification_id']}"
    assert (await rita.post(f"{path}/approve")).status_code == 200
    await running.receive(build.removed())

    async def revoke() -> None:
        reasons = [{"code": "other", "message": WORDS}, {"code": "suspected_fraud", "field": "identity"}]
        assert (await rita.post(f"{path}/revoke", json={"reasons": reasons})).status_code == 200

    work = between("texts", revoke)
    job = await jobs.finish(await start(jobs, UUID(bakery.identity_id)), work=work)
    assert (job.state, job.refused) == ("done", 0)
    kept = (await rita.get(path)).json()
    assert (kept["status"], kept["revoked_by"]) == ("revoked", "user:rita")
    assert kept["reasons"] == [
        {"code": "other", "field": None, "message": STANDARD_MESSAGES["other"]},
        {
            "code": "suspected_fraud",
            "field": "identity",
            "message": "The details are suspected to be false.",
        },
    ]


async def test_the_reasons_of_the_next_end_user_are_not_changed(
    running: Any, jobs: Any, build: Any, ann: Any, rita: Any, *, bakery: Any
) -> None:
    """The DID gets another end user between read and write. A reviewer's text about that end user stays."""
    await running.receive(build.purchased(), build.assigned(bakery, bakery))
    (first,) = (await rita.get("/v1/verifications")).json()["items"]
    reject = f"/v1/verifications/{first['verification_id']}/reject"
    await rita.post(reject, json={"reasons": [{"code": "other", "message": WORDS}]})
    body = {"type": "business", "company_name": "Next Ltd", "vat_number": "2813105O"}
    other = (await ann.post("/v1/identities", json=body)).json()["identity_id"]
    address = (await ann.post("/v1/addresses", json=PLACE | {"identity_id": other})).json()["address_id"]
    next_details = type(bakery)(other, address)
    await running.receive(build.assigned(next_details, next_details, build.zero.replace(minute=59)))

    async def reject_the_next() -> None:
        (second,) = (await rita.get("/v1/verifications")).json()["items"]
        body = {"reasons": [{"code": "other", "message": "The register has no Next Ltd."}]}
        path = f"/v1/verifications/{second['verification_id']}/reject"
        assert (await rita.post(path, json=body)).status_code == 200

    work = between("texts", reject_the_next)
    job = await jobs.finish(await start(jobs, UUID(bakery.identity_id)), work=work)
    assert (job.state, job.refused) == ("done", 0)
    texts = await running.fetch("SELECT reasons -> 0 ->> 'message' FROM verifications ORDER BY attempt")
    assert [row[0] for row in texts] == [STANDARD_MESSAGES["other"], "The register has no Next Ltd."]
    (registration,) = await running.fetch("SELECT reasons -> 0 ->> 'message' FROM registrations")
    assert registration[0] == STANDARD_MESSAGES["other"]


async def test_a_message_that_changes_between_read_and_write_keeps_the_newer_text(
    running: Any, jobs: Any, former: UUID, traces: Any
) -> None:
    """A retry fails with another error. The error stays, and the person's data in it is masked by the second search."""

    async def fail_again() -> None:
        await running.fetch("UPDATE parked SET last_error = 'newer: Seraphina Quillfeather', attempts = 3")

    await jobs.finish(await start(jobs, former), work=between("parked", fail_again))
    (row,) = await running.fetch("SELECT last_error, attempts FROM parked")
    assert (row["last_error"], row["attempts"]) == ("newer: ********* ************", 3)
    assert await traces.found() == {}


async def test_a_message_that_moves_to_a_table_that_was_searched_before_is_found(
    running: Any, jobs: Any, former: UUID, traces: Any
) -> None:
    """A parked message becomes a dead letter between the read and the write. The second search finds it."""

    async def move() -> None:
        await running.fetch(
            """
            WITH gone AS (DELETE FROM parked RETURNING *)
            INSERT INTO dead_letters (id, at, reason, topic, partition, "offset", key, value, headers, truncated)
            SELECT $1, clock_timestamp(), 'defect', topic, partition, "offset", key, value, headers, false FROM gone
            """,
            uuid4(),
        )

    await jobs.finish(await start(jobs, former), work=between("parked", move))
    assert await running.count("dead_letters", "reason = 'defect' AND position('****' IN value) > 0") == 1
    assert await traces.found() == {}


async def test_an_assignment_just_before_the_job_refuses_it_and_nothing_is_changed(
    running: Any, jobs: Any, person: dict[str, str], traces: Any
) -> None:
    """The live DIDs are counted under the lock. The job ends with the result `in_use`."""
    before = await traces.dump()
    job = await jobs.finish(await start(jobs, UUID(person["identity"])))
    assert (job.state, job.done, job.refused) == ("done", 0, 1)
    assert await results(running) == [(f"identity {person['identity']}", "refused", "in_use")]
    after = await traces.dump()
    assert {name for name in before if before[name] != after[name]} == {"jobs", "job_results"}


async def test_nobody_sees_or_changes_details_while_they_are_erased(
    running: Any, jobs: Any, ann: Any, former: UUID, traces: Any
) -> None:
    """They are not found from the first step on. A deletion does not remove the values before the search has ended."""
    job_id = await start(jobs, former)
    await jobs.runner().run_chunk(job_id)
    path = f"/v1/identities/{former}"
    assert (await ann.get(path)).status_code == 404
    assert (await ann.patch(path, json={"first_name": "Other"})).status_code == 404
    assert (await ann.post("/v1/addresses", json={"identity_id": str(former), **PLACE})).status_code == 404
    await ann.delete(path)
    for table in ("addresses", "documents"):
        (row,) = await running.fetch(f"SELECT * FROM {table}")
        shown = f"/v1/{table}/{row[0]}"
        assert (await ann.get(shown)).status_code == 404
        await ann.delete(shown)
        assert (await ann.get(f"/v1/{table}")).json()["items"] == []
    identity = await running.state(Identity, former)
    assert (identity.erased_at is not None, identity.person.first_name) == (True, "Seraphina")
    await jobs.finish(job_id)
    assert (await running.state(Identity, former)).person == Person()
    assert await traces.found() == {}


async def test_a_canceled_erasure_is_completed_by_the_next_one(
    running: Any, jobs: Any, former: UUID, traces: Any
) -> None:
    """The details keep the values to search for, so the next job finds what the canceled one did not reach."""
    job_id = await start(jobs, former)
    for _ in range(3):
        await jobs.runner().run_chunk(job_id)
    operator = Caller(subject="olga", account="", role="operator")
    cancel = CancelJob(entity_id=job_id, subject="", caller=operator, kinds=frozenset({ERASE_IDENTITY}))
    await running.run(cancel)
    assert not await jobs.runner().run_chunk(job_id)
    assert await traces.tables() >= {"identities", "outbox"}
    job = await jobs.finish(await start(jobs, former))
    assert (job.state, job.refused) == ("done", 0)
    assert await traces.found() == {}


async def test_a_text_that_cannot_be_removed_keeps_the_values_for_the_next_job(
    running: Any, jobs: Any, former: UUID, *, traces: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decision raises. The job ends with the result, and the details are not emptied."""

    def broken(_: object) -> None:
        raise ZeroDivisionError("reasons")

    monkeypatch.setattr(reviewer_texts, "published_reasons", broken)
    job = await jobs.finish(await start(jobs, former))
    assert (job.state, job.refused) == ("done", 1)
    assert (await results(running))[-1][1:] == ("refused", "internal_error")
    assert (await running.state(Identity, former)).person.first_name == "Seraphina"
    monkeypatch.undo()
    await jobs.finish(await start(jobs, former))
    assert await traces.found() == {}


async def test_a_did_with_a_message_that_failed_does_not_keep_a_person_from_being_erased(
    running: Any, jobs: Any, build: Any, former: UUID, *, traces: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The texts of reviewers are replaced beside the failed message, which waits as before."""

    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    did_id = build.removed().data.did_id
    with monkeypatch.context() as patch:
        patch.setitem(running.service.events, DidChanged, Handler(decide=broken))
        await running.receive(build.did_changed(sequence=99))
    assert await running.count("parked", f"entity = '{did_id}' AND reason = 'retry'") == 1
    job = await jobs.finish(await start(jobs, former))
    assert (job.state, job.refused) == ("done", 0)
    assert await traces.found() == {}
    assert await running.count("parked", f"entity = '{did_id}' AND reason = 'retry'") == 1


async def test_documents_in_an_unknown_store_are_refused_before_anything_is_erased(
    running: Any, jobs: Any, former: UUID, traces: Any
) -> None:
    """A process that cannot delete the contents does not begin."""
    await running.fetch("UPDATE document_contents SET store = 's3'")
    before = await traces.dump()
    job = await jobs.finish(await start(jobs, former))
    assert await results(running) == [(f"identity {former}", "refused", "unavailable")]
    after = await traces.dump()
    assert (job.done, {name for name in before if before[name] != after[name]}) == (
        0,
        {"jobs", "job_results"},
    )


async def test_no_key_is_needed_to_erase_documents(
    running: Any, jobs: Any, former: UUID, traces: Any
) -> None:
    """A document whose key was lost can be erased."""
    await running.fetch("UPDATE document_contents SET key_id = 'lost'")
    await jobs.finish(await start(jobs, former))
    assert await traces.found() == {}
    assert await running.count("document_chunks") == 0


async def test_an_erasure_without_the_key_leaves_copies_of_former_values(
    running: Any, jobs: Any, former: UUID, traces: Any
) -> None:
    """It cannot search for values that it cannot read: it is refused, and nothing is erased."""
    before, keys = await traces.dump(), jobs.settings
    jobs.settings = keys.model_copy(update={"document_keys": None})
    await jobs.finish(await start(jobs, former))
    assert await results(running) == [(f"identity {former}", "refused", "key_missing")]
    after = await traces.dump()
    assert {name for name in before if before[name] != after[name]} == {"jobs", "job_results"}


async def test_former_values_stay_in_messages_after_an_erasure(
    running: Any, jobs: Any, ann: Any, build: Any, *, person: dict[str, str], traces: Any
) -> None:
    """A revision that was judged and changed since is searched for too, and its ciphertext is deleted."""
    changes = {"passport_number": "ZZ-1", "last_name": "Other", "company_name": "Other Ltd"}
    assert (await ann.patch(f"/v1/identities/{person['identity']}", json=changes)).status_code == 200
    assert (await traces.found())["XK4410992"] >= {"dead_letters", "verifications"}
    kept = [row["content"] for row in await running.fetch("SELECT content FROM former_details")]
    assert len(kept) == 2
    await running.receive(build.removed())
    job = await jobs.finish(await start(jobs, UUID(person["identity"])))
    assert (job.state, job.refused) == ("done", 0)
    assert await traces.found() == {}
    after = await traces.dump()
    assert not any(one in content for one in kept for content in after.values())
    assert await running.count("former_details", "content IS NULL AND key_id IS NULL") == 2


async def test_a_copy_that_a_rotation_still_writes_is_emptied_and_then_swept(
    running: Any, jobs: Any, former: UUID, contents: Any
) -> None:
    """Its row stays, so that the sweep also finds what is written after the erasure."""
    (document,) = await running.fetch("SELECT document_id, account FROM documents")
    writer = await contents.begin(document["document_id"], document["account"])
    await writer.add(b"x" * 2_000_000)
    await jobs.finish(await start(jobs, former))
    assert await running.count("document_chunks") == 0
    assert await running.count("document_contents") == 1
    await writer.finish()
    await running.fetch("UPDATE document_contents SET unused_since = unused_since - interval '2 hours'")
    assert await contents.sweep() == 1
    assert await running.count("document_chunks") == 0
