"""Identities and addresses that change: a new revision, and the next attempt of each living DID on them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from didflow_chassis.timers import MAX_DUE
from didflow_verification.domain.timers import Reassessment
from didflow_verification.service import service
from didflow_verification.settings import VerificationSettings
from didflow_verification.store import REGISTRATIONS

SERVICE = service(VerificationSettings.placeholder())

CHANGED = {"company_name": "Secretive Bakery and Sons Ltd"}


async def statuses(running: Any) -> list[str]:
    """The outcomes of the DID's attempts, in order."""
    rows = await running.fetch("SELECT status FROM verifications ORDER BY attempt")
    return [row["status"] for row in rows]


async def test_a_change_is_a_new_revision(ann: Any, bakery: Any) -> None:
    """Named fields change, null clears, the rest stays; the answer states nothing; the same again is nothing."""
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


async def test_changes_are_strict_and_stay_in_the_subtree(running: Any, ann: Any, bakery: Any) -> None:
    """Unknown fields, nulls where something must be, and what is another's."""
    assert (await ann.patch(f"/v1/identities/{bakery.identity_id}", json={"nam": "x"})).status_code == 422
    assert (await ann.patch(f"/v1/addresses/{bakery.address_id}", json={"city": None})).status_code == 422
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
async def test_an_approved_did_gets_a_next_attempt_and_stays_approved_until_it_is_decided(
    running: Any, ann: Any, rita: Any, build: Any, *, bakery: Any, pending_id: str, what: str
) -> None:
    """The registration is kept through pending; approved, the new revision is in force."""
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    await running.set_time(build.zero + timedelta(hours=1))
    if what == "identity":
        await ann.patch(f"/v1/identities/{bakery.identity_id}", json=CHANGED)
    else:
        await ann.patch(f"/v1/addresses/{bakery.address_id}", json={"street": "8 Hidden Lane"})
    assert (await running.stored(REGISTRATIONS, build.did)).attempt == 1
    await running.run_due_timers()
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


async def test_a_change_that_fails_changes_nothing_but_the_attempt(
    running: Any, ann: Any, rita: Any, build: Any, *, bakery: Any, pending_id: str
) -> None:
    """Moved to another city: rejected at once, with its code; the DID stays approved with what was."""
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    await ann.patch(f"/v1/addresses/{bakery.address_id}", json={"city": "Cork"})
    await running.run_due_timers()
    event = (await running.outbox())[-1]
    assert (event["topic"], event["data"]["registration"]) == ("verification.rejected", "approved")
    assert {reason["code"] for reason in event["data"]["reasons"]} == {"address_outside_area"}
    assert (await running.stored(REGISTRATIONS, build.did)).state == "approved"


async def test_an_open_attempt_is_superseded_by_the_next(
    running: Any, ann: Any, rita: Any, bakery: Any, pending_id: str
) -> None:
    """While it waits for a person, a change takes its place; the reviewer of the old one hears it."""
    await ann.patch(f"/v1/identities/{bakery.identity_id}", json=CHANGED)
    await running.run_due_timers()
    assert await statuses(running) == ["superseded", "pending"]
    late = await rita.post(f"/v1/verifications/{pending_id}/approve")
    assert (late.status_code, late.json()["code"]) == (409, "superseded")


async def test_a_change_mends_a_rejected_did(running: Any, ann: Any, build: Any, bakery: Any) -> None:
    """Rejected for a wrong city; put right, it waits for a person."""
    await ann.patch(f"/v1/addresses/{bakery.address_id}", json={"city": "Cork"})
    await running.receive(build.purchased(), build.assigned(bakery, bakery))
    assert (await running.stored(REGISTRATIONS, build.did)).state == "rejected"
    await ann.patch(f"/v1/addresses/{bakery.address_id}", json={"city": "Dublin 2"})
    await running.run_due_timers()
    assert (await running.stored(REGISTRATIONS, build.did)).state == "pending"
    assert await statuses(running) == ["rejected", "pending"]


async def test_delivered_twice_the_clock_judges_once(
    running: Any, ann: Any, build: Any, bakery: Any, pending_id: str
) -> None:
    """Two strikes at once, and one after it is done: one attempt more. Two changes before one: one attempt."""
    await ann.patch(f"/v1/identities/{bakery.identity_id}", json=CHANGED)
    await ann.patch(f"/v1/identities/{bakery.identity_id}", json={"company_name": "Third Ltd"})
    key = [(build.did, build.number)]
    await running.stage.due(Reassessment, key)
    await running.stage.due(Reassessment, key)
    await running.run_due_timers()
    assert await statuses(running) == ["superseded", "pending"]
    assert pending_id


async def test_a_did_that_ended_or_moved_on_is_left_alone(
    running: Any, ann: Any, build: Any, bakery: Any, pending_id: str
) -> None:
    """A change between its end and the strike: nothing is judged, nothing is events."""
    await ann.patch(f"/v1/identities/{bakery.identity_id}", json=CHANGED)
    await running.receive(build.removed())
    events = len(await running.outbox())
    await running.run_due_timers()
    assert (await statuses(running), len(await running.outbox())) == (["withdrawn"], events)
    assert await running.count("reassessments", "due_at IS NOT NULL") == 0
    await ann.patch(f"/v1/identities/{bakery.identity_id}", json={"company_name": "Later Ltd"})
    assert await running.count("reassessments", "due_at IS NOT NULL") == 0
    assert pending_id


