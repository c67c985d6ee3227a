"""Builders of the messages about one number, and inventory in memory."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Command
from didflow_chassis.testing import FakeStage
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.events import (
    EVENT_TYPES,
    CycleExpired,
    DidActivated,
    DidPurchased,
    DidRemoved,
    EnduserAssigned,
    LedgerPosted,
    MessageRefused,
    ResultReported,
    RoutingChanged,
    ServiceChanged,
    TermChanged,
)
from didflow_contracts.ids import derived_id
from didflow_inventory.domain.account import Account
from didflow_inventory.domain.commands import AssignEndUser, CreateAccount, Purchase
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.history import HistoryEntry
from didflow_inventory.domain.stock import Number
from didflow_inventory.service import service
from didflow_inventory.settings import InventorySettings
from didflow_inventory.store import KINDS

SERVICE = service(InventorySettings.placeholder())

DID = UUID("0190a5b6-7c00-7000-8000-000000000001")
OTHER = UUID("0190a5b6-7c00-7000-8000-000000000002")
NUMBER = "+35319609036"
ACCOUNT = "master/acme"
ZERO = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
IDENTITY = derived_id("identity")
TRUNK = {"kind": "trunk", "id": str(derived_id("trunk")), "name": "Dublin"}
SMS_TRUNK = {"id": str(derived_id("sms")), "name": "Inbox"}


def caller(account: str = ACCOUNT, role: str = "reseller") -> Caller:
    """Somebody with a token."""
    return Caller(subject="ann", account=account, role=role)


class Say:
    """Builds what comes to inventory about one DID."""

    did, other, number, account, zero = DID, OTHER, NUMBER, ACCOUNT, ZERO
    identity, trunk, sms_trunk = IDENTITY, TRUNK, SMS_TRUNK
    caller = staticmethod(caller)

    def __init__(self) -> None:
        self._ids = count(1)

    def event(
        self, data: EventData, source: str, sequence: int | None = None, at: datetime = ZERO
    ) -> Event[Any]:
        """Wrap data as the event that it comes in, under a fresh id."""
        return Event(id=f"e{next(self._ids)}", source=source, time=at, data=data, sequence=sequence)

    def again(self, event: Event[Any]) -> Event[Any]:
        """The same data once more, as its source would publish it: under another id and a later sequence."""
        later = None if event.sequence is None else event.sequence + 100
        return replace(event, id=f"e{next(self._ids)}", sequence=later)

    def order(self, **changes: Any) -> dict[str, Any]:
        """The data of a purchase of one Irish number, for calls and messages."""
        price = {
            "setup": {"amount": "1.00", "currency": "EUR"},
            "recurring": {"amount": "2.00", "currency": "EUR"},
        }
        return self._whose() | {
            "number_type": "local",
            "features": ["voice_in", "sms_in"],
            "order_id": "o-1",
            "end_user_type": "business",
            "price": price,
            "billing_period": 1,
            **changes,
        }

    def purchased(self, source: str = "/orders/acme", **changes: Any) -> Event[DidPurchased]:
        """A purchase from an order system."""
        return self.event(DidPurchased.model_validate(self.order(**changes)), source)

    def purchase(self, who: Caller | None = None, **changes: Any) -> Purchase:
        """A purchase over HTTP."""
        data = DidPurchased.model_validate(self.order(**changes))
        return Purchase(entity_id=data.did_id, subject=data.number, caller=who or caller(), data=data)

    def registration(self, state: str, sequence: int = 1, **changes: Any) -> Event[Any]:
        """The registration axis as verification says it."""
        topics = {"awaiting": "required"}
        model = EVENT_TYPES[f"didflow.verification.{topics.get(state, state)}.v1"]
        extra = {"reason": "revoked"} if state == "expired" else {}
        data = model.model_validate(self._whose() | {"registration": state} | extra | changes)
        return self.event(data, "/didflow/verification", sequence, ZERO + timedelta(seconds=sequence))

    def service(self, state: str, sequence: int = 2, service: str = "emergency") -> Event[ServiceChanged]:
        """One additional service as verification says it."""
        data = ServiceChanged.model_validate(self._whose() | {"service": service, "state": state})
        return self.event(data, "/didflow/verification", sequence)

    def routing(self, carrier_state: str, sequence: int = 1, **changes: Any) -> Event[RoutingChanged]:
        """The routing axis as provisioning says it."""
        return self.event(
            RoutingChanged.model_validate(self._axis(carrier_state) | changes),
            "/didflow/provisioning",
            sequence,
        )

    def activated(self, sequence: int = 2, **changes: Any) -> Event[DidActivated]:
        """The activation as provisioning says it."""
        axis = self._axis("active") | {"activated_at": ZERO} | changes
        return self.event(DidActivated.model_validate(axis), "/didflow/provisioning", sequence)

    def term(self, state: str, sequence: int = 1, **changes: Any) -> Event[TermChanged]:
        """The term as billing says it."""
        data = self._paid(state) | {"reason": "started"} | changes
        return self.event(TermChanged.model_validate(data), "/didflow/billing", sequence)

    def cycle_expired(self, state: str, sequence: int = 2, **changes: Any) -> Event[CycleExpired]:
        """The end of a paid period as billing says it."""
        data = self._paid(state) | {"period": 1, "expired_at": ZERO, "outcome": "renewed"} | changes
        return self.event(CycleExpired.model_validate(data), "/didflow/billing", sequence)

    def posted(self, sequence: int = 3) -> Event[LedgerPosted]:
        """One charge as billing says it."""
        data = self._whose() | {
            "entry_id": derived_id("entry"),
            "payer": ACCOUNT,
            "kind": "setup",
            "money": {"amount": "1.00", "currency": "EUR"},
        }
        return self.event(LedgerPosted.model_validate(data), "/didflow/billing", sequence)

    def message_refused(self, sequence: int = 4) -> Event[MessageRefused]:
        """The refusal of an event by billing."""
        data = self._whose() | {
            "refused_type": "didflow.did.purchased.v1",
            "refused_source": "/orders/other",
            "refused_id": "1",
            "code": "not_yours",
        }
        return self.event(MessageRefused.model_validate(data), "/didflow/billing", sequence)

    def removed(self, sequence: int = 9) -> Event[DidRemoved]:
        """The end of the DID as billing says it."""
        data = self._whose() | {"reason": "aged_out", "refunded": False}
        return self.event(
            DidRemoved.model_validate(data), "/didflow/billing", sequence, ZERO + timedelta(days=64)
        )

    def assigned(self, source: str = "/portals/acme", **changes: Any) -> Event[EnduserAssigned]:
        """Details assigned in a customer portal."""
        data = self._whose() | {"identity_id": IDENTITY, "assigned_at": ZERO} | changes
        return self.event(EnduserAssigned.model_validate(data), source)

    def assign(self, identity: UUID = IDENTITY, **changes: Any) -> AssignEndUser:
        """Details assigned over HTTP."""
        return AssignEndUser(entity_id=DID, subject=NUMBER, caller=caller(), identity_id=identity, **changes)

    def result(self, **changes: Any) -> Event[ResultReported]:
        """A carrier's answer."""
        data = self._whose() | {"command_id": derived_id("command"), "outcome": "succeeded"} | changes
        return self.event(ResultReported.model_validate(data), "/carriers/simulator")

    def account_at(self, path: str, who: Caller | None = None, **changes: Any) -> CreateAccount:
        """A wish for an account."""
        return CreateAccount(
            entity_id=path, subject="", caller=who or caller(), **{"path": path, "name": path} | changes
        )

    def _whose(self) -> dict[str, Any]:
        return {"did_id": DID, "number": NUMBER, "account": ACCOUNT}

    def _axis(self, carrier_state: str) -> dict[str, Any]:
        return self._whose() | {
            "carrier": "simulator",
            "carrier_state": carrier_state,
            "reason": None,
            "voice": TRUNK,
            "capacity": 2,
            "capacity_group": None,
            "sms": None,
            "voice_ready": carrier_state == "active",
            "sms_ready": False,
            "missing": {"voice": None, "sms": "assign_sms_trunk"},
        }

    def _paid(self, state: str) -> dict[str, Any]:
        return self._whose() | {
            "state": state,
            "cycles_left": None,
            "billing_period": 1,
            "period_start": ZERO,
            "expires_at": ZERO + timedelta(days=31),
            "aging_until": None,
        }


