"""Builders of the messages about one number, and billing in memory."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from didflow_billing.domain.commands import Cancel, Renew, Restore, SetCycles
from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term
from didflow_billing.service import service
from didflow_billing.settings import BillingSettings
from didflow_chassis.decision import Caller, Command, Decision
from didflow_chassis.testing import FakeStage
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.events import (
    EVENT_TYPES,
    DidChanged,
    DidPortingStarted,
    DidPurchased,
    DidWithdrawn,
    PurchaseRefused,
)

DID = UUID("0190a5b6-7c00-7000-8000-000000000001")
NUMBER = "+35319609036"
ACCOUNT = "master/acme"
DAY_ZERO = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)

SERVICE = service(BillingSettings.placeholder())


class Say:
    """Builds what comes to billing about one DID, purchased at `zero`."""

    did, number, account, zero = DID, NUMBER, ACCOUNT, DAY_ZERO

    def __init__(self) -> None:
        self._ids = count(1)
        self.caller = Caller(subject="ann", account=ACCOUNT, role="reseller")

    def event(self, data: EventData, at: datetime, source: str, sequence: int | None = None) -> Event[Any]:
        """Wrap data as the event that it comes in, under a fresh id."""
        return Event(id=f"e{next(self._ids)}", source=source, time=at, data=data, sequence=sequence)

    def again(self, event: Event[Any]) -> Event[Any]:
        """The same data once more, as its source would publish it: under another id and a later sequence."""
        later = None if event.sequence is None else event.sequence + 100
        return replace(event, id=f"e{next(self._ids)}", sequence=later)

    def purchased(
        self, at: datetime = DAY_ZERO, *, source: str = "/orders/acme", **changes: Any
    ) -> Event[DidPurchased]:
        """A purchase at 3.00 setup and 5.00 a month, monthly and without end."""
        return self.event(DidPurchased.model_validate(self._order() | changes), at, source)

    def unpriced(self, at: datetime = DAY_ZERO) -> Event[DidPurchased]:
        """A DID handed out without a price."""
        return self.purchased(at, price=None, billing_period=None, acquired="assigned")

    def porting_started(self, at: datetime = DAY_ZERO, **changes: Any) -> Event[DidPortingStarted]:
        """A port-in under way."""
        data = self._order() | {"acquired": "ported_in", "price": None, "billing_period": None} | changes
        return self.event(DidPortingStarted.model_validate(data), at, "/orders/acme")

    def registration(self, state: str, at: datetime = DAY_ZERO, sequence: int = 1) -> Event[Any]:
        """The registration axis as verification says it."""
        topics = {"awaiting": "required", "expired": "expired"}
        model = EVENT_TYPES[f"didflow.verification.{topics.get(state, state)}.v1"]
        extra = {"reason": "revoked"} if state == "expired" else {}
        data = model.model_validate(self._whose() | {"registration": state} | extra)
        return self.event(data, at, "/didflow/verification", sequence)

    def holding(
        self, at: datetime = DAY_ZERO, sequence: int = 1, account: str = ACCOUNT
    ) -> Event[DidChanged]:
        """The holding as inventory says it."""
        data = DidChanged(
            did_id=DID,
            number=NUMBER,
            account=account,
            stock="assigned",
            until=None,
            after_hold=None,
            payer=ACCOUNT,
            user=None,
            features=("voice_in",),
            carrier="simulator",
            sms_carrier=None,
            origin="purchased",
        )
        return self.event(data, at, "/didflow/inventory", sequence)

    def refused(self, at: datetime = DAY_ZERO, sequence: int = 2) -> Event[PurchaseRefused]:
        """Inventory's refusal of the purchase."""
        data = PurchaseRefused.model_validate(
            self._whose() | {"order_id": "o-1", "code": "number_taken", "message": ""}
        )
        return self.event(data, at, "/didflow/inventory", sequence)

    def withdrawn(
        self, at: datetime = DAY_ZERO, sequence: int = 9, reason: str = "returned"
    ) -> Event[DidWithdrawn]:
        """Inventory's end of the DID."""
        data = DidWithdrawn.model_validate(self._whose() | {"reason": reason})
        return self.event(data, at, "/didflow/inventory", sequence)

    def set_cycles(self, left: int | None) -> SetCycles:
        """A wish for so many renewals more."""
        return SetCycles(entity_id=DID, subject=NUMBER, caller=self.caller, billing_cycles=left)

    def renew(self, months: Any = 1) -> Renew:
        """A wish for one more period."""
        return Renew(entity_id=DID, subject=NUMBER, caller=self.caller, billing_period=months)

    def cancel(self, *, remove: bool = False) -> Cancel:
        """A wish to end it."""
        return Cancel(entity_id=DID, subject=NUMBER, caller=self.caller, remove=remove)

    def restore(self, months: Any = None) -> Restore:
        """A wish to have it back."""
        return Restore(entity_id=DID, subject=NUMBER, caller=self.caller, billing_period=months)

    def _whose(self) -> dict[str, Any]:
        return {"did_id": DID, "number": NUMBER, "account": ACCOUNT}

    def _order(self) -> dict[str, Any]:
        price = {
            "setup": {"amount": "3.00", "currency": "EUR"},
            "recurring": {"amount": "5.00", "currency": "EUR"},
        }
        return self._whose() | {
            "number_type": "local",
            "features": ["voice_in"],
            "order_id": "o-1",
            "end_user_type": "business",
            "price": price,
            "billing_period": 1,
        }


class Billing(FakeStage):
    """Billing in memory. A message is processed at its own time, a command at `DAY_ZERO`, or at `now`."""

    def __init__(self) -> None:
        super().__init__(SERVICE, now=DAY_ZERO)

    def process(self, message: Event[Any] | Command, now: datetime | None = None) -> Decision | None:
        """Receive an event or run a command."""
        if isinstance(message, Event):
            self.set_time(now or message.time)
            return self.receive(message)
        self.set_time(now or DAY_ZERO)
        return self.run(message)

    def run_timers(self, until: datetime) -> None:
        """Run all timers that are due by then, as a worker that was stopped until then does."""
        self.set_time(until)
        self.run_due_timers()

    @property
    def term(self) -> Any:
        """The term of the DID as it is now, or None."""
        return self.state(Term, DID)

    @property
    def ledger(self) -> list[LedgerEntry]:
        """The ledger in the order of its lines."""
        return self.rows(LedgerEntry)

    def outcomes(self) -> list[str]:
        """The outcome of each end of paid time, in order."""
        return [data.outcome for data in self.published_data("cycle.expired")]

    def bill(self) -> str:
        """The sum of the ledger."""
        return str(sum(entry.amount for entry in self.ledger))


@pytest.fixture(scope="session")
def say() -> Say:
    """The builder of messages."""
    return Say()


@pytest.fixture(scope="session")
def new_billing() -> type[Billing]:
    """Makes an empty billing service in memory, for tests that need several."""
    return Billing


@pytest.fixture
def billing() -> Iterator[Billing]:
    """An empty billing service in memory. No message of the test may end as a dead letter."""
    made = Billing()
    yield made
    assert made.dead_letters() == []


@pytest.fixture
def running(billing: Billing, say: Say) -> Billing:
    """Billing with a purchased, accepted DID that needs no registration."""
    billing.receive(say.purchased(), say.holding(), say.registration("not_required"))
    return billing


@pytest.fixture
def awaiting(billing: Billing, say: Say) -> Billing:
    """Billing with a purchased, accepted DID that waits for its registration."""
    billing.receive(say.purchased(), say.holding(), say.registration("awaiting"))
    return billing
