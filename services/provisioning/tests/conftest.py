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
from didflow_chassis.service import Handler, Ref
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.events import (
    EVENT_TYPES,
    CarrierCommandIssued,
    CycleExpired,
    DidChanged,
    DidPortingStarted,
    DidPurchased,
    DidRemoved,
    PurchaseRefused,
    ResultReported,
    RoutingChanged,
    TermChanged,
)
from didflow_contracts.events.carrier import Endpoint
from didflow_contracts.ids import derived_id
from didflow_provisioning.domain.carrier_command import CarrierCommand
from didflow_provisioning.domain.commands import CreateVoiceTrunk, RetryCommand, SetCapacity, SetVoice
from didflow_provisioning.domain.line import Line
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.handlers import COMMANDS, DUE, EVENTS

DID = UUID("0190a5b6-7c00-7000-8000-000000000001")
NEXT = UUID("0190a5b6-7c00-7000-8000-000000000002")
NUMBER = "+35319609036"
ACCOUNT = "master/acme"
TRUNK = derived_id("trunk")
ZERO = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


class Say:
    """Builds what comes to provisioning about one DID; `did` may be another life of the number."""

    did, next, number, account, zero, trunk = DID, NEXT, NUMBER, ACCOUNT, ZERO, TRUNK

    def __init__(self) -> None:
        self._ids = count(1)

    def caller(self, account: str = ACCOUNT, role: str = "reseller") -> Caller:
        """Somebody with a token."""
        return Caller(subject="ann", account=account, role=role)

    def event(self, data: EventData, source: str, sequence: int | None = None) -> Event[Any]:
        """Wrap data as an event under a fresh id."""
        return Event(id=f"e{next(self._ids)}", source=source, time=ZERO, data=data, sequence=sequence)

    def purchased(self, did: UUID = DID, **changes: Any) -> Event[DidPurchased]:
        """A purchase, without the price that is none of our business."""
        data = self._whose(did) | {
            "number_type": "local",
            "features": ["voice_in"],
            "acquired": "external",
            "carrier": "simulator",
        }
        return self.event(DidPurchased.model_validate(data | changes), "/orders/acme")

    def porting_started(self, did: UUID = DID, **changes: Any) -> Event[DidPortingStarted]:
        """A number on its way."""
        data = self._whose(did) | {"number_type": "local", "features": ["voice_in"], "order_id": "o-1"}
        return self.event(DidPortingStarted.model_validate(data | changes), "/orders/acme")

    def refused(self, did: UUID = DID) -> Event[PurchaseRefused]:
        """A purchase that inventory refused."""
        data = self._whose(did) | {"order_id": "o-1", "code": "number_taken", "message": "taken"}
        return self.event(PurchaseRefused.model_validate(data), "/didflow/inventory", 1)

    def holding(
        self, stock: str = "assigned", sequence: int | None = 1, did: UUID = DID, **changes: Any
    ) -> Event[DidChanged]:
        """The holding as inventory says it."""
        data = self._whose(did) | {
            "stock": stock,
            "until": None,
            "after_hold": None,
            "payer": ACCOUNT,
            "user": None,
            "features": ["voice_in"],
            "carrier": "simulator",
            "sms_carrier": None,
            "origin": "purchased",
        }
        return self.event(DidChanged.model_validate(data | changes), "/didflow/inventory", sequence)

    def registration(
        self, state: str = "approved", sequence: int | None = 1, did: UUID = DID, **changes: Any
    ) -> Event[Any]:
        """The registration as verification says it."""
        model = EVENT_TYPES[f"didflow.verification.{ {'awaiting': 'required'}.get(state, state) }.v1"]
        extra = {"reason": "proof_ended"} if state == "expired" else {}
        data = self._whose(did) | {"registration": state} | extra | changes
        return self.event(model.model_validate(data), "/didflow/verification", sequence)

    def term(self, state: str = "active", sequence: int | None = 1, did: UUID = DID) -> Event[TermChanged]:
        """The term as billing says it."""
        return self.event(
            TermChanged.model_validate(self._paid(did, state) | {"reason": "started"}),
            "/didflow/billing",
            sequence,
        )

    def cycle_expired(self, state: str, sequence: int = 2, did: UUID = DID) -> Event[CycleExpired]:
        """The end of a paid period as billing says it."""
        data = self._paid(did, state) | {"period": 1, "expired_at": ZERO, "outcome": "expired"}
        return self.event(CycleExpired.model_validate(data), "/didflow/billing", sequence)

    def removed(self, did: UUID = DID, sequence: int = 9) -> Event[DidRemoved]:
        """The end of the DID as billing says it."""
        data = self._whose(did) | {"reason": "aged_out", "refunded": False}
        return self.event(DidRemoved.model_validate(data), "/didflow/billing", sequence)

    def result(self, command: CarrierCommandIssued | CarrierCommand, **changes: Any) -> Event[ResultReported]:
        """A carrier's answer to an order: success, unless said otherwise."""
        data = {
            "did_id": command.did_id,
            "number": command.number,
            "account": command.account,
            "command_id": command.command_id,
            "attempt": command.attempt,
            "outcome": "succeeded",
            "carrier_reference": "ref-1",
        }
        return self.event(ResultReported.model_validate(data | changes), "/carriers/simulator")

    def failure(
        self, command: CarrierCommandIssued | CarrierCommand, *, retryable: bool = False, **changes: Any
    ) -> Event[ResultReported]:
        """A carrier's refusal."""
        said = {"outcome": "failed", "retryable": retryable, "code": "rejected", "carrier_reference": None}
        return self.result(command, **(said | changes))

    def set_voice(self, did: UUID = DID, trunk: UUID = TRUNK, **who: str) -> SetVoice:
        """The wish for a voice trunk."""
        return SetVoice(**self._wish(did, **who), voice_trunk_id=trunk)

    def set_capacity(self, capacity: Any, did: UUID = DID, **who: str) -> SetCapacity:
        """The wish for so many concurrent calls."""
        return SetCapacity(**self._wish(did, **who), capacity=capacity)

    def retry(self, command_id: UUID, did: UUID = DID, **who: str) -> RetryCommand:
        """The wish to order again what failed."""
        return RetryCommand(**self._wish(did, **who), command_id=command_id)

    def create_trunk(self, account: str = ACCOUNT, trunk: UUID = TRUNK, **who: str) -> CreateVoiceTrunk:
        """The wish for a new voice trunk."""
        return CreateVoiceTrunk(
            entity_id=trunk,
            subject="",
            caller=self.caller(**who),
            account=account,
            name="Dublin",
            endpoints=(Endpoint(kind="sip", address="sip:pbx.example.com"),),
        )

    def _wish(self, did: UUID, **who: str) -> dict[str, Any]:
        fresh = derived_id("wish", str(next(self._ids)))
        return {"entity_id": did, "subject": NUMBER, "caller": self.caller(**who), "fresh_id": fresh}

    def _whose(self, did: UUID) -> dict[str, Any]:
        return {"did_id": did, "number": NUMBER, "account": ACCOUNT}

    def _paid(self, did: UUID, state: str) -> dict[str, Any]:
        return self._whose(did) | {
            "state": state,
            "cycles_left": None,
            "billing_period": 1,
            "period_start": None,
            "expires_at": None,
            "aging_until": None,
        }


