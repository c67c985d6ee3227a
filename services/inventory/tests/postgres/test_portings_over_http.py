"""Portings over HTTP, on a real PostgreSQL."""

import json
from typing import Any


def body_of(make: Any, **changes: Any) -> Any:
    """Return the body of a porting without a did_id."""
    body = json.loads(json.dumps(make.porting_data(**changes), default=str))
    if "did_id" not in changes:
        del body["did_id"]
    return body


async def start(inventory: Any, make: Any, key: str | None = "k") -> Any:
    """Start a porting, and return the answer."""
    return await inventory.call("POST", "/v1/portings", key=key, json=body_of(make))


async def test_a_porting_is_started_and_completed(inventory: Any, make: Any) -> None:
    """From Porting in Progress on. The events come back to inventory as repeats."""
    missing = await start(inventory, make, key=None)
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency_key_missing")
    started = await start(inventory, make)
    assert started.status_code == 201, started.text
    did = started.json()
    assert (did["status"], did["stock"], did["origin"]) == ("porting_in_progress", "porting_in", "ported_in")
    assert did["next_step"]["action"] == "await_porting"
    assert (await start(inventory, make, key="again")).json()["did_id"] == did["did_id"]
    assert (await inventory.get("/v1/dids/summary")) == {
        "all": 1,
        "awaiting_registration": 1,
        "not_configured": 1,
        "porting": 1,
    }

    bought = make.purchase_data(did_id=did["did_id"], acquired="ported_in")
    completed = await inventory.call(
        "POST", "/v1/purchases", key="p", json=json.loads(json.dumps(bought, default=str))
    )
    assert completed.status_code == 201, completed.text
    assert (completed.json()["did_id"], completed.json()["stock"]) == (did["did_id"], "assigned")
    before = await inventory.get(f"/v1/dids/{make.number}/history")
    for topic in ("did.porting_started", "did.purchased"):
        await inventory.receive(*await inventory.published(topic))
    assert await inventory.get(f"/v1/dids/{make.number}/history") == before
    cancel = await inventory.call("POST", f"/v1/portings/{did['did_id']}/cancel")
    assert (cancel.status_code, cancel.json()["code"]) == (409, "porting_completed")


async def test_a_porting_is_canceled(inventory: Any, make: Any) -> None:
    """The DID is read by its id afterwards. Somebody else's porting is not found."""
    did = (await start(inventory, make)).json()
    path = f"/v1/portings/{did['did_id']}/cancel"
    foreign = await inventory.call("POST", path, "reseller:other")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
    canceled = await inventory.call("POST", f"/v1/portings/{make.number}/cancel")
    assert (canceled.status_code, canceled.json()["stock"]) == (200, "removed")
    again = await inventory.call("POST", path)
    assert (again.status_code, again.json()) == (200, canceled.json())
    await inventory.receive(*await inventory.published("did.porting_ended"))
    shown = await inventory.get(f"/v1/dids/{did['did_id']}")
    assert (shown["stock"], shown["status"]) == ("removed", None)
    entries = (await inventory.get(f"/v1/dids/{did['did_id']}/history"))["items"]
    assert [entry["type"] for entry in entries] == [
        "http.start_porting",
        "http.cancel_porting",
        "http.cancel_porting",
    ]
