"""Whether an account can have a number: its form, its live DID, its carrier and its state in stock."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

import phonenumbers

from didflow_chassis.decision import Refused
from didflow_contracts.accounts import is_within
from didflow_contracts.numbers import country_of, is_valid, split_number
from didflow_inventory.domain.stock.number import Number
from didflow_inventory.domain.stock.transitions import as_of, refusal_of_state

NO_NUMBER: Final = Refused("invalid_number", "No numbering plan has this number.", "number")


def refusal_by_stock(
    number: Number | None, account: str, now: datetime, *, buyers: Collection[str] = ()
) -> Refused | None:
    """Return why an account cannot have a number; None if it can. Source: spec events, `purchase.refused`.

    The state of a number in a foreign stock is not told, whatever it is. A number that a reservation holds can be had
    by its reserver alone. `buyers` are the accounts that act besides the one that gets the number.
    """
    if number is None:
        return None
    if number.uploaded_by is not None and not is_within(account, number.uploaded_by):
        return Refused("number_taken", "This number belongs to the stock of another account.", "number")
    refused = refusal_of_used(number)
    if refused is not None:
        return refused
    found = as_of(number, now)
    if found.stock == "archived":
        return refusal_of_state(found.stock, "This number is archived.")
    if found.stock == "held" and found.held_for in (account, *buyers):
        return None
    if found.stock in ("reserved", "held"):
        return refusal_of_state(found.stock, "This number is reserved.")
    return None


def refusal_of_used(number: Number) -> Refused | None:
    """Return why a number is not free, whoever asks: it has a live DID, or its last carrier still has it."""
    if number.did_id is not None:
        return Refused("number_taken", "This number is already in use.", "number")
    if number.releasing:
        return Refused(
            "number_releasing",
            "The last carrier of this number has not released it yet. Try later.",
            "number",
        )
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
        return NO_NUMBER
    if country is not None and not _belongs_to(number, country):
        found = country_of(number) or "no country"
        return Refused("invalid_number", f"The number belongs to {found}, not to {country}.", "country")
    return None


def _belongs_to(number: str, country: str) -> bool:
    found = split_number(number)
    return found is not None and phonenumbers.is_valid_number_for_region(found, country)
