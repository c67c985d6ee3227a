"""Random histories of several DIDs: purchases, events in any order, commands of several callers, and jumps of time.

Each message goes to billing and to the expected term of its DID. After each step both are the same, and the
invariants hold. At the end, the inputs are replayed with other clocks, and the published events are read again.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import chain, count
from typing import Any, ClassVar, Final
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from term_checks import check_against, check_offers, check_quote
from term_expectation import RUNNING, ExpectedTerm, ListedPrice
from term_invariants import check_invariants
from term_rebuild import check_rebuilt
from term_replay import check_replays
from term_world import (
    ACCOUNTS,
    AMOUNTS,
    BUYER,
    CALLERS,
    DAY,
    LISTED,
    LONG,
    LONGEST,
    NUMBERS,
    OPERATOR,
    OTHER_NUMBER,
    SECOND,
    STARTS,
    Life,
    builder_of,
    price_of,
)

from didflow_billing.api.quotes import QuoteResult
from didflow_billing.domain.commands import Cancel, Renew, Restore, SetCycles
from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.quote import quote
from didflow_billing.domain.term import Term
from didflow_chassis.decision import Command, Decision, Refused, TooEarly, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import VerificationExpiring

SLOT: Final = st.sampled_from((0, 0, 0, 0, 1, 1, 2))
"""A number. Most messages are about the first one, so its DID has a long life."""

NTH: Final = st.integers(0, 7)
SELDOM: Final = st.sampled_from((False, False, False, True))
CALLER: Final = st.sampled_from(CALLERS)
MONTHS: Final = st.sampled_from((1, 1, 3, 6, 12))
CYCLES: Final = st.sampled_from((None, None, 0, 1, 2, 3, 999))
PRICE: Final = st.sampled_from((*range(len(AMOUNTS)), None, None))
"""A price that the purchase names, or None for that of the price list."""

REGISTRATION: Final = st.sampled_from(
    ("awaiting", "pending", "pending", "approved", "rejected", "expired", "expiring", "not_required")
)
FIRST: Final = st.tuples(
    PRICE,
    MONTHS,
    CYCLES,
    st.sampled_from(("not_required", "awaiting", "pending", "rejected", "approved", None)),
    st.sampled_from(("accepted", "accepted", "ported", "unknown")),
)
"""How a DID begins: price, months, cycles, the registration after its purchase, and what inventory has published."""

PERIOD: Final = st.sampled_from(
    (SECOND, timedelta(hours=1), DAY, 12 * DAY, 12 * DAY, 31 * DAY, 31 * DAY, 34 * DAY, LONG)
)
CLOCK: Final = st.sampled_from(("steps", "steps", "jumps", "stopped"))
"""How timers run while time passes: each at its instant, all at the end, or not at all."""


class TermHistory(RuleBasedStateMachine):
    """One history. `new_stage` makes a stage at an instant; `messages` builds the messages about one DID.

    `replay_on` makes a stage for the replays. By default it is one of the same kind.
    """

    steps: ClassVar[int] = 0
    """How many messages and jumps of time all histories had."""

    checks_each_step: ClassVar[bool] = True
    """Whether billing is compared after each step, and not only at the end."""

    def __init__(
        self,
        new_stage: Callable[[datetime], Any],
        messages: Callable[[], Any],
        *,
        replay_on: Callable[[datetime], Any] | None = None,
    ) -> None:
        super().__init__()
        self.new_stage = new_stage
        self.replay_on = replay_on or new_stage
        self._messages = messages
        self._ids = count(1)
        self.builders: dict[UUID, Any] = {}
        self.lives = [0] * len(NUMBERS)
        self.expected: dict[UUID, ExpectedTerm] = {}
        self.waiting: dict[tuple[UUID, str, str], list[Event[Any]]] = {}
        self.sent: list[Event[Any]] = []
        self.inputs: list[tuple[datetime, Any]] = []
        self.touched: set[UUID] = set()
        self.is_sound = True

    @initialize(start=st.sampled_from(STARTS), can_be_late=st.booleans(), purchases=st.tuples(FIRST, FIRST))
    def begin(self, start: datetime, purchases: Any, *, can_be_late: bool) -> None:
        """Begin at an instant with two purchases. In some histories each event is received when it is published."""
        self.stage = self.new_stage(start)
        self.start, self.can_be_late = start, can_be_late
        self.prices = [ListedPrice(*row[:3], start + row[3] * DAY, *row[4:]) for row in LISTED]
        self.set_prices()
        for slot, first in enumerate(purchases):
            self.first_days(slot, *first)

    def set_prices(self) -> None:
        """Add the rows of the price list."""
        build = self.builder(0)
        for row in self.prices:
            command = build.set_price(
                row.account,
                row.setup,
                row.recurring,
                country=row.country,
                number_type=row.number_type,
                since=row.since,
                currency=row.currency,
            )
            self.inputs.append((self.start, command))
            assert outcome_of(self.stage.run(command)) == "done"

    def first_days(self, slot: int, *first: Any) -> None:
        """Sell a number. Inventory may accept it, and verification may answer."""
        price, months, cycles, registration, stock = first
        if stock == "ported":
            self.take_without_a_price(slot, is_porting=True, late=False)
            self.hold(slot, ACCOUNTS[1], "assigned", behind=False, late=False)
        self.purchase(slot, price, months, cycles, None, source="/didflow/inventory", late=False)
        if stock == "accepted":
            self.hold(slot, BUYER, "assigned", behind=False, late=False)
        if registration is not None:
            self.register(slot, registration, behind=False, late=False)

    # What exists.

    def now(self) -> datetime:
        """Return the service's time."""
        at: datetime = self.stage.now()
        return at

    def life(self, slot: int) -> Life:
        """Return the present life of a number."""
        return Life(slot, self.lives[slot])

    def builder(self, slot: int) -> Any:
        """Return what builds the messages about the present DID of a number."""
        life = self.life(slot)
        if life.did_id not in self.builders:
            made = builder_of(life, self._messages)
            made._ids, made.sequences = self._ids, {"stock": 0, "registration": 0}
            self.builders[life.did_id] = made
            self.expected[life.did_id] = ExpectedTerm(life.did_id, life.number, self.prices)
        return self.builders[life.did_id]

    def term(self, slot: int) -> ExpectedTerm:
        """Return the expected term of the present DID of a number."""
        return self.expected[self.builder(slot).did]

    def sequence(self, slot: int, axis: str, *, behind: bool = False) -> int:
        """Return the next sequence of an axis, or one that is lower than the last. None is used twice."""
        sequences = self.builder(slot).sequences
        if behind and sequences[axis] > 1 and sequences.get(f"{axis} behind") != sequences[axis]:
            sequences[f"{axis} behind"] = sequences[axis]
            return int(sequences[axis]) - 1
        sequences[axis] = max(sequences["stock"], sequences["registration"]) + 2
        return int(sequences[axis])

    # How messages are sent.

    def send(self, event: Event[Any], *, late: bool) -> None:
        """Deliver an event, or let it wait. Later events of its topic and DID wait behind it."""
        queue = self.waiting.setdefault((event.data.entity_id, event.source, event.data.topic), [])
        if self.can_be_late and (late or queue):
            queue.append(event)
        else:
            self.deliver_events(event)

    def deliver_events(self, *events: Event[Any]) -> None:
        """Deliver events as one batch."""
        now, decision = self.timed(lambda: self.stage.receive(*events))
        self.count(now, *events)
        results = [self.expected[each.data.entity_id].receive(each, now) for each in events]
        self.sent += events
        self.touched |= {each.data.entity_id for each in events}
        assert outcome_of(decision) == results[-1].outcome

    def run(self, command: Command, name: str, **body: Any) -> None:
        """Quote a command, run it, and compare both with what is expected."""
        did_id = command.entity_id
        assert isinstance(did_id, UUID)
        quoted = QuoteResult.of("", quote(self.stage.state(Term, did_id), command, self.now()))
        now, decision = self.timed(lambda: self.stage.run(command))
        self.count(now, command)
        expected = self.expected[did_id]
        result = expected.command(name, command.caller, now, **body)
        self.touched.add(did_id)
        assert outcome_of(decision) == result.outcome
        check_quote(quoted, result, expected, now)

    def timed(self, work: Callable[[], Any]) -> tuple[datetime, Any]:
        """Let a message be decided. Return the instant of its decision, and the result."""
        return self.now(), work()

    def count(self, now: datetime, *messages: Any) -> None:
        """Count and keep inputs."""
        type(self).steps += len(messages)
        self.inputs += [(now, each) for each in messages]

    # What order systems, inventory and verification publish.

    @rule(
        slot=SLOT,
        price=PRICE,
        months=MONTHS,
        cycles=CYCLES,
        days=st.sampled_from((None, None, None, 0, 1, 29, 70, 399, -1)),
        source=st.sampled_from(("/orders/acme", "/didflow/inventory")),
        late=SELDOM,
    )
    def purchase(
        self, slot: int, price: Any, months: int, cycles: Any, days: int | None, *, source: str, late: bool
    ) -> None:
        """Sell a number, now, days ago or tomorrow. If its DID has one already, nothing changes."""
        late = late and source == "/didflow/inventory"
        at = self.now()
        changes = {
            "price": price_of(price),
            "billing_period": min(months, 3) if price == len(AMOUNTS) - 1 else months,
            "billing_cycles": cycles,
            "purchased_at": None if days is None else at - days * DAY,
            "acquired": "ported_in" if self.term(slot).state == "none" else "purchased",
        }
        self.send(self.builder(slot).purchased(at, source=source, **changes), late=late)

    @rule(slot=SLOT, is_porting=st.booleans(), late=SELDOM)
    def take_without_a_price(self, slot: int, *, is_porting: bool, late: bool) -> None:
        """Hand a number out, or begin to port it in."""
        build, at = self.builder(slot), self.now()
        if is_porting:
            event = build.porting_started(at)
        else:
            event = build.purchased(
                at, source="/didflow/inventory", price=None, billing_period=None, acquired="assigned"
            )
        self.send(event, late=late and not is_porting)

    @rule(slot=SLOT, number=NTH, other_number=st.booleans(), is_porting=st.booleans())
    def purchase_for_another(self, slot: int, number: int, *, other_number: bool, is_porting: bool) -> None:
        """Name a DID that another account or another number has."""
        build, account = self.builder(slot), ("master/globex", "master", BUYER)[number % 3]
        if self.term(slot).state is None:
            return
        changes: dict[str, Any] = {"account": account}
        if other_number:
            changes["number"] = OTHER_NUMBER
        make = build.porting_started if is_porting else build.purchased
        event = make(self.now(), **changes)
        self.deliver_events(event)

    @rule(slot=SLOT, state=REGISTRATION, behind=SELDOM, late=SELDOM)
    def register(self, slot: int, state: str, *, behind: bool, late: bool) -> None:
        """Publish the registration, perhaps with a sequence that is lower than the last one."""
        sequence = self.sequence(slot, "registration", behind=behind)
        self.send(registration_of(self.builder(slot), state, self.now(), sequence), late=late)

    @rule(slot=SLOT, states=st.lists(REGISTRATION, min_size=2, max_size=3))
    def register_together(self, slot: int, states: list[str]) -> None:
        """Publish several registrations, received in one batch and in reverse."""
        at, build = self.now(), self.builder(slot)
        events = [registration_of(build, each, at, self.sequence(slot, "registration")) for each in states]
        self.deliver_events(*reversed(events))

    @rule(
        slot=SLOT,
        account=st.sampled_from((BUYER, *ACCOUNTS)),
        stock=st.sampled_from(("assigned", "assigned", "blocked", "on_hold", "porting_in")),
        behind=SELDOM,
        late=SELDOM,
    )
    def hold(self, slot: int, account: str, stock: str, *, behind: bool, late: bool) -> None:
        """Publish who holds the DID."""
        sequence = self.sequence(slot, "stock", behind=behind)
        event = self.builder(slot).did_changed(self.now(), sequence, account=account, stock=stock)
        self.send(event, late=late)

    @rule(
        slot=SLOT,
        reason=st.sampled_from(
            ("refused", "refused", "returned", "ported_out", "hold_ended", "porting_failed")
        ),
        late=SELDOM,
        is_done=SELDOM,
    )
    def end(self, slot: int, reason: str, *, late: bool, is_done: bool) -> None:
        """Refuse the purchase, or withdraw the DID."""
        term = self.term(slot)
        if not is_done and term.state != "closed" and not (reason == "refused" and term.accepted):
            return
        build, sequence = self.builder(slot), self.sequence(slot, "stock")
        if reason == "refused":
            self.send(build.purchase_refused(self.now(), sequence), late=late)
        else:
            self.send(build.withdrawn(self.now(), sequence, reason=reason), late=late)

    @precondition(lambda self: self.in_state("closed"))
    @rule(number=NTH, reason=st.sampled_from(("refused", "refused", "returned")))
    def end_again(self, number: int, reason: str) -> None:
        """Refuse the purchase of a DID that has ended, or withdraw it."""
        slots = self.in_state("closed")
        self.end(slots[number % len(slots)], reason, late=False, is_done=True)

    @precondition(lambda self: self.in_state("closed"))
    @rule(number=NTH, first=FIRST)
    def begin_new_life(self, number: int, first: Any) -> None:
        """Sell a number again whose DID has ended. Later messages are about the new DID."""
        slots = self.in_state("closed")
        slot = slots[number % len(slots)]
        self.lives[slot] += 1
        self.first_days(slot, *first)

    @precondition(lambda self: any(self.waiting.values()))
    @rule(number=NTH)
    def deliver(self, number: int) -> None:
        """Deliver the first event of one of the queues that wait."""
        queues = [queue for queue in self.waiting.values() if queue]
        self.deliver_events(queues[number % len(queues)].pop(0))

    @precondition(lambda self: self.sent)
    @rule(number=st.integers(0, 30), twice=st.booleans())
    def redeliver(self, number: int, *, twice: bool) -> None:
        """Deliver an event again, once or twice in a batch."""
        event = self.sent[-1 - number % len(self.sent)]
        if event.time > self.now() - 30 * DAY:
            self.deliver_events(*[event] * (2 if twice else 1))

    # What callers request.

    @rule(slot=SLOT, caller=CALLER, cycles=st.sampled_from((None, 0, 0, 1, 2, 3, 999, 1_000, -1)))
    def set_cycles(self, slot: int, caller: Any, cycles: Any) -> None:
        """Set the cycles."""
        build = self.builder(slot)
        command = SetCycles(entity_id=build.did, subject=build.number, caller=caller, billing_cycles=cycles)
        self.run(command, "set_cycles", billing_cycles=cycles)

    @rule(slot=SLOT, caller=CALLER, months=MONTHS)
    def renew(self, slot: int, caller: Any, months: Any) -> None:
        """Renew."""
        build = self.builder(slot)
        command = Renew(entity_id=build.did, subject=build.number, caller=caller, billing_period=months)
        self.run(command, "renew", billing_period=months)

    @rule(slot=SLOT, caller=CALLER, remove=st.booleans())
    def cancel(self, slot: int, caller: Any, *, remove: bool) -> None:
        """Cancel."""
        build = self.builder(slot)
        command = Cancel(entity_id=build.did, subject=build.number, caller=caller, remove=remove)
        self.run(command, "cancel", remove=remove)

    @rule(slot=SLOT, caller=CALLER, months=st.sampled_from((None, 1, 3, 12)))
    def restore(self, slot: int, caller: Any, months: Any) -> None:
        """Restore."""
        build = self.builder(slot)
        command = Restore(entity_id=build.did, subject=build.number, caller=caller, billing_period=months)
        self.run(command, "restore", billing_period=months)

    @precondition(lambda self: self.in_state("canceled", "aging"))
    @rule(number=NTH, months=st.sampled_from((None, 1, 1, 3, 12)))
    def take_back(self, number: int, months: Any) -> None:
        """Restore a canceled term, or renew one that is aging."""
        slots = self.in_state("canceled", "aging")
        slot = slots[number % len(slots)]
        if self.term(slot).state == "aging":
            self.renew(slot, OPERATOR, months or 1)
        else:
            self.restore(slot, OPERATOR, months)

    @precondition(lambda self: self.in_state(*RUNNING))
    @rule(number=NTH, is_canceled=st.booleans(), clock=CLOCK)
    def let_end(self, number: int, clock: str, *, is_canceled: bool) -> None:
        """Cancel a running term or set its cycles to 0, and wait until its paid time has ended."""
        slots = self.in_state(*RUNNING)
        slot = slots[number % len(slots)]
        if is_canceled:
            self.cancel(slot, OPERATOR, remove=False)
        else:
            self.set_cycles(slot, OPERATOR, 0)
        end = self.term(slot).end
        if end is not None and end > self.now():
            self.move_to(end, clock)

    def in_state(self, *states: str) -> list[int]:
        """Return the numbers whose DIDs are in one of these states."""
        return [slot for slot in range(len(NUMBERS)) if self.term(slot).state in states]

    # Time.

    @rule(
        period=PERIOD,
        clock=CLOCK,
    )
    def wait(self, period: timedelta, clock: str) -> None:
        """Let time pass."""
        self.move_to(self.now() + period, clock)

    @rule(slot=SLOT, by=st.sampled_from((-SECOND, timedelta(0), timedelta(0), SECOND)), clock=CLOCK)
    def wait_until_due(self, slot: int, by: timedelta, clock: str) -> None:
        """Let time pass until a DID is due, or a second before or after that."""
        due = self.term(slot).due()
        if due is not None and due + by > self.now():
            self.move_to(due + by, clock)

    def move_to(self, at: datetime, clock: str) -> None:
        """Move the time."""
        if at > self.start + LONGEST:
            return
        type(self).steps += 1
        if clock == "steps":
            self.stage.advance(at - self.now())
        else:
            self.stage.set_time(at)
        if clock == "jumps":
            self.stage.run_due_timers()
        if clock != "stopped":
            self.settle_expected(self.expected.values(), at)
            assert all(each.due_at is None or each.due_at > at for each in self.stage.states(Term))

    def settle_expected(self, terms: Iterable[ExpectedTerm], at: datetime) -> None:
        """Settle expected terms."""
        for term in terms:
            if (due := term.due()) is not None and due <= at:
                self.touched.add(term.did_id)
                term.settle(at)

    # What is checked.

    @invariant()
    def every_invariant_holds(self) -> None:
        """Billing is as expected, the invariants hold, and nothing has failed."""
        if not self.touched or not self.checks_each_step:
            return
        self.is_sound = False
        self.check(self.touched)
        self.touched = set()
        self.is_sound = True

    def check(self, did_ids: Iterable[UUID]) -> None:
        """Check DIDs."""
        published, ledger = by_did(self.stage.published()), by_did(self.stage.rows(LedgerEntry))
        for did_id in did_ids:
            term, expected = self.stage.state(Term, did_id), self.expected[did_id]
            entries, events = ledger.get(did_id, []), published.get(did_id, [])
            check_against(expected, term, entries, events)
            check_invariants(term, entries, events)
            check_offers(expected, term, self.now())
        parked = self.stage.parked()
        assert [each for each in parked if each.reason != "early"] == []
        assert len(parked) == sum(len(each.early) for each in self.expected.values())
        assert self.stage.dead_letters() == []

    def teardown(self) -> None:
        """Deliver everything, settle, and check all. An error of a step is not hidden by this."""
        if not self.inputs or not self.is_sound:
            return
        for event in chain.from_iterable(self.waiting.values()):
            self.deliver_events(event)
        self.stage.run_due_timers()
        self.settle_expected(self.expected.values(), self.now())
        self.check(self.expected)
        states = [self.stage.state(Term, did_id) for did_id in self.expected]
        terms = {term.did_id: term for term in states if term is not None}
        assert all(term.due_at is None or term.due_at > self.now() for term in terms.values())
        published, ledger = self.stage.published(), self.stage.rows(LedgerEntry)
        check_rebuilt(terms, by_did(ledger), published, seed=len(self.inputs))
        check_replays(self, terms, by_did(ledger), by_did(published))


def registration_of(build: Any, state: str, at: datetime, sequence: int) -> Event[Any]:
    """Return an event of verification. An approval that will expire is still approved."""
    if state != "expiring":
        event: Event[Any] = build.registration(state, at, sequence)
        return event
    did = {"did_id": build.did, "number": build.number, "account": build.account}
    end = {"registration": "approved", "expires_at": at + 30 * DAY, "reason": "proof_ended"}
    ends: Event[Any] = build.event(
        VerificationExpiring.model_validate(did | end), at, "/didflow/verification", sequence
    )
    return ends


def by_did(rows: Iterable[Any]) -> dict[UUID, list[Any]]:
    """Return events or entries by their DID, in order."""
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        did_id = row.data.entity_id if isinstance(row, Event) else row.did_id
        found.setdefault(did_id, []).append(row)
    return found


def outcome_of(decision: Decision | None) -> str:
    """Return what became of a message, in the words of `Result`."""
    if decision is None:
        return "repeat"
    if isinstance(decision, Refused):
        return decision.code
    return {Unchanged: "unchanged", TooEarly: "early"}.get(type(decision), "done")
