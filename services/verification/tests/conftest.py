"""Messages about one number in few words, and a stage in memory that does with them what the real one does."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from dataclasses import replace as amended
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Command, Decided, Decision, Known, Refused, TooEarly
from didflow_chassis.service import Handler, Ref
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.events import (
    DidChanged,
    DidPortingStarted,
    DidPurchased,
    DidRemoved,
    EnduserAssigned,
    PurchaseRefused,
    ServiceChanged,
)
from didflow_contracts.events.registration import Reason, RegistrationAxis
from didflow_contracts.ids import derived_id
from didflow_verification.catalogue.reading import packaged
from didflow_verification.domain.axes.registration import Details, Registration
from didflow_verification.domain.axes.verification import Verification, verification_id
from didflow_verification.domain.catalogue.rules import AddressRule, CountryRules, Requirement, Review, Source
from didflow_verification.domain.details.identity import Address, Identity, Person, Place
from didflow_verification.domain.verifications.commands import (
    Approve,
    Claim,
    Reject,
    Release,
    Resubmit,
    Revoke,
)
from didflow_verification.handlers import COMMANDS, DUE, EVENTS
from didflow_verification.store import KINDS

DID = UUID("0190a5b6-7c00-7000-8000-000000000001")
DUBLIN = "+35319609036"
LONDON = "+442079460000"
ACCOUNT = "master/acme"
IDS = count(1)
AFTER_HOLDERS = 1_000
"""Sequences that no news of the holding has here."""
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@cache
def rules() -> tuple[CountryRules, ...]:
    """The catalogue that comes with the service, read once."""
    return packaged()


def company(name: str = "acme", account: str = ACCOUNT, **person: Any) -> Identity:
    """A business that satisfies Ireland."""
    return Identity(
        identity_id=derived_id("identity", name),
        account=account,
        type="business",
        person=Person(company_name=f"{name} Ltd", **person),
        created_at=NOON,
        created_by="ann",
    )


def somebody(name: str = "joan", account: str = ACCOUNT, **person: Any) -> Identity:
    """A person with a name and nothing else."""
    return Identity(
        identity_id=derived_id("identity", name),
        account=account,
        type="individual",
        person=Person(**{"first_name": name.title(), "last_name": "Murphy"} | person),
        created_at=NOON,
        created_by="ann",
    )


def address_of(identity: Identity, city: str = "Dublin", country: str = "IE", **place: Any) -> Address:
    """An address of an identity."""
    return Address(
        address_id=derived_id("address", identity.identity_id, city, country, str(place)),
        identity_id=identity.identity_id,
        account=identity.account,
        place=Place(**{"street": "1 Quay Street", "city": city, "country": country} | place),
        created_at=NOON,
        created_by="ann",
    )


def requirement(**changes: Any) -> Requirement:
    """A row that asks for a company name and nothing else, without a person, for local numbers of anybody."""
    whole: dict[str, Any] = {
        "key": "xx.local.any",
        "number_type": "local",
        "end_user_types": ("business", "individual"),
        "version": 1,
        "effective_from": date(2020, 1, 1),
        "required": True,
        "identity_fields": (),
        "address": AddressRule(required=False, match="none", proof=False),
        "documents": (),
        "cross_checks": (),
        "restrictions": (),
        "review": Review(manual=False),
        "sources": (Source(title="t", publisher="p", url=None, seen="s"),),
    }
    return Requirement(**whole | changes)


class Say:
    """Builds what comes to verification about one DID."""

    did, number, account, zero = DID, DUBLIN, ACCOUNT, NOON

    def __init__(self) -> None:
        self.number_type = "local"

    def caller(self, subject: str = "rita", role: str = "reviewer", account: str = "master") -> Caller:
        """Somebody with a token."""
        return Caller(subject=subject, account=account, role=role)

    def event(self, data: EventData, at: datetime, source: str, sequence: int | None = None) -> Event[Any]:
        """Wrap data as the event that it comes in, under a fresh id."""
        actor = "user:ann" if source.startswith("/didflow/") else None
        identifier = f"e{next(IDS)}"
        return Event(id=identifier, source=source, time=at, data=data, sequence=sequence, actor=actor)

    def again(self, event: Event[Any]) -> Event[Any]:
        """The same, said once more under another id."""
        return Event(
            id=f"{event.id}-again",
            source=event.source,
            time=event.time,
            data=event.data,
            sequence=event.sequence,
            actor=event.actor,
        )

    def purchased(self, at: datetime = NOON, **changes: Any) -> Event[DidPurchased]:
        """A business buys a local number."""
        whole = self._order() | {"acquired": "assigned"} | changes
        return self.event(DidPurchased.model_validate(whole), at, "/orders/acme")

    def porting_started(self, at: datetime = NOON, **changes: Any) -> Event[DidPortingStarted]:
        """A number is on its way."""
        data = DidPortingStarted.model_validate(self._order() | {"order_id": "o-1"} | changes)
        return self.event(data, at, "/orders/acme")

    def refused(self, at: datetime = NOON) -> Event[PurchaseRefused]:
        """Inventory's refusal of the purchase."""
        data = self._whose() | {"order_id": "o-1", "code": "number_taken", "message": ""}
        return self.event(PurchaseRefused.model_validate(data), at, "/didflow/inventory", 1)

    def removed(self, at: datetime = NOON) -> Event[DidRemoved]:
        """Billing's end of the DID."""
        data = DidRemoved.model_validate(self._whose() | {"reason": "aged_out", "refunded": False})
        return self.event(data, at, "/didflow/billing", 9)

    def holding(
        self, account: str = ACCOUNT, at: datetime = NOON, sequence: int = 1, **changes: Any
    ) -> Event[DidChanged]:
        """The holding as inventory says it."""
        data: dict[str, Any] = {
            "stock": "assigned",
            "until": None,
            "after_hold": None,
            "payer": ACCOUNT,
            "user": None,
            "features": ["voice_in"],
            "carrier": "simulator",
            "sms_carrier": None,
            "origin": "purchased",
        }
        whole = self._whose() | data | {"account": account} | changes
        return self.event(DidChanged.model_validate(whole), at, "/didflow/inventory", sequence)

    def assigned(
        self,
        identity: Identity,
        address: Address | None = None,
        at: datetime = NOON,
        *,
        source: str = "/didflow/inventory",
        **changes: Any,
    ) -> Event[EnduserAssigned]:
        """Details assigned to the DID; a source says one thing under one sequence."""
        data: dict[str, Any] = {
            "identity_id": identity.identity_id,
            "address_id": address.address_id if address else None,
            "assigned_at": at,
        }
        said = EnduserAssigned.model_validate(self._whose() | data | changes)
        return self.event(said, at, source, AFTER_HOLDERS + next(IDS))

    def approve(self, attempt: int = 1, **caller: Any) -> Approve:
        """A reviewer approves an attempt."""
        return Approve(**self._about(attempt, **caller))

    def reject(self, attempt: int = 1, *codes: str, **caller: Any) -> Reject:
        """A reviewer rejects an attempt."""
        reasons = tuple(Reason(code=code) for code in codes or ("other",))
        return Reject(**self._about(attempt, **caller), reasons=reasons)

    def revoke(self, attempt: int = 1, **caller: Any) -> Revoke:
        """A reviewer takes an approval back."""
        return Revoke(**self._about(attempt, **caller), reasons=(Reason(code="suspected_fraud"),))

    def resubmit(self, attempt: int, identity: Identity, address: Address | None = None) -> Resubmit:
        """Somebody of the account submits again."""
        return Resubmit(
            **self._about(attempt, subject="ann", role="reseller", account=ACCOUNT),
            identity_id=identity.identity_id,
            address_id=address.address_id if address else None,
        )

    def claim(self, attempt: int = 1, subject: str = "rita") -> Claim:
        """A reviewer takes an attempt from the queue."""
        return Claim(
            entity_id=verification_id(self.did, attempt), subject=self.number, caller=self.caller(subject)
        )

    def release(self, attempt: int = 1, subject: str = "rita") -> Release:
        """A reviewer gives an attempt back."""
        return Release(
            entity_id=verification_id(self.did, attempt), subject=self.number, caller=self.caller(subject)
        )

    def _about(self, attempt: int, **caller: Any) -> dict[str, Any]:
        return {
            "entity_id": self.did,
            "subject": self.number,
            "caller": self.caller(**caller),
            "verification_id": verification_id(self.did, attempt),
        }

    def _whose(self) -> dict[str, Any]:
        return {"did_id": self.did, "number": self.number, "account": self.account}

    def _order(self) -> dict[str, Any]:
        return self._whose() | {
            "number_type": self.number_type,
            "features": ["voice_in"],
            "end_user_type": "business",
        }


