"""The life of one DID, run by billing's own decisions and timers on tables in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from didflow.services import service
from didflow.terms_page.messages import DID, Make, Message, assigned, instant, registration
from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.quote import Quote, quote
from didflow_billing.domain.term import Term
from didflow_chassis.decision import Command, Decided, Decision
from didflow_chassis.testing import FakeStage
from didflow_contracts.event_data import EventData
from didflow_contracts.topics import BILLING
from didflow_contracts.vocabulary import Registration

Step = tuple[str, Make]
"""An instant, and what happens then."""

_SERVICE: Final = service(BILLING)


@dataclass(frozen=True, kw_only=True)
class Example:
    """A rule, and one life that shows it: after `prices`, rows of the price list, come `steps`.

    `answer` is the first answer of verification, at the instant of the first step; None if it comes later, or never.
    With `assigned`, inventory gives the number to the DID at that instant. The quotes of `quoted` are shown below the
    table, and with `reminders`, reminders in it. If `stopped` is set, the clock is stopped between the two instants.
    """

    title: str
    rule: str
    prices: Sequence[Step] = ()
    steps: Sequence[Step]
    until: str
    answer: Registration | None = "not_required"
    assigned: bool = True
    quoted: Sequence[Step] = ()
    reminders: bool = False
    stopped: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One decision. `message` is None for a timer; `before` and `after` are the term before and after it."""

    at: datetime
    message: Message | None
    decision: Decision
    before: Term | None
    after: Term | None

    @property
    def entries(self) -> tuple[LedgerEntry, ...]:
        """The ledger entries that the decision posted."""
        if not isinstance(self.decision, Decided):
            return ()
        return tuple(row for row in self.decision.also if isinstance(row, LedgerEntry))

    @property
    def events(self) -> tuple[EventData, ...]:
        """The data of the events that the decision published."""
        return self.decision.events if isinstance(self.decision, Decided) else ()


def moments(example: Example) -> list[Moment]:
    """Run an example. Return everything that happened, in order.

    Raises ValueError if a message is refused as a whole or waits, or if the stop of a clock makes a difference.
    """
    found = list(_moments(_run(example, stopped=False)))
    if example.stopped and list(_moments(_run(example, stopped=True))) != found:
        raise ValueError(f"{example.title}: a clock that stopped decides otherwise.")
    return found


def quotes(example: Example) -> Iterator[Quote]:
    """Yield the quote of each command, of the term as it is when the command comes."""
    for text, make in example.quoted:
        earlier = [step for step in example.steps if instant(step[0]) < instant(text)]
        found = moments(replace(example, steps=earlier, until=text, stopped=None))
        command = make(instant(text))
        if not isinstance(command, Command):
            raise TypeError(f"{example.title}: only commands have quotes.")
        yield quote(found[-1].after, command, instant(text))


def _run(example: Example, *, stopped: bool) -> FakeStage:
    start = instant(example.steps[0][0])
    stage = FakeStage(_SERVICE, now=instant((*example.prices, *example.steps)[0][0]))
    for text, make in example.prices:
        _pass_time(stage, instant(text), None)
        _send(stage, make(instant(text)))
    for position, (text, make) in enumerate(example.steps):
        _pass_time(stage, instant(text), example if stopped else None)
        _send(stage, make(instant(text)))
        if position == 0 and example.assigned:
            _send(stage, assigned()(start))
        if position == 0 and example.answer:
            _send(stage, registration(example.answer)(start))
    _pass_time(stage, instant(example.until), example if stopped else None)
    if stage.dead_letters() or stage.parked():
        raise ValueError(f"{example.title}: {stage.dead_letters()} {stage.parked()}")
    return stage


def _send(stage: FakeStage, message: Message) -> None:
    if isinstance(message, Command):
        stage.run(message)
    else:
        stage.receive(message)


def _pass_time(stage: FakeStage, until: datetime, stopping: Example | None) -> None:
    """Let time pass. If the clock stops on the way, the timers that are late run when it runs again."""
    if stopping and stopping.stopped:
        stops, runs = map(instant, stopping.stopped)
        if stage.now() <= stops and runs <= until:
            stage.advance(stops - stage.now())
            stage.set_time(runs)
            stage.run_due_timers()
    stage.advance(until - stage.now())


def _moments(stage: FakeStage) -> Iterator[Moment]:
    term: Any = None
    for logged in stage.decisions():
        state = logged.decision.state if isinstance(logged.decision, Decided) else None
        after = state if isinstance(state, Term) else term
        yield Moment(at=logged.at, message=logged.message, decision=logged.decision, before=term, after=after)
        term = after
    if term != stage.state(Term, DID):
        raise ValueError("The decisions do not lead to the stored term.")
