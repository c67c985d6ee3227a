"""Purchases: by an event, which may be refused by another event, or over HTTP, with the decision as the answer.

A purchase is never made twice: a repeat is recognized by its `did_id` and by its account, order and number.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Final, get_args
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Command, Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidPurchased
from didflow_contracts.ownership import contradicts_owner
from didflow_contracts.vocabulary import Acquired, DidStock, RefusalCode
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.accounts.carriers import refusal_of_carriers
from didflow_inventory.domain.accounts.default_carriers import Carriers
from didflow_inventory.domain.commands import Purchase, StartPorting
from didflow_inventory.domain.did import Did, DidAt, conclude
from didflow_inventory.domain.events import purchase_refused
from didflow_inventory.domain.price import refusal_of_named_price
from didflow_inventory.domain.stock.availability import (
    refusal_by_numbering_plan,
    refusal_by_stock,
    refusal_of_stocked,
)
from didflow_inventory.domain.stock.new_did import (
    NewNumber,
    become_did,
    holding_of,
    order_key_of,
    ordered_numbers,
    ported_in,
)
from didflow_inventory.domain.stock.number import Number, OrderedNumber
from didflow_inventory.domain.stock.permission import refusal_of_external_numbers
from didflow_inventory.domain.view_updates import NOT_YOURS
from didflow_inventory.domain.views import Views

BROUGHT: Final[frozenset[Acquired]] = frozenset(("external", "ported_in"))
"""The ways of getting a number that was with another carrier before, so it cannot be in our stock."""
NO_PORTING: Final = Refused("not_found", "No porting has this did_id. Start it first.", "did_id")
OLDEST: Final = timedelta(days=31)
"""How long ago a number that is purchased over HTTP can have been purchased."""


def earlier_did_id(data: NewNumber, known: Known) -> Iterable[UUID]:
    """Return the id of the DID that was made, or refused, for the same order; empty if there is none."""
    key = order_key_of(data)
    ordered = known.get(OrderedNumber, key) if key else None
    return () if ordered is None else (ordered.did_id,)


def on_purchased(
    did: Did | None, event: Event[DidPurchased], now: datetime, known: Known, *, deployment_carrier: str
) -> Decision:
    """Make the purchased number a DID, or publish `purchase.refused`. Source: spec events, Topics.

    `deployment_carrier` is the carrier of numbers for which neither the purchase nor an account names one.
    """
    if did is None:
        return acquired_by_event(event, now, known, deployment_carrier=deployment_carrier)
    repeat = repeat_by_event(did, event)
    if not isinstance(repeat, Unchanged) or did.holding.stock != "porting_in":
        return repeat
    data = event.data.model_copy(update={"purchased_at": event.data.purchased_at or event.time})
    return ported_in(did, data, now, known, deployment_carrier=deployment_carrier)


def acquired_by_event(
    event: Event[NewNumber],
    now: datetime,
    known: Known,
    *,
    deployment_carrier: str,
    stock: DidStock = "assigned",
) -> Decision:
    """Make a number a DID, or publish `purchase.refused`."""
    data = event.data
    purchased_at = data.purchased_at or event.time
    if earlier_did(data, known) is not None:
        refusal = Refused("duplicate_order", "This order already made or refused another DID.")
        return _refused_did(data, purchased_at, now, refusal)
    found = refusal_of_number(data, now, known)
    if found is not None:
        return _refused_did(data, purchased_at, now, found, also=ordered_numbers(data))
    return become_did(
        data,
        now,
        known,
        deployment_carrier=deployment_carrier,
        purchased_at=purchased_at,
        is_published=False,
        stock=stock,
    )


def purchase(
    did: Did | None, command: Purchase, now: datetime, known: Known, *, deployment_carrier: str
) -> Decision:
    """Decide a purchase over HTTP. Answer with the new DID, or with the DID that the same order made before.

    A refusal publishes no event. Besides the codes of a purchase by event, it is `not_found` for an account outside
    the caller's reach, `price_not_allowed` (`price.py`), `did_id_taken` if the `did_id` belongs to another purchase,
    and `out_of_range` for a `purchased_at` more than 31 days ago or ahead.
    """
    data = command.data
    refusal = refusal_of_caller(command, data, known, deployment_carrier)
    if refusal is not None:
        return refusal
    if did is not None and data.acquired == "ported_in" and _is_foreign(did, command):
        return NO_PORTING
    earlier = did or earlier_did(data, known)
    if did is not None and did.holding.stock == "porting_in" and data.acquired == "ported_in":
        return _completed_over_http(did, data, now, known, deployment_carrier=deployment_carrier)
    if earlier is not None:
        return repeat_over_http(earlier, command, now)
    if data.acquired == "ported_in":
        return NO_PORTING
    refusal = _refusal_of_external(command, known)
    return refusal or acquired_over_http(command, now, known, deployment_carrier=deployment_carrier)


def refusal_of_caller(
    command: Command, data: NewNumber, known: Known, deployment_carrier: str
) -> Refused | None:
    """Return why a caller cannot give a number to an account, or name its price or its carriers; None if it can."""
    if not command.caller.reaches(data.account):
        return Refused(
            "not_found", "No such account in your reach. Use your own account or one below it.", "account"
        )
    given = Carriers(carrier=data.carrier, sms_carrier=data.sms_carrier)
    return (
        _refusal_by_account(data, known)
        or refusal_of_named_price(command.caller, data, known)
        or refusal_of_carriers(given, data.account, known, deployment_carrier)
    )


def acquired_over_http(
    command: Purchase | StartPorting,
    now: datetime,
    known: Known,
    *,
    deployment_carrier: str,
    stock: DidStock = "assigned",
) -> Decision:
    """Make a number a DID and answer with it, or refuse."""
    data = command.data
    refusal = _refusal_by_date(data, now) or refusal_of_number(
        data, now, known, buyers=(command.caller.account,)
    )
    return refusal or become_did(
        data,
        now,
        known,
        deployment_carrier=deployment_carrier,
        purchased_at=data.purchased_at,
        stock=stock,
        answer=partial(DidAt, at=now),
    )


def _completed_over_http(
    did: Did, data: DidPurchased, now: datetime, known: Known, *, deployment_carrier: str
) -> Decision:
    """Complete a porting with the purchase of its number by its account."""
    if (did.holding.account, did.holding.number) != (data.account, data.number):
        return Refused("did_id_taken", "This did_id belongs to another porting.", "did_id")
    refusal = _refusal_by_date(data, now)
    if refusal is not None:
        return refusal
    dated = data.model_copy(update={"purchased_at": data.purchased_at or now})
    return ported_in(did, dated, now, known, deployment_carrier=deployment_carrier, is_published=True)


def earlier_did(data: NewNumber, known: Known) -> Did | None:
    """Return the live or refused DID of the same order. A removed DID does not count."""
    for did_id in earlier_did_id(data, known):
        did = known.get(Did, did_id)
        if did is not None and did.holding.stock != "removed":
            return did
    return None


def repeat_by_event(did: Did, event: Event[NewNumber]) -> Decision:
    """Return the decision about a number that is a DID already."""
    if did.holding.number != event.data.number:
        return Refused("did_id_taken", "This did_id belongs to another number.", "did_id")
    return NOT_YOURS if contradicts_owner(event, did.holding.account) else Unchanged()


def repeat_over_http(did: Did, command: Purchase | StartPorting, now: datetime) -> Decision:
    """Answer with the DID that the same order made before, or refuse."""
    data = command.data
    holding, requested = did.holding, (data.account, data.order_id, data.number)
    if holding.stock == "removed" or (holding.payer, holding.order_id, holding.number) != requested:
        return Refused("did_id_taken", "This did_id belongs to another purchase. Send a new one.", "did_id")
    if holding.stock == "porting_in" and isinstance(data, DidPurchased):
        return Refused(
            "duplicate_order",
            f"This order is being ported in. Complete it with the did_id {holding.did_id}.",
            "did_id",
        )
    if holding.refusal_code is not None:
        return Refused(
            "duplicate_order", f"This order was refused before, with {holding.refusal_code}.", "order_id"
        )
    if not command.caller.reaches(holding.account):
        return Refused("duplicate_order", "This order made a DID that you do not have any more.", "order_id")
    return Unchanged(answer=DidAt(did, now))


def _is_foreign(did: Did, command: Purchase) -> bool:
    """Return True if neither the holder nor the payer of a DID is within the reach of the caller."""
    return not any(map(command.caller.reaches, (did.holding.account, did.holding.payer)))


def refusal_of_number(
    data: NewNumber, now: datetime, known: Known, *, buyers: Collection[str] = ()
) -> Refused | None:
    """Return why a number cannot become a DID of an account; None if it can."""
    number = known.get(Number, data.number)
    return (
        refusal_by_numbering_plan(data.number, data.country)
        or _refusal_by_account(data, known)
        or refusal_by_stock(number, data.account, now, buyers=buyers)
        or (refusal_of_stocked(number) if data.acquired in BROUGHT else None)
    )


def _refusal_by_account(data: NewNumber, known: Known) -> Refused | None:
    """Refuse an account that does not exist: it can own nothing."""
    if known.get(Account, data.account) is not None:
        return None
    return Refused("account_unknown", f"The account {data.account} does not exist.", "account")


def _refusal_by_date(data: NewNumber, now: datetime) -> Refused | None:
    """Refuse a date over HTTP that is outside its bounds. Source: spec http, `purchased_at`."""
    if data.purchased_at is None or now - OLDEST <= data.purchased_at <= now:
        return None
    message = f"purchased_at must lie between {OLDEST.days} days ago and now."
    return Refused("out_of_range", message, "purchased_at")


def _refusal_of_external(command: Purchase, known: Known) -> Refused | None:
    """Refuse an external number unless the role or the account allows it."""
    if command.data.acquired != "external":
        return None
    return refusal_of_external_numbers(command.caller, known.get(Account, command.data.account))


def _refused_did(
    data: NewNumber,
    purchased_at: datetime,
    now: datetime,
    refusal: Refused,
    also: tuple[OrderedNumber, ...] = (),
) -> Decided[Did]:
    """Store a refused DID and publish the refusal, so that the other services undo what they began."""
    code: RefusalCode = next(code for code in get_args(RefusalCode) if code == refusal.code)
    dated = data.model_copy(update={"purchased_at": purchased_at})
    refused = replace(holding_of(dated), stock="refused", refusal_code=code)
    return conclude(refused, Views(), now, purchase_refused(data, code, refusal), also=also)
