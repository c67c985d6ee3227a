"""Reservations: an account keeps numbers in stock for itself until an instant. They end by themselves.

The number itself says for whom it is held and until when (`Number.held_for`, `until`), so a sale needs no reservation.
How many numbers an account holds is counted in one state for each account, under whose lock each reservation is made.

Source: spec inventory, `reservation`; spec lifecycle, Stock and holders.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import OPERATOR, Caller, Command, Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.bounds import Range
from didflow_contracts.instants import later
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.history.things import Thing, recorded_fields
from didflow_inventory.domain.stock.availability import refusal_by_stock
from didflow_inventory.domain.stock.number import Number
from didflow_inventory.domain.stock.transitions import as_of, moved

MINUTES: Final = Range(1, 1_440, "minutes of a reservation")
MOST_OPEN: Final = 1_000
"""How many numbers an account can hold at the same time."""


class Reservation(Struct, frozen=True, kw_only=True):
    """Numbers that an account keeps until `expires_at`. `due_at` is its timer; None when it has ended.

    `ended_at` is when it ended; None while it is open. Some days later nobody knows it any more (`Kind.ended`).
    """

    reservation_id: UUID
    account: str
    numbers: tuple[str, ...]
    state: Literal["open", "canceled", "expired"] = "open"
    created_at: datetime
    expires_at: datetime
    due_at: datetime | None
    ended_at: datetime | None = None


THING: Final = Thing(
    name="reservation",
    model=Reservation,
    key_of=attrgetter("reservation_id"),
    account_of=attrgetter("account"),
    changes=recorded_fields(Reservation, without=["due_at", "ended_at"]),
    timer="reservation_end",
)
"""A reservation in the history."""


class Held(Struct, frozen=True):
    """How many numbers one reservation still holds, and until when."""

    count: int
    expires_at: datetime


class HeldNumbers(Struct, frozen=True, kw_only=True):
    """How many numbers the open reservations of an account hold, by the ids of the reservations."""

    account: str
    held: Mapping[UUID, Held] = {}

    def as_of(self, now: datetime) -> "HeldNumbers":
        """Return what is held at an instant: a reservation ends by itself, whenever its timer runs."""
        held = {key: one for key, one in self.held.items() if one.expires_at > now}
        return self if len(held) == len(self.held) else replace(self, held=held)

    @property
    def count(self) -> int:
        """How many numbers are held."""
        return sum(one.count for one in self.held.values())

    def without(self, reservation_id: UUID | None) -> "HeldNumbers":
        """Return the counts without a reservation."""
        return replace(self, held={key: one for key, one in self.held.items() if key != reservation_id})

    def without_number(self, reservation_id: UUID | None) -> "HeldNumbers":
        """Return the counts with one number less in a reservation. One that holds no number is left out."""
        found = None if reservation_id is None else self.held.get(reservation_id)
        if found is None or reservation_id is None:
            return self
        if found.count == 1:
            return self.without(reservation_id)
        return replace(self, held={**self.held, reservation_id: Held(found.count - 1, found.expires_at)})


@dataclass(frozen=True, kw_only=True)
class Reserve(Command):
    """Reserve numbers for the caller's account. `count` is how many are wanted; none is reserved if fewer are free."""

    numbers: tuple[str, ...]
    count: int
    minutes: int


@dataclass(frozen=True, kw_only=True)
class CancelReservation(Command):
    """End a reservation before its time."""