@dataclass
class Desk:
    """Verification in memory: decides as the stage does, hands a decision only what was declared for it.

    `said` has the events of the registration, `told` all events, `refused` the codes, in order; messages
    that come too early wait for the next Decided.
    """

    states: dict[tuple[type, Hashable], Any] = field(default_factory=dict)
    said: list[RegistrationAxis] = field(default_factory=list)
    told: list[Any] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    parked: list[Event[Any]] = field(default_factory=list)

    def enter(self, *states: Any) -> None:
        """Put states in, as earlier decisions left them."""
        keys = {kind.model: kind.key for kind in KINDS}
        for state in states:
            self.states[type(state), getattr(state, keys[type(state)])] = state

    def feed(self, *messages: Event[Any] | Command) -> Decision:
        """Take messages in order and return what came of the last."""
        return [self.take(message) for message in messages][-1]

    def take(self, message: Event[Any] | Command, now: datetime = NOON + timedelta(hours=1)) -> Decision:
        """Take one message."""
        outcome = self._decide(message, now)
        if isinstance(outcome, TooEarly):
            assert isinstance(message, Event)
            self.parked.append(message)
        elif isinstance(outcome, Decided):
            waiting, self.parked = self.parked, []
            for event in waiting:
                self.take(event, now)
        return outcome

    def strike(self, now: datetime) -> None:
        """Let the clock strike for all that is due by now, the earliest first, each at its own instant."""
        while True:
            due = [
                (state.due_at, str(key), model)
                for (model, key), state in self.states.items()
                if model in DUE and state.due_at is not None and state.due_at <= now
            ]
            if not due:
                return
            at, key, model = min(due, key=lambda each: each[:2])
            self._struck(model, next(k for m, k in self.states if m is model and str(k) == key), at)

    def settle(self, model: type, key: Hashable, bound: datetime) -> None:
        """Settle what is due on one state by then."""
        while (state := self.states.get((model, key))) and model in DUE:
            if state.due_at is None or state.due_at > bound:
                return
            self._struck(model, key, state.due_at)

    def _struck(self, model: type, key: Hashable, at: datetime) -> None:
        on, state = DUE[model], self.states[model, key]
        refs: list[Ref] = []
        while found := [r for r in on.state_needs(state, None, self._known(refs)) if r not in refs]:  # type: ignore[misc]
            refs += found
        outcome = on.decide(state, at, self._known(refs))
        assert isinstance(outcome, Decided)
        self._apply(outcome, {(model, key)} | {(ref.model, ref.key) for ref in refs if ref.write})
        assert self.states[model, key] != state, "the clock made no progress"

    def _decide(self, message: Event[Any] | Command, now: datetime) -> Decision:
        if isinstance(message, Event):
            on, key = EVENTS[type(message.data)], message.data.did_id
        else:
            on, key = COMMANDS[type(message)], message.entity_id
        model = on.model or Registration
        self.settle(model, key, min(message.time, now) if isinstance(message, Event) else now)
        state = self.states.get((model, key))
        refs = self._refs(on, message, state)
        extra = (self._known(refs),) if on.needs or on.state_needs else ()
        outcome: Decision = on.decide(state, message, now, *extra)
        if isinstance(outcome, Refused):
            self.refused.append(outcome.code)
        if isinstance(outcome, Decided):
            self._apply(outcome, {(model, key)} | {(ref.model, ref.key) for ref in refs if ref.write})
        return outcome

    def _refs(self, on: Handler, message: Any, state: Any) -> list[Ref]:
        refs = list(on.needs(message)) if on.needs else []
        while on.state_needs:
            found = [ref for ref in on.state_needs(state, message, self._known(refs)) if ref not in refs]
            if not found:
                break
            refs += found
        return refs

    def _known(self, refs: list[Ref]) -> Known:
        return Known(states={(ref.model, ref.key): self.states.get((ref.model, ref.key)) for ref in refs})

    def _apply(self, decided: Decided[Any], writable: set[tuple[type, Hashable]]) -> None:
        before = set(self.states)
        for state in (*([] if decided.state is None else [decided.state]), *decided.also):
            self.enter(state)
        noted = {kind.model for kind in KINDS if kind.append_only}
        written = {place for place in set(self.states) - before if place[0] not in noted}
        assert written <= writable, "written without being declared"
        for event in decided.events:
            assert isinstance(event, RegistrationAxis | ServiceChanged)
            self.told.append(event)
            if isinstance(event, RegistrationAxis):
                self.said.append(event)

    @property
    def registration(self) -> Registration:
        """The DID's registration as it is now."""
        found = self.states[Registration, DID]
        assert isinstance(found, Registration)
        return found

    @property
    def in_force(self) -> Details | None:
        """The details in force."""
        return self.registration.in_force

    def attempt(self, number: int = 1) -> Verification:
        """One attempt of the DID."""
        found = self.states[Verification, verification_id(DID, number)]
        assert isinstance(found, Verification)
        return found

    def statuses(self) -> list[str]:
        """The outcomes of all attempts, in order."""
        return [self.attempt(number + 1).status for number in range(self.registration.attempt)]

    def topics(self) -> list[str]:
        """What was said, by topic without `verification.`."""
        return [event.topic.removeprefix("verification.") for event in self.said]


