"""Builders of the messages about one number, and verification in memory."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace as replace_dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from harness.requirements import requirement
from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Command, Decision
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
from didflow_verification.catalogue.files import packaged
from didflow_verification.domain.axes.registration import Details, Registration
from didflow_verification.domain.axes.verification import Verification, verification_id
from didflow_verification.domain.commands import (
    Approve,
    ApproveCovered,
    Claim,
    ReassessDid,
    RecheckDid,
    Reject,
    Release,
    Resubmit,
    Revoke,
    RevokeResting,
)
from didflow_verification.domain.details.identity import Address, Identity, Person, Place
from didflow_verification.domain.requirements import CountryRules
from didflow_verification.service import service
from didflow_verification.settings import VerificationSettings

DID = UUID("0190a5b6-7c00-7000-8000-000000000001")
DUBLIN = "+35319609036"
ACCOUNT = "master/acme"
COUNTER = count(1)
"""Counts event ids, and the sequences of all events but `did.changed`."""

AFTER_HOLDINGS = 1_000
"""Higher than every sequence that a test gives to `did.changed`."""

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NOW = NOON + timedelta(hours=1)
"""The service's time, unless a test gives another."""

SERVICE = service(VerificationSettings.placeholder())


@cache
def packaged_rules() -> tuple[CountryRules, ...]:
    """Return the catalogue that comes with the service. It is read once."""
    return packaged()


def company(name: str = "acme", account: str = ACCOUNT, **person: Any) -> Identity:
    """Return a business that satisfies Ireland."""
    return Identity(
        identity_id=derived_id("identity", name),
        account=account,
        type="business",
        person=Person(company_name=f"{name} Ltd", **person),
        created_at=NOON,
        created_by="user:ann",
    )


def individual(name: str = "joan", account: str = ACCOUNT, **person: Any) -> Identity:
    """Return a person with a name and no other data."""
    return Identity(
        identity_id=derived_id("identity", name),
        account=account,
        type="individual",
        person=Person(**{"first_name": name.title(), "last_name": "Murphy"} | person),
        created_at=NOON,
        created_by="user:ann",
    )


def address_of(identity: Identity, city: str = "Dublin", country: str = "IE", **place: Any) -> Address:
    """Return an address of an identity."""
    return Address(
        address_id=derived_id("address", identity.identity_id, city, country, str(place)),
        identity_id=identity.identity_id,
        account=identity.account,
        place=Place(**{"street": "1 Quay Street", "city": city, "country": country} | place),
        created_at=NOON,
        created_by="user:ann",
    )


