"""The vocabulary of decisions: what a pure function of state and message may answer.

Nothing here opens, awaits or reads a clock; `domain/` packages import this module of the chassis and no other.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

from msgspec import Struct

from didflow_contracts.accounts import is_within
from didflow_contracts.event_data import EventData

S = TypeVar("S")
T = TypeVar("T")

OPERATOR = "operator"
"""The role that reaches every account."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who sent an HTTP request: the token's `sub`, its account path and its role."""

    subject: str
    account: str
    role: str

    @property
    def actor(self) -> str:
        """The caller as `actor`, `submitted_by`, `decided_by` and similar fields name it: `user:<subject>`."""
        return f"user:{self.subject}"

    def reaches(self, account: str) -> bool:
        """Return True if the account is the caller's own or below it. An operator reaches every account.

        This is the only rule of reach for decisions. `didflow_chassis.tenancy.within` is the same rule in SQL.
        """
        return self.role == OPERATOR or is_within(account, self.account)


@dataclass(frozen=True, kw_only=True)
class Command:
    """A wish that came over HTTP, about the state `entity_id` under the ordering key `subject`.

    Services subclass it, one class for each wish. `subject` is the key that is locked and that events
    are ordered by; for states that are not ordered by such a key it is `""`.
    """

    entity_id: Hashable
    subject: str
    caller: Caller


class Decided(Struct, Generic[S], frozen=True, kw_only=True):
    """What follows: the state afterwards, other declared states changed, and the events that say so.

    `state` is the primary state's new value, or None to leave it as it is. `also` holds new values of
    other states (each declared as a writable need) and rows of append-only kinds. `events` leave in order.
    `answer` is handed back to an HTTP caller and goes nowhere else.
    """

    state: S | None = None
    also: tuple[Any, ...] = ()
    events: tuple[EventData, ...] = ()
    answer: Any = None


class Unchanged(Struct, frozen=True, kw_only=True):
    """The idempotent repeat of what is so already: nothing is written, the message counts as taken."""

    answer: Any = None


class Refused(Struct, frozen=True):
    """A closed transition: `code` is stable and public, `message` explains it. Never retried."""

    code: str
    message: str = ""
    field: str | None = None


class TooEarly(Struct, frozen=True):
    """What this message needs has not come yet: it waits with the entity's other messages until it has."""

    missing: str = ""


Decision = Decided[Any] | Unchanged | Refused | TooEarly


@dataclass(slots=True)
class Known:
    """The other states that a decision declared, by model class and key, and the batch's memo."""

    states: dict[tuple[type, Hashable], Any] = field(default_factory=dict)
    memo: dict[Hashable, Any] = field(default_factory=dict)

    def get(self, model: type[T], key: Hashable) -> T | None:
        """Return the declared state, or None where it does not exist.

        Raises KeyError for a state that the handler did not declare: a defect in `handlers.py`.
        """
        found: T | None = self.states[model, key]
        return found

    def once(self, compute: Callable[..., T], *args: Hashable) -> T:
        """Compute a pure function once per batch for the same arguments."""
        place = (compute, *args)
        if place not in self.memo:
            self.memo[place] = compute(*args)
        result: T = self.memo[place]
        return result


def known(*states: tuple[Any, Hashable], absent: Iterable[tuple[type, Hashable]] = ()) -> Known:
    """Build a `Known` from (state, key) pairs and absent (model, key) pairs, for tests of decisions."""
    present: dict[tuple[type, Hashable], Any] = {(type(state), key): state for state, key in states}
    return Known(states=present | dict.fromkeys(absent))


EntityKey = UUID | str
