"""The numbers, and the numbers that order systems have ordered.

A number has at most one live DID. It is free again only when the carrier of its last DID has released it.
"""

from typing import Literal
from uuid import UUID

import phonenumbers
from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Refused
from didflow_contracts.accounts import is_within
from didflow_contracts.numbers import country_of, is_valid, split_number
from didflow_inventory.domain.holding import Holding
from didflow_inventory.domain.views import RoutingView

StockStatus = Literal["in_stock", "reserved", "held", "archived"]


class Number(Struct, frozen=True, kw_only=True):
    """A number. `did_id` is its live DID, `last_did_id` its latest DID, live or not.

    `releasing` is True until the carrier of the last DID has released the number. `stock` is None while the
    number is in no stock. `uploaded_by` is the account that added the number to the stock; None if no account did.
    """

    number: str
    did_id: UUID | None = None
    last_did_id: UUID | None = None
    releasing: bool = False
    stock: StockStatus | None = None
    uploaded_by: str | None = None


class OrderedNumber(Struct, frozen=True, kw_only=True):
    """One number of one order of one account. `did_id` is the DID that was made, or refused, for it."""

    key: str
    number: str
    did_id: UUID


def warm_up() -> None:
    """Cache all compiled patterns of the numbering plans. The cache of `re` is too small for many countries."""
    phonenumbers.enable_pattern_cache()


def ordered_number_key(account: str, order_id: str, number: str) -> str:
    """Return the key of an ordered number.

    The key is unambiguous, because neither an account path nor a number can contain the separator.
    """
    return f"{account}|{order_id}|{number}"


def refusal_by_stock(number: Number | None, account: str) -> Refused | None:
    """Return why an account cannot have a number; None if it can. Source: spec events, `purchase.refused`."""
    if number is None:
        return None
    if number.did_id is not None:
        return Refused("number_taken", "This number is already in use.", "number")
    if number.releasing:
        return Refused(
            "number_releasing",
            "The last carrier of this number has not released it yet. Try later.",
            "number",
        )
    if number.stock == "archived":
        return Refused("number_archived", "This number is archived.", "number")
    if number.uploaded_by is not None and not is_within(account, number.uploaded_by):
        return Refused("number_taken", "This number is in the stock of another account.", "number")
    if number.stock in ("reserved", "held"):
        return Refused("number_reserved", "This number is reserved.", "number")
    return None


def refusal_of_stocked(number: Number | None) -> Refused | None:
    """Return why a number cannot be added as an external one; None if it can.

    An external number has no price. A number in stock belongs to whoever uploaded it and is purchased.
    """
    if number is None or number.stock is None:
        return None
    return Refused("number_taken", "This number is in stock. Purchase it.", "acquired")


def refusal_by_numbering_plan(number: str, country: str | None) -> Refused | None:
    """Return the refusal of a number that no numbering plan has, or whose country is another one."""
    if not is_valid(number):
        return Refused("invalid_number", "No numbering plan has this number.", "number")
    if country is not None and not _belongs_to(number, country):
        found = country_of(number) or "no country"
        return Refused("invalid_number", f"The number belongs to {found}, not to {country}.", "country")
    return None


def with_did(number: Number | None, holding: Holding) -> Number:
    """Return the number with this DID as its live DID."""
    before = number or Number(number=holding.number)
    return replace(before, did_id=holding.did_id, last_did_id=holding.did_id, releasing=False, stock=None)


def without_did(number: Number, holding: Holding, routing: RoutingView) -> Number:
    """Return the number after the removal of its live DID.

    A number from stock is in stock again. It cannot be purchased until its carrier has released it.
    """
    return replace(
        number,
        did_id=None,
        releasing=routing.carrier_state != "released",
        stock="in_stock" if holding.origin == "stock" else None,
    )


def _belongs_to(number: str, country: str) -> bool:
    found = split_number(number)
    return found is not None and phonenumbers.is_valid_number_for_region(found, country)
