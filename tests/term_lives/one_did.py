"""One DID of a life: what is done to it, and what is read of it."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from time import perf_counter
from typing import Any, Final, NamedTuple, Self

from harness.deadline import eventually
from one_stack.caller import ACCOUNT

from didflow_contracts.instants import months_after
from didflow_inventory.domain.my_numbers.listing import FILTERS
from term_lives.installation import MONTH, SETUP, Installation, value_at

AGING_TIME: Final = timedelta(days=34)
HOUR: Final = timedelta(hours=1)
REMINDED: Final = (30, 7, 1)
"""How many days before an end reminders come. If the end becomes known later, the first one comes then."""
TERM: Final = ("state", "cycles_left", "billing_period", "expires_at", "aging_until")


class Entry(NamedTuple):
    """One entry of the ledger. `reverses` is the position of the charge that a refund takes back."""

    kind: str
    amount: str
    start: datetime | None
    end: datetime | None
    posted_at: datetime
    reverses: int | None = None


@dataclass(kw_only=True)
class OneDid:
    """A DID that was purchased at `start`. `statuses` are those that were waited for, each with its second."""

    on: Installation = field(repr=False)
    number: str
    did: str
    statuses: list[tuple[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Let the tests find it."""
        ALL.append(self)

    @classmethod
    async def bought(cls, on: Installation, number: str, **changes: Any) -> Self:
        """Purchase a number over HTTP, and wait until its term is shown."""
        one = cls(on=on, number=number, did=await on.buy(number, **changes))
        await on.listed(one.did, {"term.expires_at": one.month(changes.get("billing_period", 1))})
        return one

    @property
    def start(self) -> datetime:
        """The purchase."""
        return self.on.start

    def month(self, months: int) -> datetime:
        """Return the instant that is so many months after the purchase."""
        return months_after(self.start, months)

    async def reach(self, instant: datetime) -> None:
        """Wait until the clock shows this instant."""
        await self.on.clock.reach(instant)

    async def shows(self, status: str, **expected: Any) -> Any:
        """Wait until My Numbers shows this status and these values. Billing has the same term. Return the DID.

        Two underlines in a name stand for a dot.
        """
        wanted = {"status": status} | {name.replace("__", "."): value for name, value in expected.items()}
        view = await self.on.listed(self.did, wanted)
        if not self.statuses or self.statuses[-1][0] != status:
            self.statuses.append((status, perf_counter()))
        term = await self.on.ask("GET", f"/v1/terms/{self.did}")
        assert {name: term[name] for name in TERM} == view["term"]
        return view

    async def done(self, action: str, **body: Any) -> None:
        """Do something with the term."""
        assert await self.on.refused(action, self.did, **body) is None

    async def refused(self, action: str, **body: Any) -> str | None:
        """Return the code with which an action is refused; None if it was done."""
        return await self.on.refused(action, self.did, **body)

    async def configured(self) -> Any:
        """Give it a trunk and a channel once its carrier has activated it, and wait until it is active."""
        await self.on.listed(self.did, {"routing.carrier_state": "active"})
        await self.on.done("/v1/routing/batch/set-voice", [self.did], voice_trunk_id=self.on.trunk)
        await self.on.done("/v1/routing/batch/set-capacity", [self.did], capacity=1)
        return await self.shows("active", status_label="Active", circle="green")

    async def registered(self, details: str) -> None:
        """Assign the details of a new end user."""
        end_user = await self.on.end_user(details, f"{details} lane")
        await self.on.done("/v1/dids/batch/assign-end-user", [self.did], **end_user)

    async def revoked(self) -> None:
        """Revoke its approval."""
        query = {"did_id": self.did, "status": "approved"}
        (found,) = (await self.on.ask("GET", "/v1/verifications", role="reviewer", **query))["items"]
        await self.on.ask("POST", f"/v1/verifications/{found['verification_id']}/revoke", {}, role="reviewer")

    async def decided(self, decision: str, **body: Any) -> None:
        """Decide about the attempt that waits for a review."""
        await eventually(self._is_under_review)
        (attempt,) = await self._attempts()
        path = f"/v1/verifications/{attempt['verification_id']}/{decision}"
        await self.on.ask("POST", path, body, role="reviewer")

    async def filters(self) -> set[str]:
        """Return the quick filters in which the list has this DID."""
        pages = [
            self.on.ask("GET", "/v1/dids", filter=name, numbers=self.number, limit=2) for name in FILTERS
        ]
        found = zip(FILTERS, await asyncio.gather(*pages), strict=True)
        return {name for name, page in found if [each["did_id"] for each in page["items"]] == [self.did]}

    async def ledger(self) -> list[Entry]:
        """Return the entries of this DID, in order. Payer, order, number and currency are those of the purchase."""
        items = (await self.on.ask("GET", "/v1/ledger", did=self.did, limit=1000))["items"]
        items.sort(key=lambda entry: entry["position"])
        same = {(e["payer"], e["order_id"], e["number"], e["money"]["currency"]) for e in items}
        assert same == {(ACCOUNT, f"order of {self.number}", self.number, "EUR")}
        assert all(value_at(e, "recorded_at") >= value_at(e, "posted_at") for e in items)
        position = {entry["entry_id"]: entry["position"] for entry in items}
        assert [*position.values()] == list(range(1, len(items) + 1))
        return [
            Entry(
                entry["kind"],
                entry["money"]["amount"],
                *(value_at(entry, name) for name in ("period_start", "period_end", "posted_at")),
                position[entry["reverses"]] if entry["reverses"] else None,
            )
            for entry in items
        ]

    def first_charges(self, months: int = 1) -> list[Entry]:
        """Return the entries of the purchase."""
        period = renewal(self.start, self.month(months), months, self.start)._replace(kind="recurring")
        return [Entry("setup", SETUP, None, None, self.start), period]

    async def reminders(self) -> list[tuple[str, datetime, int]]:
        """Return the reminders in the history: the reason, the end, and how many days before it each stands for."""
        found = []
        for entry in await self._history("term.expiring"):
            end, days = datetime.fromisoformat(entry["extra"]["ends_at"]), entry["extra"]["days"]
            at = datetime.fromisoformat(entry["at"])
            assert at == end - timedelta(days=days) or days == max(REMINDED)
            found.append((entry["extra"]["reason"], end, days))
        return found

    async def gone(self, reason: str, *, refunded: bool) -> Any:
        """Wait until the DID is removed. Its former holder sees it by its id alone, and its history says why."""
        await self.on.unlisted(self.did)
        view = await self.on.ask("GET", f"/v1/dids/{self.did}")
        left = (view["status"], view["time_left_days"], view["next_step"]["action"], view["next_step"]["by"])
        assert (view["stock"], view["term"]["state"], *left) == (
            "removed",
            "closed",
            None,
            None,
            "none",
            None,
        )
        assert view["actions"] == []
        (removal,) = await self._history("did.removed")
        assert (removal["changes"]["removal_reason"]["after"], removal["extra"]["refunded"]) == (
            reason,
            refunded,
        )
        return removal

    async def commands(self) -> list[tuple[str, Any]]:
        """Wait until the carrier has done all, and return what it was told: actions, and `keep` of a release."""
        await self.on.applied(self.did)
        items = (await self.on.ask("GET", "/v1/commands", did=self.did, sort="issued_at", limit=1000))[
            "items"
        ]
        assert {(each["state"], each["attempt"]) for each in items} <= {("succeeded", 1)}, items
        return [(each["action"], each["parameters"].get("keep")) for each in items]

    async def _history(self, topic: str) -> list[Any]:
        entries = (await self.on.ask("GET", f"/v1/dids/{self.did}/history", limit=1000))["items"]
        return [each for each in entries if each["type"] == f"didflow.{topic}.v1"]

    async def _is_under_review(self) -> bool:
        return bool(await self._attempts())

    async def _attempts(self) -> list[Any]:
        query = {"did_id": self.did, "status": "pending"}
        found: list[Any] = (await self.on.ask("GET", "/v1/verifications", role="reviewer", **query))["items"]
        return found


ALL: Final[list[OneDid]] = []
"""The DIDs of all lives."""


def renewal(start: datetime, end: datetime, months: int, posted_at: datetime | None = None) -> Entry:
    """Return the entry of a renewal, posted at its start if nothing else is said."""
    return Entry("renewal", str(months * Decimal(MONTH)), start, end, posted_at or start)


def reminded(reason: str, end: datetime, *days: int) -> list[tuple[str, datetime, int]]:
    """Return the reminders of an end, so many days before it, as the history has them."""
    return [(reason, end, each) for each in days]


def refunds(charges: list[Entry], at: datetime) -> list[Entry]:
    """Return the entries that take back these charges."""
    return [
        Entry("refund", f"-{charge.amount}", charge.start, charge.end, at, position)
        for position, charge in enumerate(charges, 1)
    ]
