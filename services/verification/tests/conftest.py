"""Builders of the messages about one number, and verification in memory."""

from collections.abc import Iterator
from dataclasses import replace as amended
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Command
from didflow_chassis.testing import FakeStage
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.events import (
    DidChanged,
    DidPortingStarted,
    DidPurchased,
    DidRemoved,
    EnduserAssigned,
    PurchaseRefused,
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
from didflow_verification.service import service
from didflow_verification.settings import VerificationSettings

SERVICE = service(VerificationSettings.placeholder())
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
        """The same data once more, as its source would publish it: under another id and a later sequence."""
        return Event(
            id=f"e{next(IDS)}",
            source=event.source,
            time=event.time,
            data=event.data,
            sequence=None if event.sequence is None else event.sequence + 10_000,
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

    def refused(self, at: datetime = NOON, sequence: int = 1) -> Event[PurchaseRefused]:
        """Inventory's refusal of the purchase."""
        data = self._whose() | {"order_id": "o-1", "code": "number_taken", "message": ""}
        return self.event(PurchaseRefused.model_validate(data), at, "/didflow/inventory", sequence)

    def removed(self, at: datetime = NOON, sequence: int = 9) -> Event[DidRemoved]:
        """Billing's end of the DID."""
        data = DidRemoved.model_validate(self._whose() | {"reason": "aged_out", "refunded": False})
        return self.event(data, at, "/didflow/billing", sequence)

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


class VerificationInMemory(FakeStage):
    """Verification in memory, with its catalogue. A message is processed an hour after `NOON`, or at `now`."""

    def __init__(self, *, catalogue: bool = True) -> None:
        super().__init__(SERVICE, now=NOON)
        if catalogue:
            self.store(*rules())

    def process(self, message: Event[Any] | Command, now: datetime = NOON + timedelta(hours=1)) -> Any:
        """Receive an event or run a command, and return its decision."""
        self.set_time(now)
        return self.receive(message) if isinstance(message, Event) else self.run(message)

    def process_all(self, *messages: Event[Any] | Command) -> Any:
        """Process messages in order and return the decision about the last."""
        return [self.process(message) for message in messages][-1]

    def run_timers(self, until: datetime) -> None:
        """Run all timers that are due by then, each at its own instant, the earliest first."""
        if until > self.now():
            self.advance(until - self.now())
        else:
            self.set_time(until)
            self.run_due_timers()

    def all_states(self) -> dict[Any, Any]:
        """All states, without the sequences of the last applied events."""
        found = super().all_states()
        return {
            place: replace(s, seen={}) if isinstance(s, Registration) else s for place, s in found.items()
        }

    def axes(self) -> list[RegistrationAxis]:
        """The registration axis as it was published, in order."""
        return [data for data in self.published_data() if isinstance(data, RegistrationAxis)]

    def axis_topics(self) -> list[str]:
        """The topics of the published axes, without `verification.`."""
        return [data.topic.removeprefix("verification.") for data in self.axes()]

    @property
    def registration(self) -> Any:
        """The DID's registration as it is now."""
        return self.state(Registration, DID)

    @property
    def in_force(self) -> Details | None:
        """The details in force."""
        details: Details | None = self.registration.in_force
        return details

    def attempt(self, number: int = 1) -> Any:
        """One attempt of the DID."""
        return self.state(Verification, verification_id(DID, number))

    def statuses(self) -> list[str]:
        """The outcomes of all attempts, in order."""
        return [self.attempt(number + 1).status for number in range(self.registration.attempt)]


@pytest.fixture
def say() -> Say:
    """A speaker for every party."""
    return Say()


@pytest.fixture(scope="session")
def new_stage() -> type[VerificationInMemory]:
    """Makes a verification service in memory, for tests that need several."""
    return VerificationInMemory


@pytest.fixture
def stage() -> Iterator[VerificationInMemory]:
    """Verification in memory with its catalogue. No message of the test may end as a dead letter."""
    made = VerificationInMemory()
    yield made
    assert made.dead_letters() == []


@pytest.fixture
def acme() -> Identity:
    """A business of the account that satisfies Ireland."""
    return company()


@pytest.fixture
def quay(acme: Identity) -> Address:
    """Its address in Dublin."""
    return address_of(acme)


@pytest.fixture
def ready(stage: VerificationInMemory, say: Say, acme: Identity, quay: Address) -> VerificationInMemory:
    """A purchased number in Dublin that awaits the details of an identity that is there."""
    stage.store(acme, quay)
    stage.process(say.purchased())
    return stage


@pytest.fixture
def pending(ready: VerificationInMemory, say: Say, acme: Identity, quay: Address) -> VerificationInMemory:
    """The same with details assigned, waiting for a reviewer."""
    ready.process(say.assigned(acme, quay))
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
