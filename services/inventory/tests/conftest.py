"""Messages about numbers in few words, and a stage in memory that does with them what the real one does."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Command, Decided, Decision, Known, Refused, TooEarly
from didflow_chassis.service import Ref
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
from didflow_inventory.handlers import HISTORY, commands, events
from didflow_inventory.settings import InventorySettings

EVENTS = events(InventorySettings.placeholder())
COMMANDS = commands(InventorySettings.placeholder())

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


@dataclass
class World:
    """Inventory in memory: what is declared is loaded, what is too early waits for the next decision.

    `said` has all events in order, `story` the history, `refused` each code.
    """

    states: dict[tuple[type, Hashable], Any] = field(default_factory=dict)
    said: list[EventData] = field(default_factory=list)
    story: list[HistoryEntry] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    parked: list[Event[Any]] = field(default_factory=list)

    @classmethod
    def with_accounts(cls, *paths: str) -> "World":
        """A world with these accounts."""
        return cls().put(*(Account(path=p, name=p, created_at=ZERO) for p in paths))

    def put(self, *states: Any) -> "World":
        """Let these states be."""
        for state in states:
            self.states[type(state), key_of(state)] = state
        return self

    def take(self, message: Event[Any] | Command, now: datetime = ZERO) -> Decision:
        """Take one message as the stage does."""
        on = EVENTS[type(message.data)] if isinstance(message, Event) else COMMANDS[type(message)]
        entity = message.data.did_id if isinstance(message, Event) else message.entity_id
        before = self.states.get((on.model or Did, entity))
        known = self._known(on.needs(message) if on.needs else ())
        if on.state_needs:
            known = self._known([*_refs(known), *on.state_needs(before, message, known)])
        extra = (known,) if on.needs or on.state_needs else ()
        outcome: Decision = on.decide(before, message, now, *extra)
        self.story.extend(HISTORY(message, outcome, before, now))
        self._keep(message, outcome, now)
        return outcome

    def _known(self, refs: Iterable[Ref]) -> Known:
        return Known(states={(r.model, r.key): self.states.get((r.model, r.key)) for r in refs})

    def _keep(self, message: Event[Any] | Command, outcome: Decision, now: datetime) -> None:
        if isinstance(outcome, Refused):
            self.refused.append(outcome.code)
        if isinstance(outcome, TooEarly):
            assert isinstance(message, Event)
            self.parked.append(message)
        if isinstance(outcome, Decided):
            self.put(*(s for s in (outcome.state, *outcome.also) if s is not None))
            self.said.extend(outcome.events)
            waiting, self.parked = self.parked, []
            for event in waiting:
                self.take(event, now)

    @property
    def did(self) -> Did:
        """The DID that most stories are about."""
        found: Did = self.states[Did, DID]
        return found

    @property
    def number(self) -> Number:
        """The number that most stories are about."""
        found: Number = self.states[Number, NUMBER]
        return found

    def topics(self) -> list[str]:
        """The topics of all that was said, in order."""
        return [event.topic for event in self.said]

    def statuses(self) -> list[str]:
        """Every status said, in order."""
        return [event.status for event in self.said if event.topic == "did.status_changed"]  # type: ignore[attr-defined]

    def change(self, **fields: Any) -> "World":
        """Let the DID be otherwise, whatever made it so."""
        return self.put(replace(self.did, **fields))


def _refs(known: Known) -> list[Ref]:
    return [Ref(model, key) for model, key in known.states]


def key_of(state: Any) -> Hashable:
    """The key that a state is kept under."""
    if isinstance(state, Did):
        return state.did_id
    key: Hashable = next(getattr(state, n) for n in ("key", "path", "number") if hasattr(state, n))
    return key


@pytest.fixture(scope="session")
def say() -> Say:
    """The builder of messages."""
    return Say()


@pytest.fixture(scope="session")
def new_world() -> type[World]:
    """An empty inventory, for tests that need many."""
    return World


@pytest.fixture
def world() -> World:
    """Inventory with the accounts that most stories need."""
    return World.with_accounts("master", ACCOUNT, "master/acme/shop", "other")


@pytest.fixture
def bought(world: World, say: Say) -> World:
    """Inventory with one DID purchased and nothing heard about it yet."""
    world.take(say.purchased())
    return world