class Messages:
    """Builds the messages about one DID, which is purchased at `zero`."""

    did, number, account, zero = DID, DUBLIN, ACCOUNT, NOON

    def __init__(self) -> None:
        self.number_type = "local"

    def caller(self, subject: str = "rita", role: str = "reviewer", account: str = "master") -> Caller:
        """Return a caller."""
        return Caller(subject=subject, account=account, role=role)

    def event(self, data: EventData, at: datetime, source: str, sequence: int | None = None) -> Event[Any]:
        """Return an event with this data and a new id."""
        actor = "user:ann" if source.startswith("/didflow/") else None
        identifier = f"e{next(COUNTER)}"
        return Event(id=identifier, source=source, time=at, data=data, sequence=sequence, actor=actor)

    def again(self, event: Event[Any]) -> Event[Any]:
        """Return the same data once more, as its source would publish it: with another id and a later sequence."""
        return Event(
            id=f"{event.id}-again",
            source=event.source,
            time=event.time,
            data=event.data,
            sequence=None if event.sequence is None else event.sequence + 10**9,
            actor=event.actor,
        )

    def purchased(self, at: datetime = NOON, **changes: Any) -> Event[DidPurchased]:
        """Return the purchase of a local number by a business."""
        whole = self._purchase() | {"acquired": "assigned"} | changes
        return self.event(DidPurchased.model_validate(whole), at, "/orders/acme")

    def porting_started(self, at: datetime = NOON, **changes: Any) -> Event[DidPortingStarted]:
        """Return the start of a porting."""
        data = DidPortingStarted.model_validate(self._purchase() | {"order_id": "o-1"} | changes)
        return self.event(data, at, "/orders/acme")

    def refused(self, at: datetime = NOON) -> Event[PurchaseRefused]:
        """Return the refusal of the purchase by inventory."""
        data = self._whose() | {"order_id": "o-1", "code": "number_taken", "message": ""}
        return self.event(PurchaseRefused.model_validate(data), at, "/didflow/inventory", self._sequence())

    def removed(self, at: datetime = NOON) -> Event[DidRemoved]:
        """Return the removal of the DID by billing."""
        data = DidRemoved.model_validate(self._whose() | {"reason": "aged_out", "refunded": False})
        return self.event(data, at, "/didflow/billing", self._sequence())

    def did_changed(
        self, account: str = ACCOUNT, at: datetime = NOON, sequence: int = 1, **changes: Any
    ) -> Event[DidChanged]:
        """Return the holding of the DID as inventory publishes it."""
        data: dict[str, Any] = {
            "stock": "assigned",
            "until": None,
            "after_hold": None,
            "held_by": None,
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
        """Return an assignment of details to the DID."""
        data: dict[str, Any] = {
            "identity_id": identity.identity_id,
            "address_id": address.address_id if address else None,
            "assigned_at": at,
        }
        whole = EnduserAssigned.model_validate(self._whose() | data | changes)
        sequence = self._sequence() if source.startswith("/didflow/") else None
        return self.event(whole, at, source, sequence)

    def approve(self, attempt: int = 1, **caller: Any) -> Approve:
        """Return the command of a reviewer to approve a verification."""
        return Approve(**self._about(attempt, **caller))

    def reject(self, attempt: int = 1, *codes: str, **caller: Any) -> Reject:
        """Return the command of a reviewer to reject a verification."""
        reasons = tuple(Reason(code=code) for code in codes or ("other",))
        return Reject(**self._about(attempt, **caller), reasons=reasons)

    def revoke(self, attempt: int = 1, *, only_this: bool = False, **caller: Any) -> Revoke:
        """Return the command of a reviewer to revoke an approval."""
        reasons = (Reason(code="suspected_fraud"),)
        return Revoke(**self._about(attempt, **caller), reasons=reasons, only_this=only_this)

    def resubmit(self, attempt: int, identity: Identity, address: Address | None = None) -> Resubmit:
        """Return the command of the account to submit again."""
        return Resubmit(
            **self._about(attempt, subject="ann", role="reseller", account=ACCOUNT),
            identity_id=identity.identity_id,
            address_id=address.address_id if address else None,
        )

    def claim(self, attempt: int = 1, **caller: Any) -> Claim:
        """Return the command of a reviewer to claim a verification."""
        key = verification_id(self.did, attempt)
        return Claim(entity_id=key, subject=self.number, caller=self.caller(**caller))

    def release(self, attempt: int = 1, **caller: Any) -> Release:
        """Return the command of a reviewer to release a claim."""
        key = verification_id(self.did, attempt)
        return Release(entity_id=key, subject=self.number, caller=self.caller(**caller))

    def recheck(self) -> RecheckDid:
        """Return the item of a job that spreads a catalogue change."""
        return RecheckDid(**self._item("op", "operator", ""), country="IE")

    def revoke_resting(self, revoked: UUID) -> RevokeResting:
        """Return the item of a job that spreads a revocation."""
        return RevokeResting(**self._item(), revoked=revoked)

    def approve_covered(self, approved: UUID) -> ApproveCovered:
        """Return the item of a job that approves what the approval of the first number covers."""
        return ApproveCovered(**self._item(), approved_id=approved, approved_number=DUBLIN)

    def reassess(self, subject: str = "ann") -> ReassessDid:
        """Return the item of a job that spreads a change of details by this caller."""
        return ReassessDid(**self._item(subject, "reseller", ACCOUNT))

    def _about(self, attempt: int, **caller: Any) -> dict[str, Any]:
        return self._item(**caller) | {"verification_id": verification_id(self.did, attempt)}

    def _item(self, *about: str, **caller: Any) -> dict[str, Any]:
        return {
            "entity_id": self.did,
            "subject": self.number,
            "caller": self.caller(*about, **caller),
        }

    def _sequence(self) -> int:
        return AFTER_HOLDINGS + next(COUNTER)

    def _whose(self) -> dict[str, Any]:
        return {"did_id": self.did, "number": self.number, "account": self.account}

    def _purchase(self) -> dict[str, Any]:
        return self._whose() | {
            "number_type": self.number_type,
            "features": ["voice_in"],
            "end_user_type": "business",
        }


class VerificationStage(FakeStage):
    """Verification in memory, with the catalogue that comes with the service unless a test gives other rules."""

    def __init__(self, rules: tuple[CountryRules, ...] | None = None) -> None:
        super().__init__(SERVICE, now=NOW)
        self.store(*(packaged_rules() if rules is None else rules))

    def process(self, message: Event[Any] | Command, now: datetime = NOW) -> Decision | None:
        """Receive an event or run a command at this time."""
        self.set_time(now)
        return self.receive(message) if isinstance(message, Event) else self.run(message)

    def process_all(self, *messages: Event[Any] | Command) -> Decision | None:
        """Process messages in order. Return the decision about the last one."""
        return [self.process(message) for message in messages][-1]

    def run_timers(self, until: datetime) -> None:
        """Run all timers that are due by then, as a worker that was stopped until then does."""
        self.set_time(until)
        self.run_due_timers()

    @property
    def axis_events(self) -> list[Any]:
        """Return the data of the published events of the registration, in order."""
        return [data for data in self.published_data() if isinstance(data, RegistrationAxis)]

    def axis_topics(self) -> list[str]:
        """Return the topics of the published events of the registration, without `verification.`."""
        return [data.topic.removeprefix("verification.") for data in self.axis_events]

    @property
    def registration(self) -> Registration:
        """Return the registration of the DID."""
        found = self.state(Registration, DID)
        assert found is not None
        return found

    @property
    def in_force(self) -> Details | None:
        """Return the details in force."""
        return self.registration.in_force

    def verification(self, attempt: int = 1) -> Verification:
        """Return one verification of the DID."""
        found = self.state(Verification, verification_id(DID, attempt))
        assert found is not None
        return found

    def statuses(self) -> list[str]:
        """Return the statuses of all verifications of the DID, in order."""
        return [self.verification(number + 1).status for number in range(self.registration.attempt)]

    def snapshot(self) -> dict[tuple[type, Hashable], Any]:
        """Return all states by model and key."""
        kinds = [kind for kind in SERVICE.kinds if not kind.append_only]
        return {
            (kind.model, kind.key_of(state)): state for kind in kinds for state in self.states(kind.model)
        }


@pytest.fixture
def build() -> Messages:
    """Builds the messages of a test."""
    return Messages()


@pytest.fixture(scope="session")
def new_stage() -> Callable[..., VerificationStage]:
    """Makes a verification service in memory, for tests that need several or other rules."""
    return VerificationStage


@pytest.fixture
def stage() -> Iterator[VerificationStage]:
    """A verification service in memory. No message of the test may end as a dead letter."""
    made = VerificationStage()
    yield made
    assert made.dead_letters() == []


@pytest.fixture
def acme() -> Identity:
    """A business of the account that satisfies Ireland."""
    return company()


@pytest.fixture
def quay(acme: Identity) -> Address:
    """The address of that business in Dublin."""
    return address_of(acme)


@pytest.fixture
def ready(stage: VerificationStage, build: Messages, acme: Identity, quay: Address) -> VerificationStage:
    """A purchased number in Dublin that awaits details, and an identity that exists."""
    stage.store(acme, quay)
    stage.process(build.purchased())
    return stage


@pytest.fixture
def pending(ready: VerificationStage, build: Messages, acme: Identity, quay: Address) -> VerificationStage:
    """The same number with assigned details that wait for a reviewer."""
    ready.process(build.assigned(acme, quay))
    return ready


@pytest.fixture
def later() -> Any:
    """Copies a frozen value, a state or a command, with changes."""

    def changed(value: Any, **changes: Any) -> Any:
        return replace(value, **changes) if isinstance(value, Struct) else replace_dataclass(value, **changes)

    return changed


@pytest.fixture(scope="session")
def make() -> Any:
    """Builds identities, addresses and requirements."""

    class Make:
        company = staticmethod(company)
        individual = staticmethod(individual)
        address = staticmethod(address_of)
        requirement = staticmethod(requirement)

    return Make
