"""F05 and H3: an API is killed around its commit, and the caller sends the same call under the same key to another.

Whether the first one was committed or not, there is one effect and one answer.
"""

import signal
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from faults.commits import commit_cutter
from faults.installation import Install, Installation, Member, ready
from faults.invariants import Judge
from faults.oracle import Ask, OraclePurchase

MOMENTS = {
    "before the commit": "stage.commit=kill@1",
    "after the commit": "stage.answer=kill@1",
    "during a commit that is applied": "applied",
    "during a commit that is not": "dropped",
}


async def post(at: Installation, api: Member, path: str, body: Any, key: str) -> httpx.Response:
    """Call an API once, without patience."""
    headers = {"Authorization": f"Bearer {at.token()}", "Idempotency-Key": key}
    async with httpx.AsyncClient(base_url=api.base, timeout=15, trust_env=False) as client:
        return await client.post(path, json=body, headers=headers)


async def doomed(at: Installation, index: int, moment: str, exits: AsyncExitStack) -> Member:
    """Start an API that a call will kill at a moment."""
    if "=" in moment:
        return at.api("billing", index, FAILPOINTS=moment)
    cutter, dsn = await exits.enter_async_context(commit_cutter(at.parts.postgres["billing"]))
    api = at.api("billing", index, POSTGRES=dsn)
    cutter.arm("applied" if moment == "applied" else "dropped", lambda: api.process.send(signal.SIGKILL))
    return api


async def test_a_call_whose_api_was_killed_has_one_effect_and_one_answer(
    install: Install, ask: Ask, judge: Judge, exits: AsyncExitStack
) -> None:
    """H3: kill -9 before, during and after the commit of a renewal: one effect, one answer."""
    at = await install("billing")
    oracle = await ask(at)
    apis = [await doomed(at, n, moment, exits) for n, moment in enumerate(MOMENTS.values(), start=1)]
    healthy, *dying, _ = await ready(at.api("billing"), *apis, at.worker("billing"))
    oracle.apis["billing"] = await exits.enter_async_context(at.http_client(healthy))
    bought = await oracle.purchase(len(MOMENTS))
    assert await at.unrest() == []
    for one, api in zip(bought, dying, strict=True):
        body, path = {"dids": [one.did_id], "billing_period": 1}, "/v1/terms/batch/renew"
        with pytest.raises(httpx.TransportError):
            await post(at, api, path, body, one.key)
        assert await api.process.ended(within=5) == -signal.SIGKILL
        answered = await oracle.call("billing", path, body, key=one.key)
        assert answered.body["done"] == 1
        again = await post(at, healthy, path, body, one.key)
        assert (again.json(), again.headers["Idempotent-Replayed"]) == (answered.body, "true")
        noted(oracle, one)
    await judge(at, oracle)


def noted(oracle: Any, one: OraclePurchase) -> None:
    """Write the renewal down: it was answered."""
    about = {"did_id": one.did_id, "number": one.number, "key": one.key}
    oracle.ledger.write("renew", billing_period=1, **about)


async def test_a_purchase_whose_api_was_killed_is_one_order(
    install: Install, ask: Ask, judge: Judge, exits: AsyncExitStack
) -> None:
    """F05: kill -9 after the commit, before the answer; the retry gets the stored answer; there is one order."""
    at = await install("inventory")
    oracle = await ask(at)
    healthy, dying, _ = await ready(
        at.api("inventory"),
        at.api("inventory", 1, FAILPOINTS="stage.answer=kill@1"),
        at.worker("inventory"),
    )
    oracle.apis["inventory"] = await exits.enter_async_context(at.http_client(healthy))
    one = oracle.make()
    body = one.data.model_dump(mode="json", exclude_unset=True)
    with pytest.raises(httpx.TransportError):
        await post(at, dying, "/v1/purchases", body, one.key)
    again = await post(at, healthy, "/v1/purchases", body, one.key)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert again.json()["did_id"] == one.did_id
    oracle.note(one)
    await judge(at, oracle)
