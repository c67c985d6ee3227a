"""F18: the database is stopped, killed and started again under load, and all its connections are killed.

Requests in that time are answered with 503 and `Retry-After`. No transaction is half done.
"""

import asyncio
from contextlib import AsyncExitStack
from itertools import cycle
from uuid import uuid4

import httpx
from faults.database_server import database_server
from faults.installation import Installation, InstallOn, Member, ready
from faults.invariants import CheckInvariants
from faults.recording_client import OpenClient
from faults.steady_load import repeated, steady_purchases
from harness.processes import until

KILLS = 3
EVERY_S = 3.0


async def is_unavailable(installation: Installation, api: Member) -> bool:
    """Return True if a call is answered with 503 and `Retry-After`."""
    headers = {"Authorization": f"Bearer {installation.token()}", "Idempotency-Key": str(uuid4())}
    async with httpx.AsyncClient(base_url=api.base, timeout=15, trust_env=False) as client:
        answer = await client.post("/v1/terms/batch/renew", json={"dids": ["+12125550123"]}, headers=headers)
    return answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0


async def test_every_effect_is_there_once_after_restarts_of_the_database(
    install_on: InstallOn, open_client: OpenClient, check_invariants: CheckInvariants, exits: AsyncExitStack
) -> None:
    """F18: stop, kill -9 and killed connections under load. 503 with Retry-After, pools recover, and I1 to I8 hold."""
    server = await exits.enter_async_context(database_server())
    installation = install_on(await server.databases(["billing", "inventory"]))
    client = await open_client(installation)
    api, *workers = await ready(
        installation.api("billing"), installation.worker("billing"), installation.worker("inventory")
    )
    client.apis["billing"] = await exits.enter_async_context(installation.http_client(api))
    purchases = await client.purchase(5)
    assert await installation.unfinished_work() == []
    purchases_in_turn = cycle(purchases)

    async def renew() -> None:
        await client.command("renew", next(purchases_in_turn), billing_period=1)

    async with steady_purchases(client, every=0.05), repeated(renew):
        for stop in (server.stop, server.kill):
            await stop()
            await until(lambda: is_unavailable(installation, api), within=20, what="503 with Retry-After")
            await server.start()
            await until(
                lambda: api.health_answer("/healthz/ready"),
                within=20,
                what="an API that reaches its database again",
            )
            await client.purchase()
        for _ in range(KILLS):
            assert await server.kill_connections()
            await asyncio.sleep(EVERY_S)
    await check_invariants(installation, client)
    assert [member.process.exit_code for member in (api, *workers)] == [None] * 3