@pytest.fixture
def say() -> Say:
    """A speaker for every party."""
    return Say()


@pytest.fixture
def new_desk() -> Callable[[], Desk]:
    """Make a verification service in memory with its catalogue."""

    def make() -> Desk:
        desk = Desk()
        desk.enter(*rules())
        return desk

    return make


@pytest.fixture
def desk(new_desk: Callable[[], Desk]) -> Desk:
    """A verification service in memory with its catalogue."""
    return new_desk()


@pytest.fixture
def acme() -> Identity:
    """A business of the account that satisfies Ireland."""
    return company()


@pytest.fixture
def quay(acme: Identity) -> Address:
    """Its address in Dublin."""
    return address_of(acme)


@pytest.fixture
def ready(desk: Desk, say: Say, acme: Identity, quay: Address) -> Desk:
    """A purchased number in Dublin that awaits the details of an identity that is there."""
    desk.enter(acme, quay)
    desk.take(say.purchased())
    return desk


@pytest.fixture
def pending(ready: Desk, say: Say, acme: Identity, quay: Address) -> Desk:
    """The same with details assigned, waiting for a reviewer."""
    ready.take(say.assigned(acme, quay))
    return ready


@pytest.fixture
def later() -> Any:
    """Make a copy of a frozen value with changes: of a state, or of a message about one."""

    def changed(value: Any, **changes: Any) -> Any:
        return replace(value, **changes) if isinstance(value, Struct) else amended(value, **changes)

    return changed


@pytest.fixture
def make() -> Any:
    """Builders of identities, addresses and requirements."""

    class Make:
        company = staticmethod(company)
        somebody = staticmethod(somebody)
        address = staticmethod(address_of)
        requirement = staticmethod(requirement)

    return Make
