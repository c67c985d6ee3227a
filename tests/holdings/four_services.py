"""The four services on PostgreSQL with their HTTP APIs and one clock. The carrier does every command at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

import httpx
from faults.services_in_process import ServicesInProcess, carrier_results, event_of, event_record
from harness.fixtures import OnPostgres

from didflow.services import service
from didflow_chassis.records import Record
from didflow_chassis.testing import ServiceOnPostgres
from didflow_contracts.events import EVENT_TYPES
from didflow_contracts.topics import SERVICES
from didflow_verification.domain.evaluation import numbering_plan

ZERO: Final = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
ACCOUNTS: Final = ("master", "master/acme", "master/acme/shop", "master/beta")
MASTER: Final = "master_reseller:master"
ACME: Final = "reseller:master/acme"
MONEY: Final = {"amount": "2.50", "currency": "EUR"}
_KEYS = count()


@dataclass(kw_only=True)
class FourServices:
    """Four services, and everything that carriers were told. A caller is written as `role:account`."""

    opened: Mapping[str, ServiceOnPostgres]
    commands: list[Any]

    async def call(
        self, name: str, method: str, path: str, by: str = ACME, json: Any = None
    ) -> httpx.Response:
        """Send one request to a service, under a new idempotency key."""
        role, _, account = by.partition(":")
        client = self.opened[name].client(account, role)
        headers = {} if method == "GET" else {"Idempotency-Key": f"k{next(_KEYS)}"}
        return await client.request(method, path, headers=headers, json=json)

    async def done(self, name: str, method: str, path: str, by: str = ACME, json: Any = None) -> Any:
        """Send one request that must succeed, deliver all events, and return the answer. No item may be refused."""
        answer = await self.call(name, method, path, by, json)
        assert answer.is_success, answer.text
        found = answer.json()
        assert not (isinstance(found, dict) and found.get("refused")), found
        await self.deliver()
        return found

    async def shown(self, did: str, by: str = ACME) -> Any:
        """Return a DID as My Numbers shows it."""
        answer = await self.call("inventory", "GET", f"/v1/dids/{did}", by)
        assert answer.is_success, answer.text
        return answer.json()

    async def say(self, topic: str, *others: Record, **data: Any) -> None:
        """Publish an event of an order system behind other records, and deliver all events."""
        await self._together().receive([*others, await self.event(topic, **data)])
        await self.deliver()

    async def event(self, topic: str, **data: Any) -> Record:
        """Return the record of an event of an order system, as it would be published now."""
        model = next(model for model in EVENT_TYPES.values() if model.topic == topic)
        now = await self.opened["inventory"].now()
        return event_record(model.model_validate(data), f"o{next(_KEYS)}", source="/orders/acme", time=now)

    async def deliver(self) -> None:
        """Deliver all events until no service publishes more."""
        together, now = self._together(), await self.opened["inventory"].now()
        while published := await together.publish():
            self.commands += [
                event_of(record).data for record in published if record.topic == "provisioning.commands"
            ]
            await together.receive([*published, *carrier_results(published, now)])

    async def advance(self, by: timedelta) -> None:
        """Move the clock of all services. What becomes due runs at its instant; then all events are delivered."""
        for opened in self.opened.values():
            await opened.advance(by)
        await self.deliver()

    async def charges(self) -> list[tuple[str, str, str]]:
        """Return all entries of the ledger: kind, amount and payer, by their kind."""
        found = await self.call("billing", "GET", "/v1/ledger", MASTER)
        assert found.is_success, found.text
        return sorted(
            (each["kind"], each["money"]["amount"], each["payer"]) for each in found.json()["items"]
        )

    @property
    def actions(self) -> list[str]:
        """Return what carriers were told, in order."""
        return [command.action for command in self.commands]

    def _together(self) -> ServicesInProcess:
        return ServicesInProcess(
            stages={name: one.stage for name, one in self.opened.items()},
            dsns={name: one.database.dsn for name, one in self.opened.items()},
        )


async def four_services(on_postgres: OnPostgres) -> FourServices:
    """Open the services with some accounts."""
    numbering_plan.warm_up()
    opened = {name: await on_postgres(service(name), now=ZERO) for name in SERVICES}
    found = FourServices(opened=opened, commands=[])
    for path in ACCOUNTS:
        body = {"path": path, "name": path, "may_set_prices": True}
        await found.done("inventory", "POST", "/v1/accounts", "operator:root", body)
    return found


def order(number: str, **changes: Any) -> dict[str, Any]:
    """Return the body of a purchase by acme of a number that needs nothing but its carrier."""
    body = {
        "number": number,
        "account": "master/acme",
        "number_type": "local",
        "features": ["voice_out"],
        "order_id": f"order of {number}",
        "end_user_type": "business",
        "billing_period": 1,
        "price": {"setup": MONEY, "recurring": MONEY},
    }
    return {name: value for name, value in (body | changes).items() if value is not None}
