"""Numbers and orders: whether a number is to be had, and which DID an order has made.

At most one DID lives on a number at a time; a number is free again only when its last carrier let it go.
"""

from typing import Literal
from uuid import UUID

import phonenumbers
from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Refused
from didflow_contracts.accounts import is_within
from didflow_contracts.numbers import country_of, is_valid, parsed
from didflow_inventory.domain.did import Did

StockStatus = Literal["in_stock", "reserved", "held", "archived"]


class Number(Struct, frozen=True, kw_only=True):
    """A number as a thing. `did_id` is its living DID, `last_did` its latest one, living or not.

    `releasing`: the carrier of `last_did` has not let it go yet. `stock` is None while it is in nobody's
    stock; `uploader` is the account that brought it in, if any.
    """

    number: str
    did_id: UUID | None = None
    last_did: UUID | None = None
    releasing: bool = False
    stock: StockStatus | None = None
    uploader: str | None = None


class Order(Struct, frozen=True, kw_only=True):
    """An order for one number by one account, and the DID that it made or was refused as."""

    key: str
    number: str
    did_id: UUID


def warm_up() -> None:
    """Keep the patterns of numbering plans: `re` remembers too few for numbers of many countries side by side."""
    phonenumbers.enable_pattern_cache()


def order_key(account: str, order_id: str, number: str) -> str:
    """Name an order. Unambiguous: neither an account path nor a number can hold the separator."""
    return f"{account}|{order_id}|{number}"


def refusal_of(number: Number | None, account: str) -> Refused | None:
    """Say why a number is not to be had, or None. Source: spec events, `purchase.refused`."""
    if number is None:
        return None
    if number.did_id is not None:
        return Refused("number_taken", "a DID lives on this number", "number")
    if number.releasing:
        return Refused("number_releasing", "its last carrier has not released it yet", "number")
    if number.stock == "archived":
        return Refused("number_archived", "the number is archived", "number")
    if number.uploader is not None and not is_within(account, number.uploader):
        return Refused("number_taken", "the number is in another stock", "number")
    if number.stock in ("reserved", "held"):
        return Refused("number_reserved", "the number is set aside", "number")
    return None


def implausible(number: str, country: str | None) -> Refused | None:
    """Refuse what no numbering plan knows, and a country that contradicts the number."""
    if not is_valid(number):
        return Refused("invalid_number", "no numbering plan knows this number", "number")
    if country is not None and not _belongs_to(number, country):
        found = country_of(number) or "no country"
        return Refused("invalid_number", f"the number belongs to {found}, not to {country}", "country")
    return None


def taken(number: Number | None, did: Did) -> Number:
    """Let a DID live on a number."""
    before = number or Number(number=did.number)
    return replace(before, did_id=did.did_id, last_did=did.did_id, releasing=False, stock=None)


def freed(number: Number, did: Did) -> Number:
    """End a DID's life on its number; stock numbers go back to stock, once the carrier has let go."""
    return replace(
        number,
        did_id=None,
        releasing=did.routing.carrier_state != "released",
        stock="in_stock" if did.origin == "stock" else None,
    )


def _belongs_to(number: str, country: str) -> bool:
    read = parsed(number)
    return read is not None and phonenumbers.is_valid_number_for_region(read, country)
