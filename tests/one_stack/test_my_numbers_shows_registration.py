"""My Numbers shows what verification decides: icon, reference, reasons, services and the next step."""

import asyncio
from typing import Any

import pytest

from one_stack.caller import Caller

pytestmark = pytest.mark.asyncio(loop_scope="package")

DUBLIN = "+35319605511"
LONDON = "+442079460511"
A2P = {
    "did": DUBLIN,
    "service": "a2p_sms",
    "brand": "Bakery",
    "use_case": "customer_care",
    "sample_messages": ["Your bread is ready."],
    "opt_in_text": "I agree.",
}
REJECTED = {"reasons": [{"code": "mismatch", "field": "identity.company_name"}]}


def icon(view: Any) -> Any:
    """Return the registration's icon and the next step."""
    return view["registration"]["icon"], view["next_step"]["action"], view["next_step"]["who"]


def reasons(view: Any) -> Any:
    """Return the codes and fields of the registration's reasons."""
    return [(reason["code"], reason["field"]) for reason in view["registration"]["reasons"]]


def services(view: Any) -> Any:
    """Return the additional services."""
    return [(each["service"], each["state"], each["color"]) for each in view["services"]]


async def test_my_numbers_follows_a_registration_and_its_services(caller: Caller) -> None:
    """Not assigned, pending, rejected with its reason, approved; a service requested and active; revoked."""
    await caller.purchase(DUBLIN, features=["voice_in", "a2p_sms"])
    await caller.shows(icon, ("not_assigned", "assign_end_user_details", "account"), DUBLIN)
    details = await caller.end_user("Bakery", "7 Lane")
    await caller.done("/v1/dids/batch/assign-end-user", [DUBLIN], **details, document_ids=[])
    await caller.shows(icon, ("pending", "await_review", "reviewer"), DUBLIN)
    attempt = await caller.pending()
    await caller.ask("POST", f"/v1/verifications/{attempt}/reject", REJECTED, role="reviewer")
    view = await caller.shows(icon, ("rejected", "fix_end_user_details", "account"), DUBLIN)
    assert [reason["code"] for reason in view["registration"]["reasons"]] == ["mismatch"]
    assert view["registration"]["reference"].startswith("V-")
    await caller.ask("POST", f"/v1/verifications/{attempt}/resubmit", {})
    second = await caller.pending()
    await caller.ask("POST", f"/v1/verifications/{second}/approve", {}, role="reviewer")
    await caller.shows(lambda view: view["registration"]["icon"], "active", DUBLIN)
    await caller.shows(services, [("a2p_sms", "not_configured", "gray")], DUBLIN)
    request = (await caller.ask("POST", "/v1/service-requests", A2P))["request_id"]
    await caller.shows(services, [("a2p_sms", "new", "yellow")], DUBLIN)
    for state in ("in_process", "active"):
        await caller.ask("POST", f"/v1/service-requests/{request}/decide", {"state": state}, role="service")
    await caller.shows(services, [("a2p_sms", "active", "green")], DUBLIN)
    await caller.ask("POST", f"/v1/verifications/{second}/revoke", {}, role="reviewer")
    view = await caller.shows(icon, ("rejected", "fix_end_user_details", "account"), DUBLIN)
    assert (view["registration"]["state"], view["status"]) == ("expired", "awaiting_registration")
    assert [reason["code"] for reason in view["registration"]["reasons"]] == ["suspected_fraud"]
    await caller.shows(services, [("a2p_sms", "changes_required", "red")], DUBLIN)


async def test_my_numbers_and_the_history_show_why_details_without_a_requirement_were_refused(
    caller: Caller,
) -> None:
    """The batch answers `done`, because only verification knows whose identity it is. Then the reason is shown."""
    await caller.purchase(LONDON)
    person = {"type": "business", "company_name": "Not a bakery", "account": "master/other"}
    foreign = (await caller.ask("POST", "/v1/identities", person, role="master_reseller"))["identity_id"]
    body = {"dids": [LONDON], "identity_id": foreign, "document_ids": []}
    answer = await caller.ask("POST", "/v1/dids/batch/assign-end-user", body)
    assert answer["done"] == 1

    view = await caller.shows(reasons, [("not_yours", "identity_id")], LONDON)
    assert view["registration"]["reasons"][0]["message"]
    assert (view["registration"]["state"], view["identity"]["identity_id"]) == ("not_required", None)
    for _ in range(100):
        entries = (await caller.ask("GET", f"/v1/dids/{LONDON}/history"))["items"]
        refused = [entry for entry in entries if entry["type"] == "didflow.message.refused.v1"]
        if refused:
            break
        await asyncio.sleep(0.1)
    assert [(entry["code"], entry["extra"]["field"]) for entry in refused] == [("not_yours", "identity_id")]
