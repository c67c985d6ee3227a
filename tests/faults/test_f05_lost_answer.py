"""F05 and H3: an API is killed during its commit, and the caller sends the same request and key to another API.

Whether or not the first transaction was committed, the request has one effect and one answer.
"""

import signal
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from faults.commit_cutter import commit_cutter
from faults.installation import Install, Installation, Member, ready
from faults.invariants import CheckInvariants
from faults.recording_client import OpenClient, SentPurchase

MOMENTS = {
    "before the commit": "stage.commit=kill@1",
    "after the commit": "stage.answer=kill@1",
    "during a commit that is applied": "applied",
    "during a commit that is not": "dropped",
}


async def post(installation: Installation, api: Member, path: str, body: Any, key: str) -> httpx.Response:
    """Call an API once, without retries."""
    headers = {"Authorization": f"Bearer {installation.token()}", "Idempotency-Key": key}
    async with httpx.AsyncClient(base_url=api.base, timeout=15, trust_env=False) as client:
        return await client.post(path, json=body, headers=headers)


async def start_killed_api(
    installation: Installation, index: int, moment: str, exits: AsyncExitStack
) -> Member:
    """Start an API that is killed at this moment of its first call."""
    if "=" in moment:
        return installation.api("billing", index, FAILPOINTS=moment)
    cutter, dsn = await exits.enter_async_context(commit_cutter(installation.parts.postgres["billing"]))
    api = installation.api("billing", index, POSTGRES=dsn)
    cutter.arm("applied" if moment == "applied" else "dropped", lambda: api.process.send(signal.SIGKILL))
    return api


async def test_a_call_whose_api_was_killed_has_one_effect_and_one_answer(
    install: Install, open_client: OpenClient, check_invariants: CheckInvariants, exits: AsyncExitStack
) -> None:
    """H3: kill -9 before, during and after the commit of a renewal. The renewal has one effect and one answer."""
    installation = await install("billing")
    client = await open_client(installation)
    apis = [
        await start_killed_api(installation, n, moment, exits)
        for n, moment in enumerate(MOMENTS.values(), start=1)
    ]
    healthy, *killed, _ = await ready(installation.api("billing"), *apis, installation.worker("billing"))
    client.apis["billing"] = await exits.enter_async_context(installation.http_client(healthy))
    purchases = await client.purchase(len(MOMENTS))
    assert await installation.unfinished_work() == []
    for purchase, api in zip(purchases, killed, strict=True):
        body, path = {"dids": [purchase.did_id], "billing_period": 1}, "/v1/terms/batch/renew"
        with pytest.raises(httpx.TransportError):
            await post(installation, api, path, body, purchase.key)
        assert await api.process.ended(within=5) == -signal.SIGKILL
        response = await client.call("billing", path, body, key=purchase.key)
        assert response.body["done"] == 1
        repeated = await post(installation, healthy, path, body, purchase.key)
        assert (repeated.json(), repeated.headers["Idempotent-Replayed"]) == (response.body, "true")
        note_renewal(client, purchase)
    await check_invariants(installation, client)


def note_renewal(client: Any, purchase: SentPurchase) -> None:
    """Write the renewal to the ledger, because it was acknowledged."""
    about = {"did_id": purchase.did_id, "number": purchase.number, "key": purchase.key}
    client.ledger.write("renew", billing_period=1, **about)


async def test_a_purchase_whose_api_was_killed_is_made_once(
    install: Install, open_client: OpenClient, check_invariants: CheckInvariants, exits: AsyncExitStack
) -> None:
    """F05: kill -9 after the commit, before the answer. The retry gets the stored answer, and there is one purchase."""
    installation = await install("inventory")
    client = await open_client(installation)
    healthy, killed, _ = await ready(
        installation.api("inventory"),
        installation.api("inventory", 1, FAILPOINTS="stage.answer=kill@1"),
        installation.worker("inventory"),
    )
    client.apis["inventory"] = await exits.enter_async_context(installation.http_client(healthy))
    purchase = client.make()
    body = purchase.data.model_dump(mode="json", exclude_unset=True)
    with pytest.raises(httpx.TransportError):
        await post(installation, killed, "/v1/purchases", body, purchase.key)
    repeated = await post(installation, healthy, "/v1/purchases", body, purchase.key)
    assert (repeated.status_code, repeated.headers["Idempotent-Replayed"]) == (201, "true")
    assert repeated.json()["did_id"] == purchase.did_id
    client.note(purchase)
    await check_invariants(installation, client)
