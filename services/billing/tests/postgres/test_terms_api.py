"""Terms over HTTP: who can see and change them, and the answers."""

from datetime import timedelta
from typing import Any

import pytest

from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term

DAY = timedelta(days=1)
ACTIONS: list[tuple[str, dict[str, Any]]] = [
    ("set-cycles", {"billing_cycles": 3}),
    ("renew", {"billing_period": 3}),
    ("cancel", {}),
    ("restore", {}),
]


async def change(client: Any, action: str, *dids: str, **body: Any) -> Any:
    """Send one action for some DIDs. Return its first result, or the problem."""
    answer = await client.post(f"/v1/terms/batch/{action}", json={"dids": list(dids), **body})
    published = answer.json()
    return published["results"][0] if answer.status_code == 200 else published


async def test_a_term_is_found_by_number_and_by_id(acme: Any, make: Any) -> None:
    """The number may have a plus sign, an escaped one or none."""
    shown = [
        (await acme.get(f"/v1/terms/{name}")).json()
        for name in (make.number, make.number[1:], make.number.replace("+", "%2B"), str(make.did))
    ]
    assert shown[0] == {
        "did_id": str(make.did),
        "number": make.number,
        "account": make.account,
        "payer": make.account,
        "order_id": "o-1",
        "state": "active",
        "cycles_left": None,
        "billing_period": 1,
        "period": 1,
        "period_start": "2026-01-31T12:30:00Z",
        "expires_at": "2026-02-28T12:30:00Z",
        "aging_until": None,
        "price": {
            "setup": {"amount": "3.00", "currency": "EUR"},
            "recurring": {"amount": "5.00", "currency": "EUR"},
        },
        "purchased_at": "2026-01-31T12:30:00Z",
        "registration": "not_required",
    }
    assert shown.count(shown[0]) == 4


async def test_a_removed_did_is_found_by_its_id_only(acme: Any, active: Any, make: Any) -> None:
    """A number means the live DID. An id always means the same DID."""
    await active.receive(make.withdrawn())
    assert (await acme.get(f"/v1/terms/{make.number}")).status_code == 404
    assert (await acme.get(f"/v1/terms/{make.did}")).json()["state"] == "closed"


@pytest.mark.parametrize(
    "name", ["nope", "%00", "+12", "00000000-0000-0000-0000-000000000000", "+35319609099"]
)
async def test_a_name_without_a_term_is_not_found(acme: Any, name: str) -> None:
    """This holds for every form of name."""
    answer = await acme.get(f"/v1/terms/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("account", "role", "status"),
    [
        ("master", "master_reseller", 200),
        ("didflow", "operator", 200),
        ("master/acme/shop", "enterprise_admin", 404),
        ("master/acm", "reseller", 404),
        ("master/other", "reseller", 404),
    ],
)
async def test_a_term_is_visible_to_its_holder_and_the_accounts_above(
    active: Any, make: Any, account: str, role: str, status: int
) -> None:
    """For every other account it does not exist. Only an operator sees all terms."""
    async with active.client(account, role) as client:
        assert (await client.get(f"/v1/terms/{make.did}")).status_code == status


@pytest.mark.parametrize(("action", "body"), ACTIONS)
async def test_a_did_of_another_account_cannot_be_changed(
    active: Any, make: Any, action: str, body: dict[str, Any]
) -> None:
    """Each action returns `not_found`, and nothing changes."""
    before = await active.state(Term, make.did)
    async with active.client("master/other") as eve:
        answer = await change(eve, action, make.number, **body)
    assert (answer["outcome"], answer["code"]) == ("refused", "not_found")
    assert await active.state(Term, make.did) == before


