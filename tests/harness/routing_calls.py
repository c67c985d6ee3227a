"""Calls of provisioning's batch routes, as a reseller makes them."""

from typing import Any

import httpx


async def on_dids(client: httpx.AsyncClient, action: str, numbers: list[str], **body: Any) -> dict[str, Any]:
    """Call a batch route of the routing, such as `set-voice`, for these numbers. Return its answer."""
    response = await client.post(f"/v1/routing/batch/{action}", json={"dids": numbers} | body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def set_voice(client: httpx.AsyncClient, numbers: list[str], trunk_id: str) -> dict[str, Any]:
    """Deliver the calls of numbers to a trunk. Return the answer of the batch."""
    return await on_dids(client, "set-voice", numbers, voice_trunk_id=trunk_id)
