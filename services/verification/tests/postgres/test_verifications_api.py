"""Verifications over HTTP: the queue, the decisions, and what foreign accounts cannot see."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from didflow_verification.domain.axes.verification import Verification, verification_id

REASONS = {"reasons": [{"code": "mismatch", "field": "identity.company_name"}]}


async def test_the_queue_is_oldest_first_and_a_verification_has_all_details(
    running: Any, rita: Any, build: Any, bakery: Any, pending_id: str
) -> None:
    """A reviewer sees the details, the findings and the submitter."""
    second = type(build)()
    second.did, second.number = uuid4(), "+35319609037"
    await running.set_time(build.zero + timedelta(hours=1))
    await running.receive(second.purchased(), second.assigned(bakery, bakery))
    queue = (await rita.get("/v1/verifications")).json()["items"]
    assert [item["number"] for item in queue] == [build.number, second.number]
    whole = (await rita.get(f"/v1/verifications/{pending_id}")).json()
    assert whole["identity"]["company_name"] == "Secretive Bakery Ltd"
    assert whole["address"]["city"] == "Dublin 2"
    assert (whole["submitted_by"], whole["changed_since"], whole["earlier"]) == ("user:ann", [], [])
    assert {result["check"] for result in whole["results"]} >= {"identity.company_name", "address.match"}


async def test_verifications_are_found_by_number_reference_and_identity(
    rita: Any, build: Any, bakery: Any, pending_id: str
) -> None:
    """Their status does not matter. A plus sign can be left out or arrive as a space."""
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    reference = (await rita.get(f"/v1/verifications/{pending_id}")).json()["reference"]
    plain = build.number.removeprefix("+")
    for query in (
        f"number={plain}",
        f"number=+{plain}",
        f"number=%2B{plain}",
        f"reference={reference}",
        f"identity_id={bakery.identity_id}",
        f"did_id={build.did}",
    ):
        found = (await rita.get(f"/v1/verifications?{query}")).json()["items"]
        assert [item["verification_id"] for item in found] == [pending_id]
    assert (await rita.get("/v1/verifications?number=0")).status_code == 422
    nothing = await rita.get(f"/v1/verifications?number={plain}&status=pending")
    assert nothing.json()["items"] == []


async def test_an_approval_is_answered_published_and_stored(running: Any, rita: Any, pending_id: str) -> None:
    """The verification leaves the queue."""
    answer = await rita.post(f"/v1/verifications/{pending_id}/approve")
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["decided_by"]) == ("approved", "user:rita")
    assert await running.axis_topics() == ["required", "pending", "approved"]
    event = (await running.outbox())[-1]
    assert (event["sequence"], event["actor"], event["source"]) == ("3", "user:rita", "/didflow/verification")
    assert (await rita.get("/v1/verifications")).json()["items"] == []
    assert len((await rita.get("/v1/verifications", params={"status": "approved"})).json()["items"]) == 1


async def test_a_second_decision_is_unchanged_or_a_conflict(running: Any, rita: Any, pending_id: str) -> None:
    """The same decision is unchanged, another one is refused."""
    path = f"/v1/verifications/{pending_id}"
    await rita.post(f"{path}/approve")
    async with running.as_caller("rob", "master", "reviewer") as rob:
        again = await rob.post(f"{path}/approve")
        assert (again.status_code, again.json()["decided_by"]) == (200, "user:rita")
        other = await rob.post(f"{path}/reject", json=REASONS)
        assert (other.status_code, other.json()["code"]) == (409, "already_decided")
    assert await running.axis_topics() == ["required", "pending", "approved"]


async def test_two_reviewers_at_once_make_one_decision(running: Any, rita: Any, pending_id: str) -> None:
    """The other reviewer gets a conflict."""
    path = f"/v1/verifications/{pending_id}"
    async with running.as_caller("rob", "master", "reviewer") as rob:
        answers = await asyncio.gather(rita.post(f"{path}/approve"), rob.post(f"{path}/reject", json=REASONS))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(await running.axis_topics()) == 3


async def test_eight_reviewers_at_once_make_one_decision(running: Any, pending_id: str) -> None:
    """Four approve and four reject. There is one event. Four get the decision and four get 409."""
    path = f"/v1/verifications/{pending_id}"

    async def decide(n: int) -> tuple[str, int, str]:
        async with running.as_caller(f"reviewer-{n}", "master", "reviewer") as one:
            action = ("approve", None) if n % 2 else ("reject", REASONS)
            answer = await one.post(f"{path}/{action[0]}", json=action[1])
            body = answer.json()
            return action[0], answer.status_code, body.get("decided_by") or body["code"]

    answers = await asyncio.gather(*(decide(n) for n in range(8)))
    assert len(await running.axis_topics()) == 3
    taken = {action for action, status, _ in answers if status == 200}
    assert len(taken) == 1
    assert len({who for _, status, who in answers if status == 200}) == 1
    assert {events for _, status, events in answers if status != 200} == {"already_decided"}
    assert sorted(status for _, status, _ in answers) == [200] * 4 + [409] * 4


async def test_a_rejection_needs_known_reasons(running: Any, rita: Any, pending_id: str) -> None:
    """There is at least one, with a known code. `other` has a message."""
    path = f"/v1/verifications/{pending_id}/reject"
    for reasons, field in (
        ([], "reasons"),
        ([{"code": "bad_mood"}], "reasons.0.code"),
        ([{"code": "other"}], "reasons.0.message"),
        ([{"code": "reviewer_check"}], "reasons.0.code"),
    ):
        answer = await rita.post(path, json={"reasons": reasons})
        assert (answer.status_code, answer.json()["code"]) == (422, "input_invalid")
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    good = await rita.post(path, json={"reasons": [{"code": "other", "message": "Please call us."}]})
    assert good.json()["reasons"] == [{"code": "other", "field": None, "message": "Please call us."}]
    event = (await running.outbox())[-1]
    assert (event["topic"], event["data"]["reasons"][0]["code"]) == ("verification.rejected", "other")


async def test_after_a_rejection_the_account_submits_again(
    running: Any, ann: Any, rita: Any, pending_id: str
) -> None:
    """The earlier verification is listed with the next one. Its submitter cannot decide it."""
    await rita.post(f"/v1/verifications/{pending_id}/reject", json=REASONS)
    answer = await ann.post(f"/v1/verifications/{pending_id}/resubmit", json={})
    assert (answer.status_code, answer.json()["attempt"], answer.json()["status"]) == (201, 2, "pending")
    second = answer.json()["verification_id"]
    whole = (await rita.get(f"/v1/verifications/{second}")).json()
    assert [(e["attempt"], e["status"]) for e in whole["earlier"]] == [(1, "rejected")]
    async with running.as_caller("ann", "master/acme", "reviewer") as herself:
        own = await herself.post(f"/v1/verifications/{second}/approve")
        assert (own.status_code, own.json()["code"]) == (409, "own_submission")
    late = await ann.post(f"/v1/verifications/{pending_id}/resubmit", json={})
    assert (late.status_code, late.json()["code"]) == (409, "superseded")


async def test_a_resubmission_can_change_the_details(
    running: Any, ann: Any, rita: Any, pending_id: str
) -> None:
    """Fields in the body are used, null included. Other details do not change."""
    await rita.post(f"/v1/verifications/{pending_id}/reject", json=REASONS)
    answer = await ann.post(f"/v1/verifications/{pending_id}/resubmit", json={"address_id": None})
    assert (answer.json()["status"], answer.json()["address_id"]) == ("rejected", None)
    assert [reason["code"] for reason in answer.json()["reasons"]] == ["address_missing"]


async def test_a_claim_is_shown_and_holds(running: Any, rita: Any, pending_id: str) -> None:
    """Until the release no other reviewer can decide or claim."""
    path = f"/v1/verifications/{pending_id}"
    claimed = await rita.post(f"{path}/claim")
    assert claimed.json()["claimed_by"] == "user:rita"
    async with running.as_caller("rob", "master", "reviewer") as rob:
        assert (await rob.post(f"{path}/approve")).json()["code"] == "claimed"
        await rita.post(f"{path}/release")
        assert (await rob.post(f"{path}/claim")).json()["claimed_by"] == "user:rob"


async def test_a_verification_with_newer_details_is_superseded(
    running: Any, ann: Any, rita: Any, build: Any, *, bakery: Any, pending_id: str
) -> None:
    """The answer is 409 with its own code."""
    other = (await ann.post("/v1/identities", json={"type": "business", "company_name": "B"})).json()
    newer = build.assigned(bakery, bakery, build.zero, identity_id=other["identity_id"], address_id=None)
    await running.receive(newer)
    answer = await rita.post(f"/v1/verifications/{pending_id}/approve")
    assert (answer.status_code, answer.json()["code"]) == (409, "superseded")


@pytest.mark.parametrize(
    ("account", "role", "seen", "decided"),
    [
        ("master/acme", "reviewer", 200, 200),
        ("master", "reviewer", 200, 200),
        ("master/globex", "reviewer", 404, 404),
        ("master/acme/shop", "reviewer", 404, 404),
        ("master/acme", "reseller", 200, 403),
        ("elsewhere", "operator", 200, 403),
        ("master/acme", "user", 403, 403),
    ],
)
async def test_role_and_reach_decide_who_reads_and_who_decides(
    running: Any, pending_id: str, *, account: str, role: str, seen: int, decided: int
) -> None:
    """Verifications of foreign accounts are not found."""
    async with running.as_caller("rob", account, role) as rob:
        assert (await rob.get(f"/v1/verifications/{pending_id}")).status_code == seen
        assert (await rob.post(f"/v1/verifications/{pending_id}/approve")).status_code == decided


async def test_a_foreign_identity_is_never_shown_with_a_verification(
    running: Any, build: Any, bakery: Any
) -> None:
    """The verification has its id, which was submitted, and nothing else of it."""
    build.account = "master/globex"
    await running.receive(build.purchased(), build.assigned(bakery, bakery))
    async with running.as_caller("bob", "master/globex") as bob:
        (attempt,) = (await bob.get("/v1/verifications", params={"status": "rejected"})).json()["items"]
        whole = await bob.get(f"/v1/verifications/{attempt['verification_id']}")
        assert (whole.json()["identity"], whole.json()["address"]) == (None, None)
        assert "Secretive" not in whole.text
        assert "Hidden Lane" not in whole.text


async def test_personal_data_is_only_in_the_tables_of_identities_and_addresses(
    running: Any, rita: Any, ann: Any, pending_id: str
) -> None:
    """No event, stored answer, verification or inbox row has any of it."""
    await rita.post(f"/v1/verifications/{pending_id}/reject", json=REASONS, headers={"Idempotency-Key": "k"})
    await ann.post(f"/v1/verifications/{pending_id}/resubmit", json={}, headers={"Idempotency-Key": "k"})
    tables = ["outbox", "inbox", "idempotency", "registrations", "verifications", "approvals", "parked"]
    for table in tables:
        rows = await running.fetch(f"SELECT t::text AS all FROM {table} t")
        plain = " ".join(row["all"] for row in rows)
        for secret in ("Secretive", "2813105O", "Hidden Lane", "D02 X000"):
            assert secret not in plain
            assert secret.encode().hex() not in plain


async def test_the_end_of_a_did_withdraws_its_pending_verification(
    running: Any, rita: Any, build: Any, pending_id: str
) -> None:
    """The queue is empty, and the verification can no longer be decided."""
    await running.receive(build.removed())
    assert (await rita.get("/v1/verifications")).json()["items"] == []
    answer = await rita.post(f"/v1/verifications/{pending_id}/approve")
    assert (answer.status_code, answer.json()["code"]) == (409, "withdrawn")


async def test_a_verification_of_a_did_with_countless_attempts_shows_the_latest_hundred(
    running: Any, rita: Any, pending_id: str
) -> None:
    """An account can submit again and again. The list of the DID has the others, page by page."""
    first = await running.state(Verification, UUID(pending_id))
    attempts = [
        replace(first, verification_id=verification_id(first.did_id, n), attempt=n, status="rejected")
        for n in range(2, 103)
    ]
    await running.store(*attempts)
    shown = (await rita.get(f"/v1/verifications/{attempts[-1].verification_id}")).json()
    assert [each["attempt"] for each in shown["earlier"]] == list(range(101, 1, -1))
    listed = (await rita.get(f"/v1/verifications?did_id={first.did_id}&limit=1000")).json()
    assert len(listed["items"]) == 102
