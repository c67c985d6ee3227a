"""Messages about one number in few words, and a stage in memory that does with them what the real one does."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from didflow_billing.domain.commands import Cancel, Renew, Restore, SetCycles
from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term
from didflow_billing.handlers import COMMANDS, DUE, EVENTS
from didflow_chassis.decision import Caller, Command, Decided, Decision, Refused, TooEarly
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


class Say:
    """Builds what comes to billing about one DID, purchased at `zero`."""

    did, number, account, zero = DID, NUMBER, ACCOUNT, DAY_ZERO

    def __init__(self) -> None:
        self._ids = count(1)
        self.caller = Caller(subject="ann", account=ACCOUNT, role="reseller")

    def event(self, data: EventData, at: datetime, source: str, sequence: int | None = None) -> Event[Any]:
        """Wrap data as the event that it comes in, under a fresh id."""
        return Event(id=f"e{next(self._ids)}", source=source, time=at, data=data, sequence=sequence)

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

    def refused(self, at: datetime = DAY_ZERO) -> Event[PurchaseRefused]:
        """Inventory's refusal of the purchase."""
        data = PurchaseRefused.model_validate(
            self._whose() | {"order_id": "o-1", "code": "number_taken", "message": ""}
        )
        return self.event(data, at, "/didflow/inventory", 2)

    def withdrawn(self, at: datetime = DAY_ZERO, reason: str = "returned") -> Event[DidWithdrawn]:
        """Inventory's end of the DID."""
        data = DidWithdrawn.model_validate(self._whose() | {"reason": reason})
        return self.event(data, at, "/didflow/inventory", 9)

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


@dataclass
class Story:
    """One DID in billing, run as the stage runs it: settle first, decide, park what is too early, run it again.

    `said` has each event with its instant, `ledger` each entry, `refused` each code, in order.
    """

    term: Term | None = None
    said: list[tuple[datetime, EventData]] = field(default_factory=list)
    ledger: list[LedgerEntry] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    parked: list[Event[Any]] = field(default_factory=list)

    def take(self, message: Event[Any] | Command, now: datetime | None = None) -> Decision:
        """Take one message at `now` (for an event: its own time, unless said otherwise)."""
        at = now or (message.time if isinstance(message, Event) else DAY_ZERO)
        outcome = self._decide(message, at)
        if isinstance(outcome, TooEarly):
            assert isinstance(message, Event)
            self.parked.append(message)
        elif isinstance(outcome, Decided):
            waiting, self.parked = self.parked, []
            for event in waiting:
                self.take(event, at)
        return outcome

    def clock(self, until: datetime) -> None:
        """Let the clock strike for all that is due up to then."""
        while self.term is not None and self.term.due_at is not None and self.term.due_at <= until:
            at = self.term.due_at
            self._keep(DUE[Term].decide(self.term, at), at)

    def _decide(self, message: Event[Any] | Command, now: datetime) -> Decision:
        self.clock(min(message.time, now) if isinstance(message, Event) else now)
        on = EVENTS[type(message.data)] if isinstance(message, Event) else COMMANDS[type(message)]
        outcome: Decision = on.decide(self.term, message, now)
        self._keep(outcome, now)
        return outcome

    def _keep(self, outcome: Decision, at: datetime) -> None:
        if isinstance(outcome, Refused):
            self.refused.append(outcome.code)
        if isinstance(outcome, Decided):
            self.term = outcome.state or self.term
            self.ledger.extend(outcome.also)
            self.said.extend((at, event) for event in outcome.events)

    @property
    def last(self) -> Term:
        """The term as it is now."""
        assert self.term is not None
        return self.term

    def topics(self) -> list[str]:
        """The topics of all that was said, in order."""
        return [event.topic for _, event in self.said]

    def outcomes(self) -> list[str]:
        """What came of each end of paid time."""
        return [event.outcome for _, event in self.said if event.topic == "cycle.expired"]  # type: ignore[attr-defined]

    def bill(self) -> str:
        """The sum of the ledger."""
        return str(sum(entry.amount for entry in self.ledger))


@pytest.fixture(scope="session")
def say() -> Say:
    """The builder of messages."""
    return Say()


@pytest.fixture(scope="session")
def new_story() -> type[Story]:
    """A fresh DID's story, for tests that need many."""
    return Story


@pytest.fixture
def story() -> Story:
    """A fresh DID's story."""
    return Story()


@pytest.fixture
def running(story: Story, say: Say) -> Story:
    """A purchased, accepted DID that needs no registration: what most rules are about."""
    story.take(say.purchased())
    story.take(say.holding())
    story.take(say.registration("not_required"))
    return story


@pytest.fixture
def awaiting(story: Story, say: Say) -> Story:
    """A purchased, accepted DID that waits for its registration."""
    story.take(say.purchased())
    story.take(say.holding())
    story.take(say.registration("awaiting"))
    return story
