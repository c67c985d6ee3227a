"""How a number becomes a DID: by an event that may be refused, or by HTTP, decided at once.

A retried purchase is never a second one: the same `did_id`, or the same order, finds what it has made.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import get_args
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidPurchased, PurchaseRefused
from didflow_contracts.numbers import country_of
from didflow_contracts.vocabulary import Acquired, Origin, RefusalCode
from didflow_inventory.domain.account import Account, Carriers, carriers_for, default_carrier, reaches
from didflow_inventory.domain.commands import Purchase
from didflow_inventory.domain.did import Did, conclude, holding_of
from didflow_inventory.domain.showing import shown
from didflow_inventory.domain.sources import is_foreign
from didflow_inventory.domain.stock import Number, Order, implausible, order_key, refusal_of, taken

ORIGINS: dict[Acquired, Origin] = {"ported_in": "ported_in", "external": "external"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """What this installation is told: who carries numbers for which nobody names a carrier."""

    default_carrier: str = "simulator"


def order_of(data: DidPurchased) -> str | None:
    """Name the order of a purchase, or None where it has none."""
    return order_key(data.account, data.order_id, data.number) if data.order_id else None


def on_purchased(
    did: Did | None, event: Event[DidPurchased], _now: datetime, known: Known, *, deployment: Deployment
) -> Decision:
    """Take a purchase that was published, or say `purchase.refused`. Source: spec events, Topics."""
    data = event.data
    if did is not None:
        return _repeated(did, event)
    at = data.purchased_at or event.time
    if _earlier(data, known) is not None:
        return _refused(data, at, Refused("duplicate_order", "this order has made another DID"), ())
    refusal = _refusal(data, known)
    if refusal is not None:
        return _refused(data, at, refusal, _orders(data))
    bought = _bought(data, at, known, deployment)
    return conclude(bought, holding_of(bought), also=_places(bought, data, known))


def purchase(
    did: Did | None, command: Purchase, now: datetime, known: Known, *, deployment: Deployment
) -> Decision:
    """Decide a purchase over HTTP: the DID, the one that the same order made, or a refusal and no event.

    Refused also `not_found` for an account out of the caller's reach, and `did_id_taken` when the `did_id`
    given belongs to another purchase.
    """
    data = command.data
    if not reaches(command.caller, data.account):
        return Refused("not_found", "no such account", "account")
    if did is not None:
        return _asked_again(did, data, now)
    earlier = _earlier(data, known)
    if earlier is not None:
        return _asked_again(earlier, data, now)
    refusal = _refusal(data, known) or _external(command, known)
    if refusal is not None:
        return refusal
    said = data.model_copy(update={"purchased_at": data.purchased_at or now})
    bought = _bought(said, said.purchased_at or now, known, deployment)
    decided = conclude(bought, said, holding_of(bought), also=_places(bought, data, known))
    return replace(decided, answer=shown(decided.state or bought, now))


def earlier_did(data: DidPurchased, known: Known) -> Iterable[UUID]:
    """Name the DID that the same order made before, if any: what a purchase has to look at."""
    key = order_of(data)
    order = known.get(Order, key) if key else None
    return () if order is None else (order.did_id,)


def _earlier(data: DidPurchased, known: Known) -> Did | None:
    """Find the live or refused DID of the same order. A removed one does not stand in the way."""
    for did_id in earlier_did(data, known):
        made = known.get(Did, did_id)
        if made is not None and made.stock != "removed":
            return made
    return None


def _repeated(did: Did, event: Event[DidPurchased]) -> Decision:
    if did.number != event.data.number:
        return Refused("did_id_taken", "this did_id belongs to another number", "did_id")
    if is_foreign(event, did):
        return Refused("not_yours", "this DID belongs to another account", "account")
    return Unchanged()


def _asked_again(did: Did, data: DidPurchased, now: datetime) -> Decision:
    asked = (data.account, data.order_id, data.number)
    if did.stock == "removed" or (did.payer, did.order_id, did.number) != asked:
        return Refused("did_id_taken", "this did_id belongs to another purchase", "did_id")
    if did.refusal is not None:
        return Refused("duplicate_order", f"this order was refused before: {did.refusal}", "order_id")
    return Unchanged(answer=shown(did, now))


def _refusal(data: DidPurchased, known: Known) -> Refused | None:
    refusal = implausible(data.number, data.country)
    if refusal is None and known.get(Account, data.account) is None:
        refusal = Refused("account_unknown", f"there is no account {data.account}", "account")
    return refusal or refusal_of(known.get(Number, data.number), data.account)


def _external(command: Purchase, known: Known) -> Refused | None:
    """Refuse an enterprise's own number unless its reseller allows it. Source: spec inventory, Accounts."""
    account = known.get(Account, command.data.account)
    if command.data.acquired != "external" or command.caller.role != "enterprise_admin":
        return None
    if account is not None and account.allow_external_numbers:
        return None
    return Refused("external_numbers_not_allowed", "this account may not add numbers of its own", "acquired")


def _refused(data: DidPurchased, at: datetime, refusal: Refused, orders: tuple[Order, ...]) -> Decided[Did]:
    code: RefusalCode = next(code for code in get_args(RefusalCode) if code == refusal.code)
    said = PurchaseRefused(
        did_id=data.did_id,
        number=data.number,
        account=data.account,
        order_id=data.order_id,
        code=code,
        message=refusal.message,
    )
    never = replace(_did(data, at), stock="refused", refusal=code)
    return conclude(never, said, also=orders)


def _bought(data: DidPurchased, at: datetime, known: Known, deployment: Deployment) -> Did:
    default = default_carrier(data.account, known, deployment.default_carrier)
    given = Carriers(carrier=data.carrier, sms_carrier=data.sms_carrier)
    carriers = carriers_for(data.features, given, default)
    number = known.get(Number, data.number)
    from_stock = number is not None and number.stock is not None
    return replace(
        _did(data, at),
        carrier=carriers.carrier,
        sms_carrier=carriers.sms_carrier,
        origin="stock" if from_stock else ORIGINS.get(data.acquired, "purchased"),
    )


def _did(data: DidPurchased, at: datetime) -> Did:
    return Did(
        did_id=data.did_id,
        number=data.number,
        number_type=data.number_type,
        country=data.country or country_of(data.number),
        region=data.region,
        area=data.area,
        order_id=data.order_id,
        purchased_at=at,
        stock="assigned",
        account=data.account,
        payer=data.account,
        features=data.features,
        carrier=data.carrier,
        sms_carrier=data.sms_carrier,
    )


def _places(did: Did, data: DidPurchased, known: Known) -> tuple[Number | Order, ...]:
    return (taken(known.get(Number, did.number), did), *_orders(data))


def _orders(data: DidPurchased) -> tuple[Order, ...]:
    key = order_of(data)
    return () if key is None else (Order(key=key, number=data.number, did_id=data.did_id),)
