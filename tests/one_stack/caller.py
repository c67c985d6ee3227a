"""Calls a running stack as people do, and waits until My Numbers shows a change."""

import asyncio
from collections.abc import Callable
from itertools import count
from time import perf_counter
from typing import Any, Final

import httpx

ACCOUNT: Final = "master/acme"
PATIENCE_S: Final = 20.0
"""Far more than a change takes, so that only a change that does not come fails."""
PAUSE_S: Final = 0.02
MONEY: Final = {"amount": "1.00", "currency": "EUR"}
ACCOUNTS_OF: Final = {"reseller": ACCOUNT}
"""Role -> the account of who has it. Others are of the root."""


def order_of(number: str) -> dict[str, Any]:
    """Return the data of a purchase of a number for calls, by month, that renews without end."""
    return {
        "number": number,
        "account": ACCOUNT,
        "order_id": f"order of {number}",
        "number_type": "local",
        "features": ["voice_in"],
        "end_user_type": "business",
        "price": {"setup": MONEY, "recurring": MONEY},
        "billing_period": 1,
    }


class Caller:
    """Calls a running stack. `delays` has the seconds from each change to its showing in My Numbers."""

    def __init__(self, client: httpx.AsyncClient, token: Callable[..., str]) -> None:
        self._client, self._token, self._keys = client, token, count()
        self.delays: list[float] = []

    async def ask(
        self, method: str, path: str, body: Any = None, *, role: str = "reseller", **query: Any
    ) -> Any:
        """Send a request and return the answer, which must be a success."""
        token = self._token(role=role, account=ACCOUNTS_OF.get(role, "master"))
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"call {next(self._keys)}"}
        answer = await self._client.request(method, path, headers=headers, json=body, params=query)
        assert answer.is_success, answer.text
        return answer.json()

    async def eventually(self, method: str, path: str, body: Any = None, *, role: str = "reseller") -> Any:
        """Send a request, each time with a new key, until it is a success. Return the answer."""
        began = perf_counter()
        while True:
            try:
                return await self.ask(method, path, body, role=role)
            except AssertionError:
                if perf_counter() - began > PATIENCE_S:
                    raise
            await asyncio.sleep(PAUSE_S)

    async def done(self, path: str, dids: list[str], **body: Any) -> None:
        """Send a batch, of which nothing may be refused."""
        answer = await self.ask("POST", path, {"dids": dids, **body})
        assert answer["refused"] == 0, answer

    async def purchase(self, number: str, **changes: Any) -> str:
        """Purchase a number for calls, and return the id of the DID. A change to None leaves the field out."""
        did_id: str = (await self.ask("POST", "/v1/purchases", order_of(number) | changes))["did_id"]
        return did_id

    async def shows(self, what: Callable[[Any], Any], expected: Any, did: str) -> Any:
        """Wait until the view of the DID satisfies the condition. Return the view."""
        began = perf_counter()
        view = await self._until(what, expected, f"/v1/dids/{did}")
        self.delays.append(perf_counter() - began)
        return view

    async def applied(self, did: str) -> None:
        """Wait until the carrier has applied the whole routing of the DID."""
        await self._until(lambda routing: routing["unapplied"], [], f"/v1/routing/{did}")

    async def pending(self) -> str:
        """Wait until a verification is pending, and return it."""
        for _ in range(100):
            queue = (await self.ask("GET", "/v1/verifications", role="reviewer"))["items"]
            if queue:
                found: str = queue[0]["verification_id"]
                return found
            await asyncio.sleep(0.1)
        raise AssertionError("nothing came into the queue")

    async def _until(self, what: Callable[[Any], Any], expected: Any, path: str) -> Any:
        began, seen = perf_counter(), None
        while perf_counter() - began < PATIENCE_S:
            found = await self.ask("GET", path)
            seen = what(found)
            if seen == expected:
                return found
            await asyncio.sleep(PAUSE_S)
        raise AssertionError(f"{seen} is not {expected}")

    async def end_user(self, company: str, street: str) -> dict[str, str]:
        """Enter a company in Dublin with its address, and return their ids as they are assigned."""
        identity = await self.ask("POST", "/v1/identities", {"type": "business", "company_name": company})
        identity_id = identity["identity_id"]
        place = {"street": street, "city": "Dublin", "country": "IE", "identity_id": identity_id}
        address = await self.ask("POST", "/v1/addresses", place)
        return {"identity_id": identity_id, "address_id": address["address_id"]}
