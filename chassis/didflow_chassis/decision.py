"""Decisions: the results that a pure function of state and message may return, and the types of its arguments.

Nothing here does I/O or reads a clock. `domain/` packages import this module of the chassis and no other.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from msgspec import Struct

from didflow_contracts.accounts import is_within
from didflow_contracts.event_data import EventData

S = TypeVar("S")
T = TypeVar("T")

OPERATOR = "operator"
"""The role whose reach is every account."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who sent an HTTP request: the token's `sub`, its account path and its role.

    With `is_service`, a service itself acts, as in a job that it has started; `subject` is then its name.
    """

    subject: str
    account: str
    role: str
    is_service: bool = False

    @property
    def actor(self) -> str:
        """The caller as `actor`, `submitted_by`, `decided_by` and similar fields name it.

        It is `user:<subject>` or `service:<name>`.
        """
        return f"{'service' if self.is_service else 'user'}:{self.subject}"

    def reaches(self, account: str) -> bool:
        """Return True if the account is the caller's own or below it. An operator reaches every account.

        This is the only rule of reach for decisions. `didflow_chassis.tenancy.within` is the same rule in SQL.
        """
        return self.role == OPERATOR or is_within(account, self.account)


@dataclass(frozen=True, kw_only=True)
class Command:
    """A change that a caller requests: over HTTP, by a job or on a command line. Each command is a subclass.

    `entity_id` is the key of the primary state. `subject` is the key that is locked and by which events are ordered;
    for a state that is not ordered by such a key it is `""`.
    """

    entity_id: Hashable
    subject: str
    caller: Caller


@dataclass(frozen=True, kw_only=True)
class ReplaceCiphertext(Command):
    """Replace the ciphertext `former` of the state `entity_id`, under `former_key_id`, by one of the same content.

    If the state has another ciphertext by now, nothing changes.
    """

    former_key_id: str
    former: bytes
    key_id: str
    content: bytes


class Decided(Struct, Generic[S], frozen=True, kw_only=True):
    """The message is applied: new states, and the events to publish, in order.

    `state` is the new value of the primary state, or None to leave it as it is. `also` has new values of other states,
    each declared as a need with `write=True`, and rows of append-only kinds. `answer` is returned to the HTTP caller.
    `refused` is set if the event is refused and the states note that: the refusal is counted and published like a
    `Refused`. `manual_checks` are the checks that the decision leaves to a person, as pairs of scope and check. They
    are counted in a metric, so both come from closed sets.
    """

    state: S | None = None
    also: tuple[Any, ...] = ()
    events: tuple[EventData, ...] = ()
    answer: Any = None
    refused: "Refused | None" = None
    manual_checks: tuple[tuple[str, str], ...] = ()


class Unchanged(Struct, frozen=True, kw_only=True):
    """The state is already as requested. Nothing is written, and the message is not decided again."""

    answer: Any = None


class Refused(Struct, frozen=True):
    """The message is not allowed. Refusals are final and are never retried.

    `code` is stable and public; `message` explains it; `field` names the input field that caused it. The refusal
    `internal_error` has a `reference` by which an operator finds the error in the log.
    """

    code: str
    message: str = ""
    field: str | None = None
    reference: str | None = None


class TooEarly(Struct, frozen=True):
    """Something that the message needs has not arrived. The message is parked until the entity changes."""

    missing: str = ""


class NewJob(Struct, frozen=True, kw_only=True):
    """A job to start, for work that is longer than one transaction. A decision returns it in `also`.

    It needs no declaration in `needs.py`. `kind` is a name in `Service.jobs`, and `parameters` is a value of that
    kind's `parameters` class. Callers whose reach includes `account` see the job; for the account `""`, only operators
    do. `account` and `role` are also those of the caller of its commands. `created_by` is the actor of its events.

    Source: spec http, Jobs.
    """

    job_id: UUID
    kind: str
    account: str = ""
    role: str = OPERATOR
    created_by: str
    created_at: datetime
    parameters: Any

    @classmethod
    def of(cls, caller: Caller, *, job_id: UUID, kind: str, now: datetime, parameters: Any) -> "NewJob":
        """Return the job that a caller starts."""
        return cls(
            job_id=job_id,
            kind=kind,
            account=caller.account,
            role=caller.role,
            created_by=caller.actor,
            created_at=now,
            parameters=parameters,
        )


Decision = Decided[Any] | Unchanged | Refused | TooEarly


def refusal_of(decision: Decision | None) -> Refused | None:
    """Return the refusal in a decision, or None if the message is not refused."""
    return (
        decision.refused
        if isinstance(decision, Decided)
        else decision
        if isinstance(decision, Refused)
        else None
    )


@dataclass(slots=True)
class Known:
    """The other states that a handler declared, by model class and key, and the batch's computed values."""

    states: dict[tuple[type, Hashable], Any] = field(default_factory=dict)
    computed: dict[Hashable, Any] = field(default_factory=dict)

    def get(self, model: type[T], key: Hashable) -> T | None:
        """Return a declared state, or None if it does not exist.

        Raises KeyError for a state that the handler did not declare: a defect in `handlers.py` or `needs.py`.
        """
        found: T | None = self.states[model, key]
        return found

    def compute(self, function: Callable[..., T], *args: Hashable) -> T:
        """Return the result of a pure function. It is called once per batch for the same arguments."""
        call = (function, *args)
        if call not in self.computed:
            self.computed[call] = function(*args)
        result: T = self.computed[call]
        return result


def known(*states: tuple[Any, Hashable], absent: Iterable[tuple[type, Hashable]] = ()) -> Known:
    """Build a `Known` from (state, key) pairs and absent (model, key) pairs. For tests of decisions."""
    present: dict[tuple[type, Hashable], Any] = {(type(state), key): state for state, key in states}
    return Known(states=present | dict.fromkeys(absent))