@dataclass
class Floor:
    """A stage in memory: needs and follow are loaded as declared, the early wait, the clock strikes on its own."""

    now: datetime = ZERO
    states: dict[tuple[type, Hashable], Any] = field(default_factory=dict)
    said: list[EventData] = field(default_factory=list)
    early: list[Any] = field(default_factory=list)
    taken: set[tuple[str, str]] = field(default_factory=set)

    def take(self, message: Event[Any] | Command) -> Decision:
        """Decide a message; after something was decided, what came too early for it is tried again."""
        on = EVENTS[type(message.data)] if isinstance(message, Event) else COMMANDS[type(message)]
        entity = message.data.entity_id if isinstance(message, Event) else message.entity_id
        self._settle(on.model or Routing, entity)
        outcome = self._ask(on, on.model or Routing, entity, message)
        if isinstance(outcome, TooEarly) and isinstance(message, Event):
            self.early.append(message)
        if isinstance(outcome, Decided):
            waiting, self.early = self.early, []
            for each in waiting:
                self.take(each)
        return outcome

    def feed(self, *messages: Event[Any] | Command) -> Decision:
        """Decide messages in order; each event id once, as the inbox does. The last one's outcome."""
        outcome: Decision = Refused("nothing")
        for message in messages:
            if isinstance(message, Event):
                if (message.source, message.id) in self.taken:
                    continue
                self.taken.add((message.source, message.id))
            outcome = self.take(message)
        return outcome

    def wait(self, span: timedelta) -> None:
        """Let time pass; all that is due on the way is struck at its own instant, earliest first."""
        until = self.now + span
        for _ in range(2_000):
            due = [
                (state.due_at, str(key), model, key)
                for (model, key), state in self.states.items()
                if model in DUE and state.due_at is not None and state.due_at <= until
            ]
            if not due:
                self.now = until
                return
            at, _name, model, key = min(due)
            self.now = max(self.now, at)
            before = self.states[model, key]
            self._ask(DUE[model], model, key, None, at)
            assert self.states[model, key] != before, "the clock's decision made no progress"
        raise AssertionError("due without end")

    def _settle(self, model: type, key: Hashable) -> None:
        while model in DUE and (state := self.states.get((model, key))) is not None:
            if state.due_at is None or state.due_at > self.now:
                return
            self._ask(DUE[model], model, key, None, state.due_at)

    def routing(self, did: UUID = DID) -> Routing:
        """A DID's routing."""
        found: Routing = self.states[Routing, did]
        return found

    @property
    def line(self) -> Line:
        """The number's line."""
        found: Line = self.states.get((Line, NUMBER), Line(number=NUMBER))
        return found

    @property
    def open(self) -> Any:
        """The number's open command, or None."""
        return self.states.get((CarrierCommand, self.line.open))

    def orders(self, did: UUID | None = None) -> list[CarrierCommandIssued]:
        """What was ordered, every attempt."""
        issued = [said for said in self.said if isinstance(said, CarrierCommandIssued)]
        return [order for order in issued if did in (None, order.did_id)]

    def actions(self, did: UUID | None = None) -> list[str]:
        """The actions ordered, each order once."""
        firsts = [order for order in self.orders(did) if order.attempt == 1]
        return [order.action for order in firsts]

    def axis(self, did: UUID = DID) -> RoutingChanged:
        """What was last said of a DID's routing."""
        return [s for s in self.said if isinstance(s, RoutingChanged) and s.did_id == did][-1]

    def answer(self, say: Say) -> None:
        """Let the carrier succeed in everything that is ordered, until nothing is open."""
        while self.line.open is not None:
            self.take(say.result(self.open))

    def _ask(
        self, on: Handler, model: type, key: Hashable, message: Any, at: datetime | None = None
    ) -> Decision:
        state = self.states.get((model, key))
        refs = {Ref(model, key, write=True), *(on.needs(message) if on.needs else ())}
        if on.state_needs:
            refs |= set(on.state_needs(state, message, self._known(refs)))
        known = self._known(refs)
        question = (state, message, self.now) if message is not None else (state, at)
        outcome: Decision = on.decide(*question, *((known,) if on.needs or on.state_needs else ()))
        if isinstance(outcome, Decided):
            self._apply(outcome, model, key, {(ref.model, ref.key) for ref in refs if ref.write}, refs)
        return outcome

    def _known(self, refs: Iterable[Ref]) -> Known:
        return Known(states={(ref.model, ref.key): self.states.get((ref.model, ref.key)) for ref in refs})

    def _apply(
        self, decided: Decided[Any], model: type, key: Hashable, writable: set[Any], refs: set[Ref]
    ) -> None:
        if decided.state is not None:
            assert type(decided.state) is model
            self._save(decided.state, {(model, key)})
        for state in decided.also:
            self._save(state, writable)
        declared = {ref.key for ref in refs if ref.model is Routing}
        for event in decided.events:
            assert event.did_id in declared, "an event about a DID that was not declared"
            assert (Routing, event.did_id) in self.states
        self.said.extend(decided.events)
        commands = [state for state in self.states.values() if isinstance(state, CarrierCommand)]
        open_now = [command.command_id for command in commands if command.is_open]
        line = self.states.get((Line, NUMBER))
        assert open_now == ([line.open] if line is not None and line.open else [])

    def _save(self, state: Any, writable: set[Any]) -> None:
        keys = {Routing: "did_id", Line: "number", CarrierCommand: "command_id"}
        place = (type(state), getattr(state, keys.get(type(state), "trunk_id")))
        assert place in writable, f"{place} was not declared to be written"
        self.states[place] = state


@pytest.fixture(scope="session")
def say() -> Say:
    """A speaker for every party; no two of its events have the same id."""
    return Say()


@pytest.fixture(scope="session")
def new_floor() -> type[Floor]:
    """Makes empty stages in memory."""
    return Floor


@pytest.fixture
def floor() -> Floor:
    """An empty stage in memory."""
    return Floor()


@pytest.fixture
def activated(floor: Floor, say: Say) -> Floor:
    """A stage with one DID in service, its trunk and capacity set before activation."""
    floor.feed(say.purchased(), say.create_trunk(), say.set_voice(), say.set_capacity(2))
    floor.feed(say.holding(), say.registration())
    floor.answer(say)
    return floor


@pytest.fixture
def later() -> Any:
    """Make a copy of a frozen value with changes."""
    return replace
