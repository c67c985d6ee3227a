"""The people of the demo: resellers enter details and set routing, a reviewer decides. All of it over HTTP."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from didflow.demo.examples import Examples, Purchase
from didflow.errors import CallFailed
from didflow.http_client import Api

_TRUNKS: Final = {"switchboard": "sip:switchboard.example.com", "branch": "sip:branch.example.com"}
DESK: Final = "master/acme/desk"
"""An account below a reseller, whose new numbers get an automatic configuration profile."""

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
    _targets: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

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

    async def create_targets(self) -> None:
        """Create the trunks, the voice trunk group and the capacity group of each reseller."""
        for tenant in self.resellers:
            for name, uri in _TRUNKS.items():
                body = {"name": name, "sip": {"uri": uri, "transport": "tls"}}
                await self._create(tenant, "/v1/voice-trunks", "voice_trunk_id", body)
            both = {"name": "both-sites", "trunks": [self._targets[tenant, name] for name in _TRUNKS]}
            await self._create(tenant, "/v1/voice-trunk-groups", "voice_trunk_group_id", both)
            shared = {"name": "shared", "channels": 10}
            await self._create(tenant, "/v1/capacity-groups", "capacity_group_id", shared)
            inbox = {"name": "inbox", "email": {"address": "inbox@example.com"}}
            await self._create(tenant, "/v1/sms-trunks", "sms_trunk_id", inbox)

    async def create_profile(self) -> None:
        """Create an account whose new numbers are configured without a request."""
        tenant = tenant_of(DESK)
        account = {"path": DESK, "name": "Acme's desk", "kind": "reseller"}
        await self.resellers[tenant].post("/v1/accounts", account, key="demo-account")
        targets = self._targets[tenant, "both-sites"] | self._targets[tenant, "shared"]
        profile = {"name": "desk", "automatic_for": DESK, **targets}
        await self.resellers[tenant].post("/v1/configuration-profiles", profile, key="demo-profile")

    async def set_routing(self) -> None:
        """Set trunks and capacities in batches."""
        purchases = self.examples.purchases
        for (tenant, name), dids in _grouped(purchases, lambda p: p.then.voice).items():
            await self._batch(tenant, "/v1/routing/batch/set-voice", dids, self._targets[tenant, name], name)
        for (tenant, name), dids in _grouped(purchases, lambda p: p.then.sms).items():
            await self._batch(tenant, "/v1/routing/batch/set-sms", dids, self._targets[tenant, name], name)
        for (tenant, name), dids in _grouped(purchases, lambda p: p.then.capacity_group).items():
            await self._batch(
                tenant, "/v1/routing/batch/set-capacity", dids, self._targets[tenant, name], name
            )
        for (tenant, capacity), dids in _grouped(purchases, lambda p: p.then.capacity).items():
            body = {"capacity": capacity}
            await self._batch(tenant, "/v1/routing/batch/set-capacity", dids, body, str(capacity))

    async def assign_details(self, *, later: bool) -> int:
        """Assign end-user details to the DIDs whose `later` is the given one. Return the number of DIDs."""
        chosen = [p for p in self.examples.purchases if p.then.details and p.then.later == later]
        for (tenant, address), dids in _grouped(chosen, lambda p: p.then.details).items():
            identity = self.examples.addresses[address].identity
            body = {"identity_id": self._identities[identity], "address_id": self._addresses[address]}
            await self._batch(tenant, "/v1/dids/batch/assign-end-user", dids, body, f"{address}-{later}")
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

    async def _create(self, tenant: str, path: str, id_field: str, body: dict[str, Any]) -> None:
        """Create a target, and keep the field that names it in other requests."""
        made = await self.resellers[tenant].post(path, body, key=f"demo-{body['name']}")
        self._targets[tenant, body["name"]] = {id_field: made[id_field]}

    async def _batch(self, tenant: str, path: str, dids: list[str], body: dict[str, Any], key: str) -> None:
        """Send a batch request. Raises CallFailed if an item is refused."""
        answer = await self.resellers[tenant].post(path, {"dids": dids, **body}, key=f"demo-{key}")
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
