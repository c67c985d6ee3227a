"""The one way in which a number becomes a DID: by purchase, port-in, hand-out, package pick or as an external number.

Source: spec lifecycle, The life of a DID.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeAlias
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Known
from didflow_contracts.events import DidPortingStarted, DidPurchased
from didflow_contracts.numbers import country_of
from didflow_contracts.vocabulary import Acquired, DidStock, Origin
from didflow_inventory.domain.accounts.account import Account, is_enterprise
from didflow_inventory.domain.accounts.default_carriers import Carriers, carriers_for, default_carriers
from didflow_inventory.domain.did import Did, DidAt, conclude
from didflow_inventory.domain.events import did_changed
from didflow_inventory.domain.holding.holding import Holding, Step
from didflow_inventory.domain.holding.stock_axis import moved
from didflow_inventory.domain.stock.number import Number, OrderedNumber, ordered_number_key
from didflow_inventory.domain.stock.reservation import released
from didflow_inventory.domain.views import Views

FIRST_STEPS: Final[dict[DidStock, Step]] = {"assigned": "purchase", "porting_in": "porting"}
_KEPT: Final = (
    "account",
    "in_enterprise",
    "user",
    "tags",
    "description",
    "notes",
    "next_after_hold",
    "holders",
    "assignment",
    "published_status",
)
"""What the purchase of a number that was ported in leaves as it is."""
ORIGINS: Final[dict[Acquired, Origin]] = {"ported_in": "ported_in", "external": "external"}


NewNumber: TypeAlias = DidPurchased | DidPortingStarted
"""The data of an event that makes a number a DID."""


def become_did(
    data: NewNumber,
    now: datetime,
    known: Known,
    *,
    deployment_carrier: str,
    purchased_at: datetime | None = None,
    is_published: bool = True,
    user: str | None = None,
    package_key: str | None = None,
    stock: DidStock = "assigned",
    answer: Callable[[Did], Any] | None = None,
) -> Decided[Did]:
    """Make a number the DID that `data` describes. Whether that is allowed was decided before.

    The needs are the number with `write`, the account with all accounts above it and, for an order, the ordered number
    with `write`; for a held number also the count of its reserver with `write` (`needs.held_number`).
    `deployment_carrier` is the carrier where neither the purchase, the number nor an account names one.
    A number that is ported in begins with the `stock` porting_in. `did.purchased` (or the start of the porting) is
    published unless it came as an event (`is_published`). The DID is dated `purchased_at`, else now.
    """
    dated = data.model_copy(update={"purchased_at": purchased_at or now})
    made = replace(
        new_holding(dated, known, deployment_carrier),
        user=user,
        package_key=package_key,
        stock=stock,
        last_step=FIRST_STEPS[stock],
    )
    number = known.get(Number, made.number)
    also = (with_did(number, made), *ordered_numbers(data), *released(number, known, now))
    events = (dated, did_changed(made)) if is_published else (did_changed(made),)
    return conclude(made, Views(), now, *events, also=also, answer=answer)


def ported_in(
    did: Did,
    data: DidPurchased,
    now: datetime,
    known: Known,
    *,
    deployment_carrier: str,
    is_published: bool = False,
) -> Decided[Did]:
    """Complete a porting by its purchase. The purchase says everything anew, as if it had come first.

    What the holder has said about the number meanwhile is kept. `data.purchased_at` must be set.
    """
    before = did.holding
    kept = {name: getattr(before, name) for name in _KEPT}
    bought = replace(new_holding(data, known, deployment_carrier), **kept)
    after = moved(replace(bought, stock=before.stock), "purchase", "assigned")
    events = (data, did_changed(after)) if is_published else (did_changed(after),)
    return conclude(after, did.views, now, *events, also=ordered_numbers(data), answer=partial(DidAt, at=now))


def new_holding(data: NewNumber, known: Known, deployment_carrier: str) -> Holding:
    """Return the holding of a new DID, with its carriers and its origin. A number in stock gives what is not named.

    `data.purchased_at` must be set.
    """
    number = known.get(Number, data.number)
    stocked = number if number is not None and number.stock is not None else Number(number=data.number)
    given = Carriers(
        carrier=data.carrier or stocked.carrier, sms_carrier=data.sms_carrier or stocked.sms_carrier
    )
    default = default_carriers(data.account, known, deployment_carrier)
    carriers = carriers_for(data.features, given, default)
    return replace(
        holding_of(data),
        region=data.region or stocked.region,
        carrier=carriers.carrier,
        sms_carrier=carriers.sms_carrier,
        in_enterprise=is_enterprise(known.get(Account, data.account)),
        origin="stock" if stocked.stock is not None else ORIGINS.get(data.acquired, "purchased"),
        tags=(stocked.tag,) if stocked.tag else (),
        next_after_hold=stocked.after_hold,
    )


def holding_of(data: NewNumber, stock: DidStock = "assigned") -> Holding:
    """Return what the data alone say about a new DID. Raises ValueError if they are not dated."""
    if data.purchased_at is None:
        raise ValueError("a new DID needs the instant at which its account got it")
    return Holding(
        did_id=data.did_id,
        number=data.number,
        number_type=data.number_type,
        country=data.country or country_of(data.number),
        region=data.region,
        area=data.area,
        order_id=data.order_id,
        purchased_at=data.purchased_at,
        stock=stock,
        account=data.account,
        payer=data.account,
        features=data.features,
        carrier=data.carrier,
        sms_carrier=data.sms_carrier,
    )


def data_of_stocked(number: Number, did_id: UUID, account: str, acquired: Acquired) -> DidPurchased:
    """Return the data of a DID that a number in stock becomes without a purchase.

    Raises ValueError if the number is not described: it was never in stock.
    """
    if number.number_type is None:
        raise ValueError("a number in stock has a number type")
    return DidPurchased(
        did_id=did_id,
        number=number.number,
        account=account,
        number_type=number.number_type,
        features=number.features,
        country=number.country,
        region=number.region,
        carrier=number.carrier,
        sms_carrier=number.sms_carrier,
        acquired=acquired,
    )


def live_did_of(number: Number, known: Known) -> Did | None:
    """Return the live DID of a number, or None."""
    return None if number.did_id is None else known.get(Did, number.did_id)


def with_did(number: Number | None, holding: Holding) -> Number:
    """Return the number with this DID as its live DID. It is in no stock until it returns."""
    before = number or Number(number=holding.number)
    return replace(
        before,
        did_id=holding.did_id,
        last_did_id=holding.did_id,
        releasing=False,
        stock=None,
        reservation_id=None,
        held_for=None,
        until=None,
    )


def order_key_of(data: NewNumber) -> str | None:
    """Return the key of the ordered number; None for a purchase without an order."""
    return ordered_number_key(data.account, data.order_id, data.number) if data.order_id else None


def ordered_numbers(data: NewNumber) -> tuple[OrderedNumber, ...]:
    """Return the ordered number that a DID is made, or refused, for; empty without an order."""
    key = order_key_of(data)
    return () if key is None else (OrderedNumber(key=key, number=data.number, did_id=data.did_id),)
