"""An HTTP client that retries. Each retry has the same idempotency key, so nothing happens twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Self
from uuid import uuid4

import httpx

from didflow.errors import CallFailed

_ATTEMPTS: Final = 40
_PAUSE_S: Final = 0.25
_AGAIN: Final = frozenset({429, 503})
_IN_PROGRESS: Final = "idempotency_in_progress"


@dataclass(frozen=True, kw_only=True)
class Response:
    """The status and the JSON of an answer."""

    status: int
    body: Any

    @property
    def code(self) -> str:
        """The stable code of a problem; empty for other answers."""
        return str(self.body.get("code", "")) if isinstance(self.body, dict) and self.status >= 400 else ""


class Api:
    """Sends requests as one caller."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"}

    def as_caller(self, token: str) -> Self:
        """Return a client for another token."""
        return type(self)(self._client, token)

    async def get(self, path: str, **query: Any) -> Any:
        """Send a GET request and return the JSON. Raises CallFailed."""
        return _checked(await self._send("GET", path, params=query), path)

    async def pages(self, path: str, **query: Any) -> list[Any]:
        """Return all items of a list. Raises CallFailed."""
        page = await self.get(path, limit=1000, **query)
        items = list(page["items"])
        while page["next"]:
            page = await self.get(path, limit=1000, cursor=page["next"], **query)
            items += page["items"]
        return items

    async def post(self, path: str, body: Any, *, key: str | None = None) -> Any:
        """Send a POST request and return the JSON. Retries have one effect. Raises CallFailed."""
        return _checked(await self.try_post(path, body, key=key), path)

    async def try_post(self, path: str, body: Any, *, key: str | None = None) -> Response:
        """Send a POST request and return the answer, whatever its status. Raises CallFailed if there is none."""
        return await self._send("POST", path, json=body, headers={"Idempotency-Key": key or str(uuid4())})

    async def _send(self, method: str, path: str, **more: Any) -> Response:
        headers = self._headers | more.pop("headers", {})
        reason = ""
        for _ in range(_ATTEMPTS):
            try:
                response = await self._client.request(method, path, headers=headers, **more)
            except httpx.TransportError as error:
                reason = type(error).__name__
            else:
                answered = Response(status=response.status_code, body=_json(response))
                if answered.status not in _AGAIN and answered.code != _IN_PROGRESS:
                    return answered
                reason = f"{answered.status} {answered.code}"
            await asyncio.sleep(_PAUSE_S)
        raise CallFailed(f"{method} {path}: {reason}")


@asynccontextmanager
async def http_client(base: str, token: str) -> AsyncIterator[Api]:
    """Open a client for the address of an installation. Proxies of the environment are not used."""
    async with httpx.AsyncClient(base_url=base, timeout=15, trust_env=False) as client:
        yield Api(client, token)


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return response.text


def _checked(answered: Response, path: str) -> Any:
    if answered.status >= 400:
        raise CallFailed(f"{path}: {answered.status} {answered.body}")
    return answered.body
