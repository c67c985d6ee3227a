"""The people of the demo: resellers enter details and set routing, a reviewer decides. All of it over HTTP."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from didflow.demo.examples import Examples, Purchase
from didflow.errors import CallFailed
from didflow.http_client import Api

_TRUNKS: Final = {"switchboard": "sip:switchboard.example.com"}

Print = Callable[[str], None]


def tenant_of(account: str) -> str:
    """Return the reseller of an account: the first two parts of its path."""
    return "/".join(account.split("/")[:2])


@dataclass(kw_only=True)
class People:
    """The people who act. `resellers` has a client for each reseller; `reviewer` is the client of the reviewer."""

    examples: Examples
    resellers: dict[str, Api]
    reviewer: Api
    tell: Print
    _identities: dict[str, str] = field(default_factory=dict)
    _addresses: dict[str, str] = field(default_factory=dict)
    _trunks: dict[tuple[str, str], str] = field(default_factory=dict)

    async def enter_details(self) -> None:
        """Create identities and addresses, each with its own idempotency key: a retry creates no second one."""
        for identity in self.examples.identities.values():
            body = {**identity.body, "account": identity.account}
            made = await self._of(identity.account).post("/v1/identities", body, key=f"demo-{identity.name}")
            self._identities[identity.name] = made["identity_id"]
        for address in self.examples.addresses.values():
            account = self.examples.identities[address.identity].account
            body = {**address.body, "identity_id": self._identities[address.identity]}
            made = await self._of(account).post("/v1/addresses", body, key=f"demo-{address.name}")
            self._addresses[address.name] = made["address_id"]

    async def create_trunks(self) -> None:
        """Create the voice trunks of each reseller."""
        for account, api in self.resellers.items():
            for name, uri in _TRUNKS.items():
                body = {"name": name, "sip": {"uri": uri, "transport": "tls"}}
                made = await api.post("/v1/voice-trunks", body, key=f"demo-{name}")
                self._trunks[account, name] = made["voice_trunk_id"]

    async def set_routing(self) -> int:
        """Set voice trunks and capacities in batches. Return the number of DIDs."""
        routed = [p for p in self.examples.purchases if p.then.voice or p.then.capacity is not None]
        for (tenant, trunk), dids in _grouped(routed, lambda p: p.then.voice).items():
            body = {"voice_trunk_id": self._trunks[tenant, trunk]}
            await self._batch(tenant, "/v1/routing/batch/set-voice", dids, body, f"demo-voice-{trunk}")
        for (tenant, capacity), dids in _grouped(routed, lambda p: p.then.capacity).items():
            body = {"capacity": capacity}
            await self._batch(tenant, "/v1/routing/batch/set-capacity", dids, body, f"demo-{capacity}")
        return len(routed)

    async def assign_details(self, *, later: bool) -> int:
        """Assign end-user details to the DIDs whose `later` is the given one. Return the number of DIDs."""
        chosen = [p for p in self.examples.purchases if p.then.details and p.then.later == later]
        for (tenant, address), dids in _grouped(chosen, lambda p: p.then.details).items():
            identity = self.examples.addresses[address].identity
            body = {"identity_id": self._identities[identity], "address_id": self._addresses[address]}
            await self._batch(tenant, "/v1/dids/batch/assign-end-user", dids, body, f"demo-{address}-{later}")
        return len(chosen)

    async def review(self) -> tuple[int, int]:
        """Decide the pending verifications as the examples say. Return the counts of approved and rejected."""
        decided = {"approve": 0, "reject": 0}
        reviews = {p.did_id: p.then.review for p in self.examples.purchases if p.then.review}
        for attempt in await self.reviewer.pages("/v1/verifications", status="pending"):
            verdict, _, code = (reviews.get(attempt["did_id"]) or "").partition(":")
            if verdict in decided:
                await self._decide(attempt["verification_id"], verdict, code)
                decided[verdict] += 1
        return decided["approve"], decided["reject"]

    async def _decide(self, verification_id: str, verdict: str, code: str) -> None:
        body: dict[str, Any] = {"reasons": [{"code": code}]} if code else {}
        path = f"/v1/verifications/{verification_id}/{verdict}"
        await self.reviewer.post(path, body, key=f"demo-{verification_id}-{verdict}")

    def _of(self, account: str) -> Api:
        return self.resellers[tenant_of(account)]

    async def _batch(self, tenant: str, path: str, dids: list[str], body: dict[str, Any], key: str) -> None:
        """Send a batch request. Raises CallFailed if an item is refused."""
        answer = await self.resellers[tenant].post(path, {"dids": dids, **body}, key=key)
        if answer["refused"]:
            wrong = [f"{r['did']} {r['code']}" for r in answer["results"] if r["outcome"] == "refused"]
            raise CallFailed(f"{path}: {', '.join(wrong)}")
        self.tell(f"{tenant}: {path.rpartition('/')[2]} for {len(dids)} numbers: {answer['done']} done")


def _grouped(
    purchases: Iterable[Purchase], value_of: Callable[[Purchase], Any]
) -> dict[tuple[str, Any], list[str]]:
    groups: dict[tuple[str, Any], list[str]] = defaultdict(list)
    for purchase in purchases:
        value = value_of(purchase)
        if value is not None:
            groups[tenant_of(purchase.account), value].append(purchase.did_id)
    return groups
