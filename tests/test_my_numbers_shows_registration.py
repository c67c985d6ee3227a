"""My Numbers shows what verification decides: icon, reference, reasons, services and the next step."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio
from harness.fixtures import new_topics

from didflow.servers import Wanted
from didflow.stack import running

pytestmark = pytest.mark.asyncio(loop_scope="module")

DUBLIN = "+35319605511"
LONDON = "+442079460511"
ORDER = {
    "number": DUBLIN,
    "account": "master/acme",
    "order_id": "ORD-1",
    "number_type": "local",
    "features": ["voice_in", "a2p_sms"],
    "end_user_type": "business",
    "price": {
        "setup": {"amount": "0.00", "currency": "EUR"},
        "recurring": {"amount": "1.00", "currency": "EUR"},
    },
    "billing_period": 1,
}
A2P = {
    "did": DUBLIN,
    "service": "a2p_sms",
    "brand": "Bakery",
    "use_case": "customer_care",
    "sample_messages": ["Your bread is ready."],
    "opt_in_text": "I agree.",
}
REJECTED = {"reasons": [{"code": "mismatch", "field": "identity.company_name"}]}


class Caller:
    """Calls a running stack as any caller, and waits until My Numbers shows a change."""

    def __init__(self, client: httpx.AsyncClient, token: Callable[..., str]) -> None:
        self._client, self._token = client, token

    async def ask(
        self, method: str, path: str, body: Any = None, *, role: str = "reseller", **query: Any
    ) -> Any:
        """Send a request and return the answer, which must be a success."""
        account = "master/acme" if role == "reseller" else "master"
        headers = {
            "Authorization": f"Bearer {self._token(role=role, account=account)}",
            "Idempotency-Key": path,
        }
        headers |= (
            {} if body is None else {"Idempotency-Key": f"{path} {sorted(body.items())!s:.200}".strip()}
        )
        answer = await self._client.request(
            method, path, headers=headers, json=body if method != "GET" else None, params=query
        )
        assert answer.is_success, answer.text
        return answer.json()

    async def shows(self, what: Callable[[Any], Any], expected: Any, number: str = DUBLIN) -> Any:
        """Wait until the view of the number satisfies the condition. Return the view."""
        seen = None
        for _ in range(100):
            view = await self.ask("GET", f"/v1/dids/{number}")
            seen = what(view)
            if seen == expected:
                return view
            await asyncio.sleep(0.1)
        raise AssertionError(f"{seen} is not {expected}")

    async def pending(self) -> str:
        """Wait until a verification is pending, and return it."""
        for _ in range(100):
            queue = (await self.ask("GET", "/v1/verifications", role="reviewer"))["items"]
            if queue:
                found: str = queue[0]["verification_id"]
                return found
            await asyncio.sleep(0.1)
        raise AssertionError("nothing came into the queue")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def caller(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Caller]:
    """A caller on a stack that all tests here share."""
    async with new_topics(kafka) as prefix:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("DIDFLOW_TOPIC_PREFIX", prefix)
            folder = tmp_path_factory.mktemp("stack")
            async with (
                running(Wanted(kafka=kafka), folder, tell=lambda _: None, port=0) as stack,
                httpx.AsyncClient(base_url=stack.base, timeout=15, trust_env=False) as client,
            ):
                yield Caller(client, stack.issuer.token)


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
    await caller.ask("POST", "/v1/purchases", ORDER)
    await caller.shows(icon, ("not_assigned", "assign_end_user_details", "account"))
    identity = await caller.ask("POST", "/v1/identities", {"type": "business", "company_name": "Bakery"})
    place = {"street": "7 Lane", "city": "Dublin", "country": "IE", "identity_id": identity["identity_id"]}
    address = await caller.ask("POST", "/v1/addresses", place)
    details = {"identity_id": identity["identity_id"], "address_id": address["address_id"]}
    await caller.ask(
        "POST", "/v1/dids/batch/assign-end-user", {"dids": [DUBLIN], **details, "document_ids": []}
    )
    await caller.shows(icon, ("pending", "await_review", "reviewer"))
    attempt = await caller.pending()
    await caller.ask("POST", f"/v1/verifications/{attempt}/reject", REJECTED, role="reviewer")
    view = await caller.shows(icon, ("rejected", "fix_end_user_details", "account"))
    assert [reason["code"] for reason in view["registration"]["reasons"]] == ["mismatch"]
    assert view["registration"]["reference"].startswith("V-")
    await caller.ask("POST", f"/v1/verifications/{attempt}/resubmit", {})
    second = await caller.pending()
    await caller.ask("POST", f"/v1/verifications/{second}/approve", {}, role="reviewer")
    await caller.shows(lambda view: view["registration"]["icon"], "active")
    await caller.shows(services, [("a2p_sms", "not_configured", "gray")])
    request = (await caller.ask("POST", "/v1/service-requests", A2P))["request_id"]
    await caller.shows(services, [("a2p_sms", "new", "yellow")])
    for state in ("in_process", "active"):
        await caller.ask("POST", f"/v1/service-requests/{request}/decide", {"state": state}, role="service")
    await caller.shows(services, [("a2p_sms", "active", "green")])
    await caller.ask("POST", f"/v1/verifications/{second}/revoke", {}, role="reviewer")
    view = await caller.shows(icon, ("rejected", "fix_end_user_details", "account"))
    assert (view["registration"]["state"], view["status"]) == ("expired", "awaiting_registration")
    assert [reason["code"] for reason in view["registration"]["reasons"]] == ["suspected_fraud"]
    await caller.shows(services, [("a2p_sms", "changes_required", "red")])


async def test_my_numbers_and_the_history_show_why_details_without_a_requirement_were_refused(
    caller: Caller,
) -> None:
    """The batch answers `done`, because only verification knows whose identity it is. Then the reason is shown."""
    await caller.ask("POST", "/v1/purchases", ORDER | {"number": LONDON, "order_id": "ORD-2"})
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
