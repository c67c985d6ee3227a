"""F18: the database is stopped, killed and started again under load, and all its connections are killed.

Whoever asks meanwhile is told to come again; nothing is half done.
"""

import asyncio
from contextlib import AsyncExitStack
from itertools import cycle
from uuid import uuid4

import httpx
from faults.installation import Installation, InstallOn, Member, ready
from faults.invariants import Judge
from faults.load import loading, repeating
from faults.oracle import Ask
from faults.servers import database_server
from harness.processes import until

KILLS = 3
EVERY_S = 3.0


async def refused(at: Installation, api: Member) -> bool:
    """Whether a call is answered with 503 and when to come again."""
    headers = {"Authorization": f"Bearer {at.token()}", "Idempotency-Key": str(uuid4())}
    async with httpx.AsyncClient(base_url=api.base, timeout=15, trust_env=False) as client:
        answer = await client.post("/v1/terms/batch/renew", json={"dids": ["+12125550123"]}, headers=headers)
    return answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0


async def test_a_database_that_comes_back_has_everything_once(
    install_on: InstallOn, ask: Ask, judge: Judge, exits: AsyncExitStack
) -> None:
    """F18: stop, kill -9 and killed connections under load: 503 with Retry-After, pools recover, I1 to I8 hold."""
    server = await exits.enter_async_context(database_server())
    at = install_on(await server.databases(["billing", "inventory"]))
    oracle = await ask(at)
    api, *workers = await ready(at.api("billing"), at.worker("billing"), at.worker("inventory"))
    oracle.apis["billing"] = await exits.enter_async_context(at.http_client(api))
    bought = await oracle.purchase(5)
    assert await at.unrest() == []
    turn = cycle(bought)

    async def renew() -> None:
        await oracle.command("renew", next(turn), billing_period=1)

    async with loading(oracle, every=0.05), repeating(renew):
        for end in (server.stop, server.kill):
            await end()
            await until(lambda: refused(at, api), within=20, what="503 with Retry-After")
            await server.start()
            await until(
                lambda: api.health_answer("/healthz/ready"), within=20, what="an API that reaches it again"
            )
            await oracle.purchase()
        for _ in range(KILLS):
            assert await server.kill_connections()
            await asyncio.sleep(EVERY_S)
    await judge(at, oracle)
    assert [member.process.exit_code for member in (api, *workers)] == [None] * 3
