"""A revocation through a number that rests on a review, over HTTP and at the same time as live traffic."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from didflow_verification.domain.axes.verification import verification_id
from didflow_verification.store import REGISTRATIONS, VERIFICATIONS

HOUR = timedelta(hours=1)


def numbered(build: Any, index: int) -> Any:
    """Return the messages about another number of the area."""
    one = type(build)()
    one.did, one.number = uuid4(), f"+3531961{index:04}"
    return one


@pytest.fixture
async def second(running: Any, build: Any, rita: Any, bakery: Any, pending_id: str) -> Any:
    """Messages about a number that rests on the review of the first."""
    assert (await rita.post(f"/v1/verifications/{pending_id}/approve")).status_code == 200
    one = numbered(build, 1)
    await running.receive(one.purchased(), one.assigned(bakery, bakery))
    assert (await running.stored(REGISTRATIONS, one.did)).approved.rests_on == UUID(pending_id)
    return one


def path(one: Any, action: str, attempt: int = 1) -> str:
    """Return the path of an action on a verification of a number."""
    return f"/v1/verifications/{verification_id(one.did, attempt)}/{action}"


async def test_an_empty_resubmission_after_a_revocation_waits_for_a_person(
    running: Any, ann: Any, rita: Any, build: Any, second: Any, *, pending_id: str
) -> None:
    """The review is revoked with the automatic approval, and a job ends the approval of the number reviewed."""
    assert (await rita.post(path(second, "revoke"), json={})).json()["status"] == "revoked"
    assert (await running.stored(VERIFICATIONS, UUID(pending_id))).status == "revoked"
    assert (await running.stored(REGISTRATIONS, build.did)).state == "approved"
    again = await ann.post(path(second, "resubmit"), json={})
    assert (again.status_code, again.json()["status"]) == (201, "pending")
    await running.run_jobs()
    assert (await running.stored(REGISTRATIONS, build.did)).state == "expired"
    (job,) = (await rita.get("/v1/verification/jobs")).json()["items"]
    assert (job["job_id"], job["state"], job["total"], job["done"]) == (pending_id, "done", 1, 1)


async def test_only_this_is_about_one_automatic_approval(
    running: Any, ann: Any, rita: Any, build: Any, second: Any
) -> None:
    """The review stays, and is itself refused as `not_automatic`. The same details wait for a person."""
    refused = await rita.post(path(build, "revoke"), json={"only_this": True})
    assert (refused.status_code, refused.json()["code"]) == (422, "not_automatic")
    assert (await rita.post(path(second, "revoke"), json={"only_this": True})).status_code == 200
    again = await ann.post(path(second, "resubmit"), json={})
    assert (again.json()["status"], again.json()["rests_on"]) == ("pending", None)
    await running.run_jobs()
    assert (await running.stored(REGISTRATIONS, build.did)).state == "approved"


async def test_no_number_keeps_an_approval_that_rests_on_a_review_revoked_at_the_same_time(
    running: Any, rita: Any, build: Any, bakery: Any, second: Any
) -> None:
    """Numbers are assigned and two reviewers revoke, all at once. After the jobs, nothing is approved."""
    others = [numbered(build, index) for index in range(2, 32)]
    await running.receive(*(one.purchased() for one in others))
    await asyncio.gather(
        *(
            running.receive(*(one.assigned(bakery, bakery) for one in others[n : n + 5]))
            for n in range(0, 30, 5)
        ),
        rita.post(path(second, "revoke"), json={}),
        rita.post(path(build, "revoke"), json={}),
    )
    await running.run_jobs()
    assert await running.count("registrations", "state = 'approved' OR approved IS NOT NULL") == 0
    assert await running.count("jobs", "kind = 'revoke_resting'") == 1
    revoked = await running.count("verifications", "status = 'revoked'")
    assert revoked + await running.count("verifications", "status = 'pending'") == 32


async def test_the_details_go_to_a_person_before_the_job_of_their_revocation_has_run_and_the_what_if_says_so(
    running: Any, ann: Any, rita: Any, build: Any, *, bakery: Any, second: Any
) -> None:
    """The address was changed, and a reviewer has approved its new revision for another number."""
    assert (await rita.post(path(build, "revoke"), json={})).status_code == 200
    await ann.patch(f"/v1/addresses/{bakery.address_id}", json={"street": "2 Quay Street"})
    third = numbered(build, 2)
    await running.receive(third.purchased(), third.assigned(bakery, bakery))
    assert (await rita.post(path(third, "approve"))).status_code == 200

    details = {"identity_id": bakery.identity_id, "address_id": bakery.address_id}
    asked = {"dids": [str(second.did), str(third.did)], **details}
    answer = (await ann.post("/v1/requirements/evaluate", json=asked)).json()
    expected = {each["did"]: each["evaluation"]["outcome"] for each in answer["evaluations"]}
    assert expected == {str(second.did): "pending", str(third.did): "approved"}
    await running.receive(second.assigned(bakery, bakery, build.zero + HOUR))
    assert (await running.stored(VERIFICATIONS, verification_id(second.did, 2))).status == "pending"
    await running.run_jobs()
    registration = await running.stored(REGISTRATIONS, second.did)
    assert (registration.state, registration.approved) == ("pending", None)
