"""Changed identities and addresses: a new revision, and the next verification of each live DID that uses them."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from didflow_verification.service import service
from didflow_verification.settings import VerificationSettings
from didflow_verification.store import REGISTRATIONS

SERVICE = service(VerificationSettings.placeholder())

CHANGED = {"company_name": "Secretive Bakery and Sons Ltd"}


async def statuses(running: Any) -> list[str]:
    """Return the statuses of all verifications, by attempt."""
    rows = await running.fetch("SELECT status FROM verifications ORDER BY attempt")
    return [row["status"] for row in rows]


async def test_a_change_is_a_new_revision(ann: Any, bakery: Any) -> None:
    """Null clears a field, and other fields stay. The answer has no personal data. A repeated change is unchanged."""
    path = f"/v1/identities/{bakery.identity_id}"
    changed = await ann.patch(path, json=CHANGED | {"vat_number": None, "contact_email": "a@b.ie"})
    assert (changed.status_code, changed.json()["revision"]) == (200, 2)
    assert "Secretive" not in changed.text
    shown = (await ann.get(path)).json()
    assert (shown["company_name"], shown["vat_number"]) == (CHANGED["company_name"], None)
    assert (shown["contact_email"], shown["type"], shown["revision"]) == ("a@b.ie", "business", 2)
    again = await ann.patch(path, json=CHANGED)
    assert (again.status_code, again.json()["revision"]) == (200, 2)
    place = f"/v1/addresses/{bakery.address_id}"
    moved = await ann.patch(place, json={"street": "8 Hidden Lane", "region": "Leinster"})
    assert (moved.status_code, moved.json()["revision"]) == (200, 2)
    shown = (await ann.get(place)).json()
    assert (shown["street"], shown["city"], shown["region"]) == ("8 Hidden Lane", "Dublin 2", "Leinster")


async def test_unknown_fields_nulls_and_foreign_details_cannot_be_changed(
    running: Any, ann: Any, bakery: Any
) -> None:
    """A null field of an address names that field. Details of another account are not found."""
    assert (await ann.patch(f"/v1/identities/{bakery.identity_id}", json={"nam": "x"})).status_code == 422
    null = await ann.patch(f"/v1/addresses/{bakery.address_id}", json={"city": None})
    assert (null.status_code, [error["field"] for error in null.json()["errors"]]) == (422, ["city"])
    assert (await ann.patch(f"/v1/addresses/{bakery.address_id}", json={"city": " "})).status_code == 422
    async with running.as_caller("eve", "master/globex") as eve:
        for path in (f"identities/{bakery.identity_id}", f"addresses/{bakery.address_id}"):
            for answer in (
                await eve.patch(f"/v1/{path}", json={}),
                await eve.delete(f"/v1/{path}"),
            ):
                assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    async with running.as_caller("rita", "master", "reviewer") as rita:
        assert (await rita.patch(f"/v1/identities/{bakery.identity_id}", json=CHANGED)).status_code == 403


@pytest.mark.parametrize("what", ["identity", "address"])
async def test_an_approved_did_stays_approved_until_its_changed_details_are_decided(
    running: Any, ann: Any, rita: Any, build: Any, *, bakery: Any, pending_id: str, what: str
) -> None:
    """The next verification is pending beside the approval. Once it is approved, the new revision is in force."""
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    await running.set_time(build.zero + timedelta(hours=1))
    if what == "identity":
        await ann.patch(f"/v1/identities/{bakery.identity_id}", json=CHANGED)
    else:
        await ann.patch(f"/v1/addresses/{bakery.address_id}", json={"street": "8 Hidden Lane"})
    assert (await running.stored(REGISTRATIONS, build.did)).attempt == 1
    await running.run_jobs()
    event = (await running.outbox())[-1]
    assert (event["topic"], event["data"]["registration"]) == ("verification.pending", "approved")
    assert (event["data"]["attempt"], event["time"]) == (2, event["time"])
    kept = await running.stored(REGISTRATIONS, build.did)
    assert (kept.state, kept.open, await statuses(running)) == ("approved", True, ["approved", "pending"])
    assert kept.approved is not None
    assert (kept.approved.identity_revision, kept.approved.address_revision) == (1, 1)
    newest = (await rita.get("/v1/verifications")).json()["items"][0]
    assert newest["submitted_by"] == "user:ann"
    await rita.post(f"/v1/verifications/{newest['verification_id']}/approve")
    after = await running.stored(REGISTRATIONS, build.did)
    assert after.approved is not None
    revisions = (after.approved.identity_revision, after.approved.address_revision)
    assert (after.state, revisions) == ("approved", (2, 1) if what == "identity" else (1, 2))


async def test_a_change_that_fails_a_check_is_rejected_and_changes_nothing_else(
    running: Any, ann: Any, rita: Any, build: Any, *, bakery: Any, pending_id: str
) -> None:
    """The address moved to another city. The DID stays approved with the old revision."""
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    await ann.patch(f"/v1/addresses/{bakery.address_id}", json={"city": "Cork"})
    await running.run_jobs()
    event = (await running.outbox())[-1]
    assert (event["topic"], event["data"]["registration"]) == ("verification.rejected", "approved")
    assert {reason["code"] for reason in event["data"]["reasons"]} == {"address_outside_area"}
    assert (await running.stored(REGISTRATIONS, build.did)).state == "approved"


async def test_a_pending_verification_is_superseded_after_a_change(
    running: Any, ann: Any, rita: Any, bakery: Any, pending_id: str
) -> None:
    """A reviewer of the old one gets `superseded`."""
    await ann.patch(f"/v1/identities/{bakery.identity_id}", json=CHANGED)
    await running.run_jobs()
    assert await statuses(running) == ["superseded", "pending"]
    late = await rita.post(f"/v1/verifications/{pending_id}/approve")
    assert (late.status_code, late.json()["code"]) == (409, "superseded")


async def test_a_corrected_address_is_submitted_again(
    running: Any, ann: Any, build: Any, bakery: Any
) -> None:
    """The number was rejected for a wrong city. After the correction it waits for a reviewer."""
    await ann.patch(f"/v1/addresses/{bakery.address_id}", json={"city": "Cork"})
    await running.receive(build.purchased(), build.assigned(bakery, bakery))
    assert (await running.stored(REGISTRATIONS, build.did)).state == "rejected"
    await ann.patch(f"/v1/addresses/{bakery.address_id}", json={"city": "Dublin 2"})
    await running.run_jobs()
    assert (await running.stored(REGISTRATIONS, build.did)).state == "pending"
    assert await statuses(running) == ["rejected", "pending"]


async def test_two_changes_before_the_job_runs_are_judged_once(
    running: Any, ann: Any, bakery: Any, pending_id: str
) -> None:
    """Each change has its job. Two runners at once make one verification, of the last revision."""
    for name in ("Second Ltd", "Third Ltd"):
        await ann.patch(f"/v1/identities/{bakery.identity_id}", json={"company_name": name})
    await asyncio.gather(running.run_jobs(), running.run_jobs())
    assert await running.count("jobs", "state = 'done' AND total = 1 AND done = 1") == 2
    assert await statuses(running) == ["superseded", "pending"]
    assert await running.count("verifications", "identity_revision = 3 AND status = 'pending'") == 1
    assert pending_id


async def test_an_ended_did_is_not_judged_again(
    running: Any, ann: Any, build: Any, bakery: Any, pending_id: str
) -> None:
    """The DID ended between the change and the job, or before the change. Nothing is published."""
    await ann.patch(f"/v1/identities/{bakery.identity_id}", json=CHANGED)
    await running.receive(build.removed())
    events = len(await running.outbox())
    await running.run_jobs()
    await ann.patch(f"/v1/identities/{bakery.identity_id}", json={"company_name": "Later Ltd"})
    await running.run_jobs()
    assert (await statuses(running), len(await running.outbox())) == (["withdrawn"], events)
    assert await running.count("jobs", "state = 'done' AND total = 0") == await running.count("jobs") == 1
    assert pending_id


async def test_a_change_of_an_unused_identity_publishes_nothing(running: Any, ann: Any, bakery: Any) -> None:
    """Only its revision rises. There is nothing to spread, so no job is started."""
    await ann.patch(f"/v1/identities/{bakery.identity_id}", json=CHANGED)
    await ann.patch(f"/v1/addresses/{bakery.address_id}", json={"street": "8 Hidden Lane"})
    assert (await running.outbox(), await running.count("detail_changes")) == ([], 2)
    assert await running.count("jobs") == 0


async def test_a_change_starts_a_job_only_while_a_live_did_uses_the_details(
    running: Any, ann: Any, bakery: Any, pending_id: str
) -> None:
    """The identity is used with its address. Another address of the identity is not."""
    place = {"street": "9 Hidden Lane", "city": "Galway", "postal_code": "H91", "country": "IE"}
    other = await ann.post("/v1/addresses", json=place | {"identity_id": bakery.identity_id})
    for address, jobs in ((other.json()["address_id"], 0), (bakery.address_id, 1)):
        await ann.patch(f"/v1/addresses/{address}", json={"street": "10 Hidden Lane"})
        assert await running.count("jobs") == jobs
    await ann.patch(f"/v1/identities/{bakery.identity_id}", json=CHANGED)
    assert (await running.count("jobs"), pending_id is None) == (2, False)


async def test_details_in_use_are_not_deleted(
    running: Any, ann: Any, build: Any, bakery: Any, pending_id: str
) -> None:
    """Identity and address of a live DID are refused `in_use`. After its end they can be deleted."""
    paths = [f"/v1/addresses/{bakery.address_id}", f"/v1/identities/{bakery.identity_id}"]
    for path in paths:
        refused = await ann.delete(path)
        assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    await running.receive(build.removed())
    assert (await ann.delete(paths[1])).status_code == 204
    for path in paths:
        assert (await ann.get(path)).status_code == 404
    for kind in ("identities", "addresses"):
        assert (await ann.get(f"/v1/{kind}")).json()["items"] == []
    assert (await ann.delete(paths[1])).status_code == 204
    assert await statuses(running) == ["withdrawn"]
    assert pending_id


async def test_an_address_of_an_open_request_is_in_use(
    running: Any, ann: Any, build: Any, bakery: Any, pending_id: str
) -> None:
    """The address of an emergency request stays while the request is open, even if the DID has another address."""
    await running.receive(build.did_changed(features=["voice_in", "emergency"]))
    place = {"street": "9 Hidden Lane", "city": "Galway", "postal_code": "H91", "country": "IE"}
    place |= {"identity_id": bakery.identity_id}
    address = (await ann.post("/v1/addresses", json=place)).json()["address_id"]
    body = {"did": build.number, "service": "emergency", "address_id": address, "caller_name": "Bakery"}
    asked = await ann.post("/v1/service-requests", json=body)
    assert (asked.status_code, pending_id is None) == (201, False)
    refused = await ann.delete(f"/v1/addresses/{address}")
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    await ann.post(f"/v1/service-requests/{asked.json()['request_id']}/cancel")
    assert (await ann.delete(f"/v1/addresses/{address}")).status_code == 204


@pytest.mark.parametrize("which", ["its own", "another"])
async def test_an_emergency_service_is_processed_again_when_its_address_changes(
    running: Any, ann: Any, rita: Any, build: Any, *, bakery: Any, pending_id: str, which: str
) -> None:
    """It goes back to in_process once, whether the address is the DID's own or another one."""
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    await running.receive(build.did_changed(features=["voice_in", "emergency"]))
    place = {"street": "9 Hidden Lane", "city": "Galway", "postal_code": "H91", "country": "IE"}
    other = await ann.post("/v1/addresses", json=place | {"identity_id": bakery.identity_id})
    address = bakery.address_id if which == "its own" else other.json()["address_id"]
    body = {"did": build.number, "service": "emergency", "address_id": address, "caller_name": "Bakery"}
    request = (await ann.post("/v1/service-requests", json=body)).json()["request_id"]
    for state in ("in_process", "active"):
        await rita.post(f"/v1/service-requests/{request}/decide", json={"state": state})
    before = len(await running.outbox())
    await ann.patch(f"/v1/addresses/{address}", json={"street": "10 Hidden Lane"})
    await running.run_jobs()
    await running.run_jobs()
    assert (await ann.get(f"/v1/service-requests/{request}")).json()["state"] == "in_process"
    found = [event["topic"] for event in (await running.outbox())[before:]]
    assert found == (["verification.pending"] if which == "its own" else []) + ["service.changed"]


