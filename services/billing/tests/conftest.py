"""Builders of the messages about one number, and billing in memory."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from didflow_billing.domain.commands import Cancel, Renew, Restore, SetCycles, SetPrice
from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.prices.row import series_key
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
from didflow_contracts.events.purchase import Price
from didflow_contracts.ids import uuid7
from didflow_contracts.vocabulary import DidStock

DID = UUID("0190a5b6-7c00-7000-8000-000000000001")
NUMBER = "+35319609036"
ACCOUNT = "master/acme"
DAY_ZERO = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)

SERVICE = service(BillingSettings.placeholder())


class Messages:
    """Builds the messages about one DID, which is purchased at `zero`."""

    did, number, account, zero = DID, NUMBER, ACCOUNT, DAY_ZERO

    def __init__(self) -> None:
        self._ids = count(1)
        self.caller = Caller(subject="ann", account=ACCOUNT, role="reseller")

    def event(self, data: EventData, at: datetime, source: str, sequence: int | None = None) -> Event[Any]:
        """Return an event with this data and a new id."""
        return Event(id=f"e{next(self._ids)}", source=source, time=at, data=data, sequence=sequence)

    def again(self, event: Event[Any]) -> Event[Any]:
        """Return an event with the same data, another id and a later sequence."""
        later = None if event.sequence is None else event.sequence + 100
        return replace(event, id=f"e{next(self._ids)}", sequence=later)

    def purchased(
        self, at: datetime = DAY_ZERO, *, source: str = "/orders/acme", **changes: Any
    ) -> Event[DidPurchased]:
        """Return a purchase at 3.00 setup and 5.00 per month, with unlimited monthly renewals."""
        return self.event(DidPurchased.model_validate(self._purchase() | changes), at, source)

    def unpriced(self, at: datetime = DAY_ZERO) -> Event[DidPurchased]:
        """Return a purchase without a price."""
        return self.purchased(at, price=None, billing_period=None, acquired="assigned")

    def porting_started(self, at: datetime = DAY_ZERO, **changes: Any) -> Event[DidPortingStarted]:
        """Return the start of a porting."""
        data = self._purchase() | {"acquired": "ported_in", "price": None, "billing_period": None} | changes
        return self.event(DidPortingStarted.model_validate(data), at, "/orders/acme")

    def registration(self, state: str, at: datetime = DAY_ZERO, sequence: int = 1) -> Event[Any]:
        """Return the registration axis, as verification publishes it."""
        topics = {"awaiting": "required", "expired": "expired"}
        model = EVENT_TYPES[f"didflow.verification.{topics.get(state, state)}.v1"]
        extra = {"reason": "revoked"} if state == "expired" else {}
        data = model.model_validate(self._did() | {"registration": state} | extra)
        return self.event(data, at, "/didflow/verification", sequence)

    def did_changed(
        self,
        at: datetime = DAY_ZERO,
        sequence: int = 1,
        account: str = ACCOUNT,
        stock: DidStock = "assigned",
    ) -> Event[DidChanged]:
        """Return the stock axis, as inventory publishes it."""
        data = DidChanged(
            did_id=self.did,
            number=self.number,
            account=account,
            stock=stock,
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

    def purchase_refused(self, at: datetime = DAY_ZERO, sequence: int = 2) -> Event[PurchaseRefused]:
        """Return the refusal of the purchase by inventory."""
        data = PurchaseRefused.model_validate(
            self._did() | {"order_id": "o-1", "code": "number_taken", "message": ""}
        )
        return self.event(data, at, "/didflow/inventory", sequence)

    def withdrawn(
        self, at: datetime = DAY_ZERO, sequence: int = 9, reason: str = "returned"
    ) -> Event[DidWithdrawn]:
        """Return the withdrawal of the DID by inventory."""
        data = DidWithdrawn.model_validate(self._did() | {"reason": reason})
        return self.event(data, at, "/didflow/inventory", sequence)

    def set_cycles(self, left: int | None) -> SetCycles:
        """Return a command that sets the cycles."""
        return SetCycles(entity_id=self.did, subject=self.number, caller=self.caller, billing_cycles=left)

    def renew(self, months: Any = 1) -> Renew:
        """Return a command that renews the term."""
        return Renew(entity_id=self.did, subject=self.number, caller=self.caller, billing_period=months)

    def cancel(self, *, remove: bool = False) -> Cancel:
        """Return a command that cancels the term."""
        return Cancel(entity_id=self.did, subject=self.number, caller=self.caller, remove=remove)

    def restore(self, months: Any = None) -> Restore:
        """Return a command that restores the term."""
        return Restore(entity_id=self.did, subject=self.number, caller=self.caller, billing_period=months)

    def set_price(
        self,
        account: str,
        setup: str,
        recurring: str,
        *,
        country: str = "*",
        number_type: str = "*",
        since: datetime = DAY_ZERO,
        currency: str = "EUR",
        caller: Caller | None = None,
    ) -> SetPrice:
        """Return a command that adds a row to the price list; by an operator unless another caller is given."""
        amounts = {"setup": setup, "recurring": recurring}
        return SetPrice(
            entity_id=series_key(account, country, number_type),
            subject=account,
            caller=caller or Caller(subject="olga", account="root", role="operator"),
            account=account,
            country=country,
            number_type=number_type,
            effective_from=since,
            price=Price.model_validate(
                {name: {"amount": amount, "currency": currency} for name, amount in amounts.items()}
            ),
        )

    def charge(self, payer: str, posted_at: datetime, **changes: Any) -> LedgerEntry:
        """Return a ledger entry: the setup of a new DID, 1.25 EUR unless other values are given."""
        entry = LedgerEntry(
            entry_id=uuid7(),
            did_id=uuid7(),
            number=self.number,
            position=1,
            order_id="o-1",
            payer=payer,
            kind="setup",
            amount=Decimal("1.25"),
            currency="EUR",
            period_start=None,
            period_end=None,
            reverses=None,
            posted_at=posted_at,
        )
        return replace(entry, **changes)

    def _did(self) -> dict[str, Any]:
        return {"did_id": self.did, "number": self.number, "account": self.account}

    def _purchase(self) -> dict[str, Any]:
        price = {
            "setup": {"amount": "3.00", "currency": "EUR"},
            "recurring": {"amount": "5.00", "currency": "EUR"},
        }
        return self._did() | {
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

    def run_clock(self, until: datetime) -> None:
        """Let a clock run to `until` that never stopped: the timers run at each instant at which one is due."""
        while (due := self.term.due_at) is not None and due <= until:
            self.run_timers(due)
        self.run_timers(until)

    def run_timers(self, until: datetime) -> None:
        """Run all timers that are due by then, as a worker that was stopped until then does."""
        self.set_time(until)
        self.run_due_timers()

    @property
    def term(self) -> Any:
        """The current term of the DID, or None."""
        return self.state(Term, DID)

    @property
    def ledger(self) -> list[LedgerEntry]:
        """The ledger entries in the order in which they were posted."""
        return self.rows(LedgerEntry)

    def outcomes(self) -> list[str]:
        """The outcome of each end of paid time, in order."""
        return [data.outcome for data in self.published_data("cycle.expired")]

    def reminders(self) -> list[tuple[datetime, int, str]]:
        """Time, days and reason of each reminder, in order."""
        events = self.published("term.expiring")
        return [(event.time, event.data.days, event.data.reason) for event in events]

    def bill(self) -> str:
        """The sum of the ledger."""
        return str(sum(entry.amount for entry in self.ledger))


@pytest.fixture(scope="session")
def make() -> Messages:
    """Builds the messages of a test."""
    return Messages()


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
def running(billing: Billing, make: Messages) -> Billing:
    """Billing with a purchased, accepted DID that needs no registration."""
    billing.receive(make.purchased(), make.did_changed(), make.registration("not_required"))
    return billing


@pytest.fixture
def awaiting(billing: Billing, make: Messages) -> Billing:
    """Billing with a purchased, accepted DID that waits for its registration."""
    billing.receive(make.purchased(), make.did_changed(), make.registration("awaiting"))
    return billing