@pytest.mark.parametrize("role", ["user", "reviewer"])
async def test_a_user_sees_and_changes_nothing_of_billing(active: Any, make: Any, role: str) -> None:
    """Every route answers 403 `role_not_allowed`, also for what does not exist. The same holds for a reviewer."""
    async with active.client(role=role) as client:
        answers = [
            await client.get(path) for path in (f"/v1/terms/{make.number}", "/v1/terms/nope", "/v1/ledger")
        ]
        answers.append(await client.post("/v1/terms/quote", json={}))
        answers += [await client.post(f"/v1/terms/batch/{action}", json={}) for action, _ in ACTIONS]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, "role_not_allowed")}


async def test_a_bad_number_does_not_fail_the_other_items(acme: Any, make: Any) -> None:
    """Results have the order of the request. A DID that is named again by its other name is unchanged."""
    dids = ["nope", make.number, str(make.did), "+35319609099"]
    answer = (await acme.post("/v1/terms/batch/cancel", json={"dids": dids})).json()
    assert [entry["did"] for entry in answer["results"]] == dids
    assert [entry["outcome"] for entry in answer["results"]] == ["refused", "done", "unchanged", "refused"]
    assert (answer["done"], answer["unchanged"], answer["refused"]) == (1, 1, 2)


async def test_a_retried_renewal_is_one_renewal(acme: Any, active: Any, make: Any) -> None:
    """The same key and body give the first answer again, and one charge."""
    body, key = {"dids": [make.number], "billing_period": 1}, {"Idempotency-Key": "r-1"}
    first = await acme.post("/v1/terms/batch/renew", json=body, headers=key)
    again = await acme.post("/v1/terms/batch/renew", json=body, headers=key)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    assert len(await active.rows(LedgerEntry)) == 3
    other = await acme.post("/v1/terms/batch/renew", json=body | {"billing_period": 3}, headers=key)
    assert other.json()["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("set-cycles", {"billing_cycles": 1000}, "billing_cycles"),
        ("set-cycles", {"billing_cycles": -1}, "billing_cycles"),
        ("set-cycles", {"billing_cycles": True}, "billing_cycles"),
        ("set-cycles", {}, "billing_cycles"),
        ("renew", {"billing_period": 2}, "billing_period"),
        ("renew", {"billing_period": None}, "billing_period"),
        ("restore", {"billing_period": 24}, "billing_period"),
        ("cancel", {"remove": "yes"}, "remove"),
        ("cancel", {"force": True}, "force"),
    ],
)
async def test_the_error_of_a_wrong_body_names_the_field(
    acme: Any, make: Any, action: str, body: dict[str, Any], field: str
) -> None:
    """The answer is 422 with a code, and nothing is decided."""
    problem = await change(acme, action, make.number, **body)
    code = "unknown_field" if field == "force" else "input_invalid"
    assert (problem["code"], problem["errors"][0]["field"]) == (code, field)


async def test_an_empty_list_and_one_that_is_too_long_are_refused(acme: Any, make: Any) -> None:
    """This holds for actions and for quotes."""
    for path, body in [("batch/cancel", {}), ("quote", {"action": "cancel"})]:
        for dids, code in [([], "too_few"), ([make.number] * 1001, "too_many")]:
            answer = await acme.post(f"/v1/terms/{path}", json={"dids": dids, **body})
            assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_what_was_due_is_settled_before_an_action(acme: Any, active: Any, make: Any) -> None:
    """The renewal arrives 35 days after the end of the last period, when the DID is already removed."""
    await change(acme, "set-cycles", make.number, billing_cycles=0)
    await active.set_time(make.zero + 63 * DAY)
    assert (await change(acme, "renew", make.number, billing_period=1))["code"] == "not_found"
    assert (await active.topics())[-1] == "did.removed"


async def test_every_route_needs_a_token(acme: Any, make: Any) -> None:
    """The answer is 401. Only the OpenAPI document is public."""
    del acme.headers["Authorization"]
    for path in (f"/v1/terms/{make.number}", "/v1/ledger"):
        assert (await acme.get(path)).status_code == 401
    assert (await acme.get("/openapi/billing.json")).status_code == 200
