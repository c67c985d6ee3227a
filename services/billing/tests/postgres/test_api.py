"""Terms over HTTP: who sees which, and what each wish answers."""

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


async def wish(client: Any, action: str, *dids: str, **body: Any) -> Any:
    """Send one wish for some DIDs and give the first entry of its answer, or the problem."""
    answer = await client.post(f"/v1/terms/batch/{action}", json={"dids": list(dids), **body})
    said = answer.json()
    return said["results"][0] if answer.status_code == 200 else said


async def test_a_term_is_shown_by_number_and_by_id(acme: Any, say: Any) -> None:
    """With the plus, without it, escaped, and by the DID's id: the same term, whole."""
    shown = [
        (await acme.get(f"/v1/terms/{name}")).json()
        for name in (say.number, say.number[1:], say.number.replace("+", "%2B"), str(say.did))
    ]
    assert shown[0] == {
        "did_id": str(say.did),
        "number": say.number,
        "account": say.account,
        "payer": say.account,
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


async def test_a_former_did_is_shown_by_its_id_alone(acme: Any, active: Any, say: Any) -> None:
    """The number means a living DID; the id means this one for ever."""
    await active.receive(say.withdrawn())
    assert (await acme.get(f"/v1/terms/{say.number}")).status_code == 404
    assert (await acme.get(f"/v1/terms/{say.did}")).json()["state"] == "closed"


@pytest.mark.parametrize(
    "name", ["nope", "%00", "+12", "00000000-0000-0000-0000-000000000000", "+35319609099"]
)
async def test_what_is_not_there_is_not_found(acme: Any, name: str) -> None:
    """Whatever the name looks like."""
    answer = await acme.get(f"/v1/terms/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("account", "role", "status"),
    [
        ("master/acme", "user", 200),
        ("master", "master_reseller", 200),
        ("didflow", "operator", 200),
        ("master/acme/shop", "enterprise_admin", 404),
        ("master/acm", "reseller", 404),
        ("master/other", "reseller", 404),
    ],
)
async def test_a_term_is_seen_from_its_holder_upwards(
    active: Any, say: Any, account: str, role: str, status: int
) -> None:
    """Its own account, those above, and the operator; for anyone else it does not exist."""
    async with active.client(account, role) as client:
        assert (await client.get(f"/v1/terms/{say.did}")).status_code == status


@pytest.mark.parametrize(("action", "body"), ACTIONS)
async def test_a_foreign_did_cannot_be_touched(
    active: Any, say: Any, action: str, body: dict[str, Any]
) -> None:
    """Each wish answers `not_found`, and nothing changes."""
    before = await active.state(Term, say.did)
    async with active.client("master/other") as eve:
        answer = await wish(eve, action, say.number, **body)
    assert (answer["outcome"], answer["code"]) == ("refused", "not_found")
    assert await active.state(Term, say.did) == before


@pytest.mark.parametrize(("action", "body"), ACTIONS)
@pytest.mark.parametrize("role", ["user", "reviewer"])
async def test_wishes_are_not_for_users_and_reviewers(
    active: Any, say: Any, action: str, body: dict[str, Any], role: str
) -> None:
    """403 with a code; nothing is decided."""
    async with active.client(role=role) as client:
        assert (await wish(client, action, say.number, **body))["code"] == "role_not_allowed"


async def test_each_wish_is_done_for_those_who_may(acme: Any, active: Any, say: Any) -> None:
    """Cycles, a renewal, a cancellation and its end, and the terms that come of them."""
    assert (await wish(acme, "set-cycles", say.number, billing_cycles=0))["outcome"] == "done"
    assert (await active.state(Term, say.did)).state == "delayed_removal"
    assert (await wish(acme, "set-cycles", say.number, billing_cycles=0))["outcome"] == "unchanged"
    assert (await wish(acme, "renew", say.number, billing_period=3))["outcome"] == "done"
    assert (await wish(acme, "cancel", say.number))["outcome"] == "done"
    assert (await wish(acme, "renew", say.number, billing_period=1))["code"] == "restore_first"
    assert (await wish(acme, "restore", say.number))["outcome"] == "done"
    assert (await wish(acme, "restore", say.number))["code"] == "not_canceled"
    assert (await active.state(Term, say.did)).expires_at.isoformat() == "2026-05-31T12:30:00+00:00"
    assert [str(line.amount) for line in await active.rows(LedgerEntry)] == ["3.00", "5.00", "15.00"]


async def test_one_bad_number_never_fails_the_rest(acme: Any, say: Any) -> None:
    """Entry by entry, in the order asked; a DID named again, by its other name, is unchanged."""
    dids = ["nope", say.number, str(say.did), "+35319609099"]
    answer = (await acme.post("/v1/terms/batch/cancel", json={"dids": dids})).json()
    assert [entry["did"] for entry in answer["results"]] == dids
    assert [entry["outcome"] for entry in answer["results"]] == ["refused", "done", "unchanged", "refused"]
    assert (answer["done"], answer["unchanged"], answer["refused"]) == (1, 1, 2)


async def test_a_retried_renewal_is_one_renewal(acme: Any, active: Any, say: Any) -> None:
    """The same key and body: the first answer again, and one charge."""
    body, key = {"dids": [say.number], "billing_period": 1}, {"Idempotency-Key": "r-1"}
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
async def test_a_body_that_is_wrong_names_its_field(
    acme: Any, say: Any, action: str, body: dict[str, Any], field: str
) -> None:
    """422 with the field and a code, before anything is decided."""
    problem = await wish(acme, action, say.number, **body)
    code = "unknown_field" if field == "force" else "input_invalid"
    assert (problem["code"], problem["errors"][0]["field"]) == (code, field)


async def test_none_and_too_many_entries_are_refused(acme: Any, say: Any) -> None:
    """For wishes and for quotes alike."""
    for path, body in [("batch/cancel", {}), ("quote", {"action": "cancel"})]:
        for dids, code in [([], "too_few"), ([say.number] * 1001, "too_many")]:
            answer = await acme.post(f"/v1/terms/{path}", json={"dids": dids, **body})
            assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_a_late_clock_is_settled_before_a_wish(acme: Any, active: Any, say: Any) -> None:
    """The wish comes 35 days after a period that was the last one: gone, not renewed."""
    await wish(acme, "set-cycles", say.number, billing_cycles=0)
    await active.set_time(say.zero + 63 * DAY)
    assert (await wish(acme, "renew", say.number, billing_period=1))["code"] == "not_found"
    assert (await active.topics())[-1] == "did.removed"


async def test_without_a_token_nothing_is_answered(acme: Any, say: Any) -> None:
    """401 on every path but the API's own document."""
    del acme.headers["Authorization"]
    for path in (f"/v1/terms/{say.number}", "/v1/ledger"):
        assert (await acme.get(path)).status_code == 401
    assert (await acme.get("/openapi/billing.json")).status_code == 200