def reserve(reservation: Reservation | None, command: Reserve, now: datetime, known: Known) -> Decision:
    """Reserve all numbers of the command, or none. The answer is the reservation.

    Refused with `account_unknown`, `not_enough_numbers` and `reservation_limit`.
    """
    if reservation is not None:
        return Unchanged(answer=reservation)
    caller = command.caller
    if caller.role != OPERATOR and known.get(Account, caller.account) is None:
        return Refused("account_unknown", f"The account {caller.account} does not exist.", "account")
    found = [known.get(Number, name) for name in command.numbers]
    free = [number for number in found if number is not None and is_free(number, caller, now)]
    if len(free) < command.count:
        message = f"{command.count} numbers are wanted, and {len(free)} of them are free. None was reserved."
        return Refused("not_enough_numbers", message, "numbers")
    open_ = (known.get(HeldNumbers, caller.account) or HeldNumbers(account=caller.account)).as_of(now)
    if open_.count + len(free) > MOST_OPEN:
        message = f"An account can hold {MOST_OPEN:,} numbers; {open_.count:,} are held."
        return Refused("reservation_limit", message, "numbers")
    reservation_id, until = command.entity_id, later(now, timedelta(minutes=command.minutes))
    if not isinstance(reservation_id, UUID):
        raise TypeError("the key of a reservation is a UUID")
    made = Reservation(
        reservation_id=reservation_id,
        account=caller.account,
        numbers=tuple(number.number for number in free),
        created_at=now,
        expires_at=until,
        due_at=until,
    )
    hold = {"reservation_id": reservation_id, "held_for": caller.account, "until": until}
    held = [moved(number, "held", now, **hold) for number in free]
    counted = replace(open_, held={**open_.held, reservation_id: Held(len(free), until)})
    return Decided(state=made, also=(*_numbers(held), counted), answer=made)


def cancel_reservation(
    reservation: Reservation | None, command: CancelReservation, now: datetime, known: Known
) -> Decision:
    """End a reservation. Its numbers that were not sold are in stock again. One that has ended is unchanged.

    Refused with `not_found`.
    """
    if reservation is None or not command.caller.reaches(reservation.account):
        return Refused("not_found", "No such reservation in your accounts.", "reservation_id")
    return _ended(reservation, "canceled", now, known)


def on_reservation_end(reservation: Reservation, at: datetime, known: Known) -> Decision:
    """End a reservation whose time is over."""
    return _ended(reservation, "expired", at, known)


def is_free(number: Number, caller: Caller, now: datetime) -> bool:
    """Return True if a caller can reserve a number: it is in stock, and the caller's account may have it."""
    if as_of(number, now).stock != "in_stock" or number.uploaded_by is None:
        return False
    account = number.uploaded_by if caller.role == OPERATOR else caller.account
    return refusal_by_stock(number, account, now) is None


def released(number: Number | None, known: Known, now: datetime) -> tuple[HeldNumbers, ...]:
    """Return the count of the account for which a number was held, without the number; empty if it was not held.

    Whoever makes a DID of a held number writes this count too.
    """
    if number is None or number.stock != "held" or number.held_for is None:
        return ()
    counted = known.get(HeldNumbers, number.held_for)
    return () if counted is None else (counted.as_of(now).without_number(number.reservation_id),)


def _ended(
    reservation: Reservation, state: Literal["canceled", "expired"], at: datetime, known: Known
) -> Decision:
    if reservation.state != "open":
        return Unchanged()
    own = reservation.reservation_id
    found = [known.get(Number, name) for name in reservation.numbers]
    held = [number for number in found if number is not None and number.reservation_id == own]
    counted = known.get(HeldNumbers, reservation.account) or HeldNumbers(account=reservation.account)
    return Decided(
        state=replace(reservation, state=state, due_at=None, ended_at=at),
        also=(*_numbers(_in_stock(number) for number in held), counted.as_of(at).without(own)),
    )


def _in_stock(number: Number) -> Number:
    return replace(number, stock="in_stock", reservation_id=None, held_for=None, until=None)


def _numbers(found: Iterable[Number | Unchanged | Refused]) -> tuple[Number, ...]:
    """Return the numbers. Raises TypeError if one could not be moved, which was checked before."""
    numbers = tuple(found)
    if not all(isinstance(number, Number) for number in numbers):
        raise TypeError("a number that was free cannot be held")
    return tuple(number for number in numbers if isinstance(number, Number))