async def test_an_unused_identity_is_changed_without_a_word(running: Any, ann: Any, bakery: Any) -> None:
    """Too early for any DID: only the revision counts on."""
    await ann.patch(f"/v1/identities/{bakery.identity_id}", json=CHANGED)
    await running.run_due_timers()
    assert (await running.outbox(), await running.count("detail_changes")) == ([], 1)


async def test_a_person_with_many_numbers_is_no_giant_transaction(
    running: Any, ann: Any, build: Any, bakery: Any, *, monkeypatch: Any
) -> None:
    """The change itself touches no DID; the clock takes them in rounds, each a transaction of bounded size."""
    numbers = MAX_DUE + 20
    events = []
    for place in range(numbers):
        one = type(build)()
        one.did, one.number = uuid4(), f"+3531{9610000 + place}"
        events += [one.purchased(), one.assigned(bakery, bakery)]
    for start in range(0, len(events), 500):
        await running.receive(*events[start : start + 500])
    before = len(await running.outbox())
    answer = await ann.patch(f"/v1/identities/{bakery.identity_id}", json=CHANGED)
    assert (answer.status_code, len(await running.outbox())) == (200, before)
    assert await running.count("reassessments", "due_at IS NOT NULL") == numbers
    rounds = []
    due = running.stage.due

    async def counted(model: type, keys: Any) -> None:
        rounds.append(len(keys))
        await due(model, keys)

    monkeypatch.setattr(running.stage, "due", counted)
    await running.run_due_timers()
    assert max(rounds) <= MAX_DUE
    assert sum(rounds) == numbers
    assert await running.count("verifications", "status = 'pending' AND attempt = 2") == numbers
    assert len(await running.outbox()) == before + numbers


async def test_what_is_in_use_is_not_deleted(
    running: Any, ann: Any, build: Any, bakery: Any, pending_id: str
) -> None:
    """Identity and address of a living DID: 409 `in_use`; after its end they go, with all that belongs to them."""
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
    """Another address than the DID's own: while emergency services are found it, it stays."""
    await running.receive(build.did_changed(features=["voice_in", "emergency"]))
    place = {"street": "9 Hidden Lane", "city": "Galway", "postal_code": "H91", "country": "IE"}
    place |= {"identity_id": bakery.identity_id}
    address = (await ann.post("/v1/addresses", json=place)).json()["address_id"]
    wish = {"did": build.number, "service": "emergency", "address_id": address, "caller_name": "Bakery"}
    asked = await ann.post("/v1/service-requests", json=wish)
    assert (asked.status_code, pending_id is None) == (201, False)
    refused = await ann.delete(f"/v1/addresses/{address}")
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    await ann.post(f"/v1/service-requests/{asked.json()['request_id']}/cancel")
    assert (await ann.delete(f"/v1/addresses/{address}")).status_code == 204


@pytest.mark.parametrize("which", ["its own", "another"])
async def test_emergency_services_are_told_anew_when_their_address_changes(
    running: Any, ann: Any, rita: Any, build: Any, *, bakery: Any, pending_id: str, which: str
) -> None:
    """Active at an address, the DID's own or another of its end user: back to in_process, once."""
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    await running.receive(build.did_changed(features=["voice_in", "emergency"]))
    place = {"street": "9 Hidden Lane", "city": "Galway", "postal_code": "H91", "country": "IE"}
    other = await ann.post("/v1/addresses", json=place | {"identity_id": bakery.identity_id})
    address = bakery.address_id if which == "its own" else other.json()["address_id"]
    wish = {"did": build.number, "service": "emergency", "address_id": address, "caller_name": "Bakery"}
    request = (await ann.post("/v1/service-requests", json=wish)).json()["request_id"]
    for state in ("in_process", "active"):
        await rita.post(f"/v1/service-requests/{request}/decide", json={"state": state})
    before = len(await running.outbox())
    await ann.patch(f"/v1/addresses/{address}", json={"street": "10 Hidden Lane"})
    await running.run_due_timers()
    await running.run_due_timers()
    assert (await ann.get(f"/v1/service-requests/{request}")).json()["state"] == "in_process"
    found = [event["topic"] for event in (await running.outbox())[before:]]
    assert found == (["verification.pending"] if which == "its own" else []) + ["service.changed"]


async def test_what_was_deleted_serves_nobody(running: Any, ann: Any, build: Any, bakery: Any) -> None:
    """An assignment of it is rejected `not_yours`; nothing can be added to it or changed."""
    await ann.delete(f"/v1/identities/{bakery.identity_id}")
    await running.receive(build.purchased(), build.assigned(bakery, bakery))
    assert [r["code"] for r in (await running.outbox())[-1]["data"]["reasons"]] == ["not_yours"]
    place = {"street": "1", "city": "Dublin", "country": "IE", "identity_id": bakery.identity_id}
    assert (await ann.post("/v1/addresses", json=place)).status_code == 404
    assert (await ann.patch(f"/v1/identities/{bakery.identity_id}", json=CHANGED)).status_code == 404


async def test_a_deleted_address_is_not_yours(running: Any, ann: Any, build: Any, bakery: Any) -> None:
    """Its identity is still there: an assignment that names the address is rejected, as the what-if promised."""
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