class Inventory(FakeStage):
    """Inventory in memory with the accounts of these paths, at `ZERO` unless a message comes at another time."""

    def __init__(self, *accounts: str) -> None:
        super().__init__(SERVICE, now=ZERO)
        self.store(*(Account(path=path, name=path, created_at=ZERO) for path in accounts))

    def process(self, message: Event[Any] | Command, now: datetime = ZERO) -> Any:
        """Receive an event or run a command, and return its decision."""
        self.set_time(now)
        return self.receive(message) if isinstance(message, Event) else self.run(message)

    @property
    def did(self) -> Any:
        """The DID that most tests are about."""
        return self.state(Did, DID)

    @property
    def number(self) -> Any:
        """The number that most tests are about."""
        return self.state(Number, NUMBER)

    @property
    def history(self) -> list[HistoryEntry]:
        """All entries of the history."""
        return self.rows(HistoryEntry)

    def all_states(self) -> dict[str, list[Any]]:
        """All states, by the name of their class, without the sequences of the last applied events."""
        found = {kind.model.__name__: self.states(kind.model) for kind in KINDS if not kind.append_only}
        return found | {"Did": [replace(did, seen={}) for did in found["Did"]]}

    def statuses(self) -> list[str]:
        """Every published status, in order."""
        return [data.status for data in self.published_data("did.status_changed")]


@pytest.fixture(scope="session")
def say() -> Say:
    """The builder of messages."""
    return Say()


@pytest.fixture(scope="session")
def new_inventory() -> type[Inventory]:
    """Makes an inventory in memory with given accounts, for tests that need several."""
    return Inventory


@pytest.fixture
def inventory() -> Iterator[Inventory]:
    """Inventory with the accounts that most tests need. No message of the test may end as a dead letter."""
    made = Inventory("master", ACCOUNT, "master/acme/shop", "other")
    yield made
    assert made.dead_letters() == []


@pytest.fixture
def bought(inventory: Inventory, say: Say) -> Inventory:
    """Inventory with one purchased DID, and nothing received about it yet."""
    inventory.receive(say.purchased())
    return inventory
