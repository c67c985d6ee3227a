"""Customers who are not attacked: they buy five numbers a second, every second one over HTTP, and all become active.

The time of a purchase is from its sending until inventory says that it is `active` and billing that its term is. All
four services and the carrier have answered then.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import orjson
from harness.outside_records import BYSTANDER, numbers, purchase, record
from harness.steady_purchases import Purchase, SteadyPurchases

from didflow_chassis.records import Record
from didflow_contracts.events import DidPurchased, DidStatusChanged, TermChanged

ANSWERS: Final = (DidStatusChanged.topic, TermChanged.topic)
_SIGNS: Final = (b'"status":"active"', b'"state":"active"')
"""What the two events say that together are the answer."""
EXPECTED: Final[Mapping[str, str]] = {
    "inventory": "SELECT count(*) FROM dids WHERE number = ANY($1) AND stock = 'assigned' AND status = 'active'",
    "verification": "SELECT count(*) FROM registrations WHERE number = ANY($1) AND state = 'not_required'",
    "billing": "SELECT count(*) FROM terms WHERE number = ANY($1) AND state = 'active'",
    "provisioning": "SELECT count(*) FROM routings WHERE number = ANY($1) AND carrier_state = 'active'",
}
"""Service -> the statement that counts the purchases that are in the state in which they must end."""


@dataclass(kw_only=True)
class Bystanders(SteadyPurchases):
    """The customers. `shop` is their client of inventory. `refused` are the answers to them that were not 201."""

    shop: httpx.AsyncClient
    refused: list[str] = field(default_factory=list)
    _seen: dict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    _calls: set[asyncio.Task[None]] = field(default_factory=set)

    def is_answer(self, number: str, value: bytes) -> bool:
        """Return True if both services have now said that the number is active."""
        seen = self._seen[number]
        seen.update(sign for sign in _SIGNS if sign in value)
        return len(seen) == len(_SIGNS)

    async def publish(self, record: Record) -> None:
        """Buy over Kafka and over HTTP in turn. Does not wait for the answer."""
        if len(self.sent) % 4 < 2:
            await super().publish(record)
            return
        call = asyncio.create_task(self._post(orjson.loads(record.value or b"")["data"]))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _post(self, data: Mapping[str, Any]) -> None:
        try:
            answer = await self.shop.post(
                "/v1/purchases", json=data, headers={"Idempotency-Key": data["did_id"]}
            )
        except httpx.HTTPError as error:
            self.refused.append(f"{type(error).__name__} {error}")
            return
        if answer.status_code != httpx.codes.CREATED:
            self.refused.append(f"{answer.status_code} {answer.text}")


def purchases() -> Iterator[Purchase]:
    """Yield purchases. Every second one is in the partition that is attacked."""
    attacked, all_ = numbers("+12125"), numbers("+12127", partition=None)
    while True:
        for number in (next(attacked), next(all_)):
            data = purchase(number, BYSTANDER)
            yield [record(DidPurchased.topic, data, source="/orders/beta")]
