"""The numbers, and the numbers that order systems have ordered.

A number has at most one live DID. It is free again only when the carrier of its last DID has released it.
"""

from datetime import datetime
from operator import attrgetter
from typing import Final, Literal
from uuid import UUID

import phonenumbers
from msgspec import Struct

from didflow_contracts.vocabulary import AfterHold, Features, NumberType
from didflow_inventory.domain.history.things import Changes, Thing, recorded_fields

StockStatus = Literal["in_stock", "reserved", "held", "archived"]


class Number(Struct, frozen=True, kw_only=True):
    """A number. `did_id` is its live DID, `last_did_id` its latest DID, live or not.

    `releasing` is True until the carrier of the last DID has released the number. `stock` is None while the
    number is in no stock. `uploaded_by` is the account that added the number to the stock; None if no account did.
    It stays while the number is a DID, because the number returns to that stock.

    `reserved` is set by hand. `held` is set by a reservation: `held_for` is its account, and `until` is when it ends.
    `region` is the area that the numbering plan gives the number, or what the last DID from this stock showed.
    `after_hold` is what becomes of the DID's number when a hold runs out. The other fields describe the number to
    whoever gets it.
    """

    number: str
    did_id: UUID | None = None
    last_did_id: UUID | None = None
    releasing: bool = False
    stock: StockStatus | None = None
    uploaded_by: str | None = None
    uploaded_at: datetime | None = None
    country: str | None = None
    region: str | None = None
    number_type: NumberType | None = None
    features: Features = ()
    operator: str | None = None
    carrier: str | None = None
    sms_carrier: str | None = None
    reservation_id: UUID | None = None
    held_for: str | None = None
    until: datetime | None = None
    tag: str | None = None
    notes: str | None = None
    after_hold: AfterHold | None = None


_recorded: Final = recorded_fields(Number, without=["number"])


def _changes(before: Number | None, after: Number) -> Changes:
    """Return the changed fields. A number in no stock has no values here, so it is new in the stock that it enters."""
    was_stocked = before is not None and before.uploaded_by is not None
    is_stocked = after.uploaded_by is not None
    return _recorded(before if was_stocked else None, after if is_stocked else Number(number=after.number))


THING: Final = Thing(
    name="stock",
    model=Number,
    key_of=attrgetter("number"),
    account_of=attrgetter("uploaded_by"),
    changes=_changes,
    number_of=attrgetter("number"),
)
"""A number in the history. It has one as long as an account has it in its stock, also while it is a DID."""


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
