"""What happens to the DID of an example: events and commands, each made for its instant."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from didflow_billing.domain.commands import Cancel, Renew, Restore, SetCycles, SetPrice
from didflow_billing.domain.prices.row import ANY, series_key
from didflow_chassis.decision import OPERATOR, Caller, Command
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.events import (
    EVENT_TYPES,
    DidChanged,
    DidPortingStarted,
    DidPurchased,
    DidWithdrawn,
    PurchaseRefused,
)
from didflow_contracts.events.purchase import Price as PurchasePrice
from didflow_contracts.vocabulary import BillingPeriod, Registration

DID: Final = UUID("01932f6e-5c4b-7a10-8c3e-2f6d1b7a9e10")
ACCOUNT: Final = "master/acme"

Message = Event[Any] | Command
Make = Callable[[datetime], Message]
"""Makes a message at an instant."""

_NUMBER = "+35319609036"
_CALLER = Caller(subject="ann", account=ACCOUNT, role="reseller")
_COMMAND: dict[str, Any] = {"entity_id": DID, "subject": _NUMBER, "caller": _CALLER}
_WHOSE: dict[str, Any] = {"did_id": DID, "number": _NUMBER, "account": ACCOUNT}
_HOLDING: dict[str, Any] = {
    "stock": "assigned",
    "until": None,
    "after_hold": None,
    "payer": ACCOUNT,
    "user": None,
    "features": ["voice_in"],
    "carrier": "simulator",
    "sms_carrier": None,
    "origin": "purchased",
}
_ORIGIN = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Price:
    """The price of an example."""

    setup: str = "3.00"
    recurring: str = "5.00"
    currency: str = "EUR"


def instant(text: str) -> datetime:
    """Return the instant of a text such as `2026-01-31 12:00`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def purchased(
    *, months: BillingPeriod = 1, cycles: int | None = None, price: Price | None = Price(), **fields: Any
) -> Make:
    """Return a purchase. Without a price the number was handed out."""
    how = {"acquired": "purchased" if price else "assigned", "billing_cycles": cycles}
    data = _acquisition(months, price) | how | fields
    return lambda at: _event(DidPurchased.model_validate(data), at, "/orders/acme")


def listed() -> Make:
    """Return a purchase for one month that names no price."""
    data = _acquisition(1, None) | {"billing_period": 1}
    return lambda at: _event(DidPurchased.model_validate(data), at, "/orders/acme")


def price_row(effective_from: str, *, recurring: str) -> Make:
    """Return a row of the price list, for every country and type of number."""
    price = PurchasePrice.model_validate(_price(Price(recurring=recurring)))
    return lambda _: SetPrice(
        entity_id=series_key(ACCOUNT, ANY, ANY),
        subject=ACCOUNT,
        caller=Caller(subject="op", account=ACCOUNT, role=OPERATOR),
        account=ACCOUNT,
        country=ANY,
        number_type=ANY,
        effective_from=instant(effective_from),
        price=price,
    )


def porting_started() -> Make:
    """Return the start of a porting."""
    data = _acquisition(1, None) | {"acquired": "ported_in"}
    return lambda at: _event(DidPortingStarted.model_validate(data), at, "/orders/acme")


def assigned() -> Make:
    """Return that inventory has given the number to the DID."""
    return lambda at: _event(DidChanged.model_validate(_WHOSE | _HOLDING), at, "/didflow/inventory")


def registration(state: Registration) -> Make:
    """Return the registration, as verification publishes it."""
    topic = {"awaiting": "required"}.get(state, state)
    model = EVENT_TYPES[f"didflow.verification.{topic}.v1"]
    reason = {"reason": "proof_ended"} if state == "expired" else {}
    data = model.model_validate(_WHOSE | {"registration": state} | reason)
    return lambda at: _event(data, at, "/didflow/verification")


def purchase_refused() -> Make:
    """Return that inventory refuses the purchase."""
    data = _WHOSE | {"order_id": "o-1", "code": "number_taken", "message": ""}
    return lambda at: _event(PurchaseRefused.model_validate(data), at, "/didflow/inventory")


def withdrawn(reason: str) -> Make:
    """Return that inventory withdraws the DID."""
    data = DidWithdrawn.model_validate(_WHOSE | {"reason": reason})
    return lambda at: _event(data, at, "/didflow/inventory")


def set_cycles(left: int | None) -> Make:
    """Return a change of the cycles."""
    return lambda _: SetCycles(**_COMMAND, billing_cycles=left)


def renew(months: BillingPeriod) -> Make:
    """Return a renewal."""
    return lambda _: Renew(**_COMMAND, billing_period=months)


def cancel(*, remove: bool = False) -> Make:
    """Return a cancellation."""
    return lambda _: Cancel(**_COMMAND, remove=remove)


def restore(months: BillingPeriod | None = None) -> Make:
    """Return the undoing of a cancellation."""
    return lambda _: Restore(**_COMMAND, billing_period=months)


def _acquisition(months: BillingPeriod, price: Price | None) -> dict[str, Any]:
    data = _WHOSE | {
        "number_type": "local",
        "features": ["voice_in"],
        "order_id": "o-1",
        "end_user_type": "business",
        "billing_period": months,
    }
    if price is None:
        return data | {"billing_period": None}
    return data | {"price": _price(price)}


def _price(price: Price) -> dict[str, Any]:
    return {
        name: {"amount": getattr(price, name), "currency": price.currency} for name in ("setup", "recurring")
    }


def _event(data: EventData, at: datetime, source: str) -> Event[Any]:
    """Return the event. Its sequence grows with the instant."""
    sequence = int((at - _ORIGIN).total_seconds()) if source.startswith("/didflow/") else None
    return Event(
        id=f"{type(data).__name__} {at:%Y%m%d%H%M%S}", source=source, time=at, data=data, sequence=sequence
    )