async def test_a_service_that_is_activated_at_the_changed_address_stays_active(
    running: Any, ann: Any, rita: Any, build: Any, *, bakery: Any, pending_id: str
) -> None:
    """The reviewer activates it between the change and the job. The next change processes it again."""
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    await running.receive(build.did_changed(features=["voice_in", "emergency"]))
    address = bakery.address_id
    body = {"did": build.number, "service": "emergency", "address_id": address, "caller_name": "Bakery"}
    request = (
        f"/v1/service-requests/{(await ann.post('/v1/service-requests', json=body)).json()['request_id']}"
    )
    await rita.post(f"{request}/decide", json={"state": "in_process"})
    await ann.patch(f"/v1/addresses/{address}", json={"street": "10 Hidden Lane"})
    await rita.post(f"{request}/decide", json={"state": "active"})
    await running.run_jobs()
    assert (await ann.get(request)).json()["state"] == "active"
    await ann.patch(f"/v1/addresses/{address}", json={"street": "11 Hidden Lane"})
    await running.run_jobs()
    assert (await ann.get(request)).json()["state"] == "in_process"


async def test_a_deleted_identity_serves_no_number(running: Any, ann: Any, build: Any, bakery: Any) -> None:
    """An assignment of it is rejected `not_yours`. It can neither be changed nor get an address."""
    await ann.delete(f"/v1/identities/{bakery.identity_id}")
    await running.receive(build.purchased(), build.assigned(bakery, bakery))
    assert [r["code"] for r in (await running.outbox())[-1]["data"]["reasons"]] == ["not_yours"]
    place = {"street": "1", "city": "Dublin", "country": "IE", "identity_id": bakery.identity_id}
    assert (await ann.post("/v1/addresses", json=place)).status_code == 404
    assert (await ann.patch(f"/v1/identities/{bakery.identity_id}", json=CHANGED)).status_code == 404


async def test_a_deleted_address_is_not_yours(running: Any, ann: Any, build: Any, bakery: Any) -> None:
    """An assignment with the address is rejected, as the what-if predicted."""
    await ann.delete(f"/v1/addresses/{bakery.address_id}")
    await running.receive(build.purchased())
    named = {"identity_id": bakery.identity_id, "address_id": bakery.address_id}
    promised = (await ann.post("/v1/requirements/evaluate", json=named | {"dids": [build.number]})).json()
    await running.receive(build.assigned(bakery, bakery))
    reasons = [reason["code"] for reason in (await running.outbox())[-1]["data"]["reasons"]]
    assert (promised["outcome"], [r["code"] for r in promised["results"]], reasons) == (
        "rejected",
        ["not_yours"],
        ["not_yours"],
    )
