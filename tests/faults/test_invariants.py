"""Tests of the invariants: sound evidence has no violation, and each kind of broken promise is reported."""

from collections.abc import Callable, Iterator
from dataclasses import is_dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from faults.evidence import DeadLetter, Evidence, HistoryRow, PublishedEvent, ServiceData
from faults.invariants import violations
from faults.ledger import Ledger
from faults.report import report_of
from faults.summary import FaultResult, Summary, Timed
from harness.fault_journal import Fault
from msgspec import structs

from didflow_billing.domain.term import Term
from didflow_chassis.stage.messages import event_id_hash
from didflow_chassis.states import Stored
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidPurchased, LedgerPosted, TermChanged
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.events import did_changed
from didflow_inventory.domain.holding import Holding
from didflow_inventory.domain.views import TermView, Views

DID = UUID("11111111-1111-5111-8111-111111111111")
ENTRY = UUID("22222222-2222-5222-8222-222222222222")
NUMBER = "+12125550123"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ABOUT: dict[str, Any] = {"did_id": DID, "number": NUMBER, "account": "master"}
PRICE = {name: {"amount": "1.00", "currency": "USD"} for name in ("setup", "recurring")}
BAD = ("did.purchased", 3, 14)
PLACE = ("topic", "partition", "offset")

Change = Callable[[Evidence], Evidence]


def term(**changed: Any) -> TermChanged:
    published = {"state": "active", "cycles_left": None, "billing_period": 1, "period_start": NOW}
    return TermChanged(
        **ABOUT, **published | {"expires_at": NOW, "aging_until": None, "reason": "started"} | changed
    )


def published(offset: int, name: str, sequence: int | None, data: Any, event_id: str = "") -> PublishedEvent:
    source = f"/didflow/{name}" if name != "orders" else "/orders/x"
    event = Event(
        id=event_id or f"{name}-{data.topic}-{sequence}",
        source=source,
        time=NOW,
        data=data,
        sequence=sequence,
        causationid=None if name == "orders" else f"cause-{sequence}",
    )
    return PublishedEvent(place=(data.topic, 0, offset), at=0.0, event=event)


def posted() -> LedgerPosted:
    money = {"amount": "2.00", "currency": "USD"}
    return LedgerPosted(**ABOUT, entry_id=ENTRY, payer="master", kind="setup", money=money)


def purchase() -> DidPurchased:
    return DidPurchased(
        **ABOUT,
        number_type="local",
        features=["voice_in"],
        order_id="o",
        end_user_type="business",
        price=PRICE,
        billing_period=1,
    )


def did() -> Did:
    holding = Holding(
        **ABOUT,
        number_type="local",
        purchased_at=NOW,
        stock="assigned",
        payer="master",
        features=("voice_in",),
    )
    return Did(holding=holding, views=Views(term=TermView(state="active", cycles_left=5, expires_at=NOW)))


RECORDS = (
    published(0, "orders", None, purchase(), "purchase"),
    published(0, "billing", 1, term()),
    published(0, "billing", 2, posted()),
    published(1, "billing", 3, term(cycles_left=5)),
    published(1, "inventory", None, did_changed(did().holding)),
)


def sound() -> Evidence:
    """Return evidence without a violation: one purchase, its term, one change of it, and one poison."""
    ids = frozenset(event_id_hash(*record.id) for record in RECORDS)
    stored_term = Term(**ABOUT, payer="master", state="active", cycles_left=5, period=1, expires_at=NOW)
    letter = (DeadLetter(reason="not_json", origin=BAD),)
    line = {"entry_id": ENTRY, "did_id": DID, "amount": Decimal("2.00")}
    rows = tuple(
        HistoryRow(
            did_id=DID, type=r.topic, source=r.event.source, event_id=r.event.id, sequence=r.event.sequence
        )
        for r in RECORDS
    )
    billing = ServiceData(
        states={DID: Stored(stored_term, 1, 3)}, inbox=ids, dead_letters=letter, ledger=(line,)
    )
    inventory = ServiceData(states={DID: Stored(did(), 1, 0)}, inbox=ids, dead_letters=letter, history=rows)
    return Evidence(
        records=RECORDS,
        undecodable=(BAD,),
        copies={"billing": letter, "inventory": letter * 2},
        services={"billing": billing, "inventory": inventory},
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Return a ledger with one purchase, one poison and one change of cycles."""
    opened = Ledger(tmp_path / "ledger")
    about: dict[str, Any] = {"did_id": str(DID), "number": NUMBER}
    published: dict[str, Any] = {"price": PRICE, "billing_period": 1, "registration": "not_required"}
    opened.write("purchase", key="purchase", **published, **about)
    opened.write("poison", key="p", reason="not_json", **about | dict(zip(PLACE, BAD, strict=True)))
    opened.write("set_cycles", key="c", billing_cycles=5, **about)
    yield opened
    opened.close()


def with_data(evidence: Evidence, name: str, **changed: Any) -> Evidence:
    """Return the evidence with changes in one service's data."""
    return replace(
        evidence, services={**evidence.services, name: replace(evidence.services[name], **changed)}
    )


def with_state(evidence: Evidence, name: str, sequence: int | None = None, **changed: Any) -> Evidence:
    """Return the evidence with changes in one service's stored state."""
    row = evidence.services[name].states[DID]
    count = row.sequence if sequence is None else sequence
    change = replace if is_dataclass(row.state) else structs.replace
    changed_row = structs.replace(row, state=change(row.state, **changed), sequence=count)
    return with_data(evidence, name, states={DID: changed_row})


def with_records(evidence: Evidence, *records: PublishedEvent) -> Evidence:
    return replace(evidence, records=(*evidence.records, *records))


def with_doubled(evidence: Evidence, name: str, what: str) -> Evidence:
    return with_data(evidence, name, **{what: getattr(evidence.services[name], what) * 2})


GIVEN_UP = DeadLetter(reason="defect", origin=("did.purchased", 1, 1))

BROKEN: dict[str, tuple[Change, str]] = {
    "a state is missing": (lambda e: with_data(e, "billing", states={}), "I1 lost"),
    "an event was not taken": (lambda e: with_data(e, "inventory", inbox=frozenset()), "I1 lost"),
    "a command has no effect": (lambda e: with_state(e, "billing", cycles_left=None), "I1 lost"),
    "an event of a purchase was not published": (
        lambda e: replace(e, records=tuple(r for r in e.records if r.topic != "did.changed")),
        "I1 lost",
    ),
    "an event was never committed": (
        lambda e: with_records(e, published(2, "billing", 4, term(cycles_left=5))),
        "I2 wrong",
    ),
    "a sequence has two events": (
        lambda e: with_records(e, published(2, "billing", 3, term(cycles_left=5), "other")),
        "I2 doubled",
    ),
    "a message was decided twice": (lambda e: with_doubled(e, "inventory", "history"), "I3 doubled"),
    "a cause had its effect twice": (
        lambda e: with_state(
            with_records(
                e, replace(RECORDS[3], place=("term.changed", 0, 2), event=with_sequence(RECORDS[3].event, 4))
            ),
            "billing",
            4,
        ),
        "I3 doubled",
    ),
    "a topic is out of order": (
        lambda e: replace(e, records=tuple(swapped(e.records))),
        "I4 out of order",
    ),
    "an event was never published": (lambda e: with_state(e, "billing", 9), "I4 lost"),
    "a row was never published": (lambda e: with_data(e, "billing", outbox=1), "I5 lost"),
    "a retry was forgotten": (lambda e: with_data(e, "billing", overdue=1), "I5 lost"),
    "some work is unfinished": (lambda e: replace(e, unfinished_work=("billing: 3 to read",)), "I5 lost"),
    "a poison vanished": (lambda e: with_data(e, "billing", dead_letters=()), "I6 lost"),
    "a poison is there twice": (lambda e: with_doubled(e, "billing", "dead_letters"), "I6 doubled"),
    "its copy was not published": (lambda e: replace(e, copies={}), "I6 lost"),
    "a good record was given up": (
        lambda e: with_data(e, "billing", dead_letters=(*e.services["billing"].dead_letters, GIVEN_UP)),
        "I6 wrong",
    ),
    "a customer was billed twice": (lambda e: with_doubled(e, "billing", "ledger"), "I7 doubled"),
    "a customer was not billed": (lambda e: with_data(e, "billing", ledger=()), "I7 lost"),
    "the owner differs from its event": (lambda e: with_state(e, "billing", state="canceled"), "I8 wrong"),
    "the view differs from the event": (lambda e: with_state(e, "inventory", views=Views()), "I8 wrong"),
}


def with_sequence(event: Event[Any], sequence: int) -> Event[Any]:
    return structs.replace(event, id="again", sequence=sequence)


def swapped(records: tuple[PublishedEvent, ...]) -> Iterator[PublishedEvent]:
    """Exchange the two places on the term's topic."""
    other = {0: 1, 1: 0}
    for record in records:
        topic, partition, offset = record.place
        place = (topic, partition, other[offset]) if topic == "term.changed" else record.place
        yield replace(record, place=place)


def test_sound_evidence_has_no_violation(ledger: Ledger) -> None:
    """Sound evidence has no violation. A second copy of a dead letter is a resend and is allowed."""
    assert [str(violation) for violation in violations(ledger, sound())] == []


@pytest.mark.parametrize("name", BROKEN)
def test_each_broken_promise_is_reported_by_its_invariant(ledger: Ledger, name: str) -> None:
    """Anything lost, doubled, out of order or wrong is reported by the invariant that forbids it."""
    break_, expected = BROKEN[name]
    assert expected in {
        f"{violation.invariant} {violation.harm}" for violation in violations(ledger, break_(sound()))
    }


def test_a_repeat_on_a_topic_is_no_violation(ledger: Ledger) -> None:
    """Delivery is at least once: the same event may come again later, because consumers absorb repeats."""
    repeat = replace(RECORDS[1], place=("term.changed", 0, 9))
    assert violations(ledger, with_records(sound(), repeat)) == []


def test_a_carrier_command_that_was_not_published_is_reported(ledger: Ledger) -> None:
    """Every command that a carrier executes was committed and published before."""
    ledger.write("carrier", did_id=str(DID), number=NUMBER, key=str(ENTRY), action="activate")
    assert [violation.invariant for violation in violations(ledger, sound())] == ["I2"]


def test_the_report_has_all_counts_and_violations(ledger: Ledger) -> None:
    """The report has the acknowledged requests, the faults, the repeats, and every violation."""
    fault = Fault(kind="kill -9", what="billing", began=1.0, lifted=2.0)
    evidence = BROKEN["a customer was billed twice"][0](sound())
    page = str(report_of(seed=7, ledger=ledger, evidence=evidence, faults=[fault], duplicates=3))
    for part in (
        "seed",
        "3: poison 1, purchase 1, set_cycles 1",
        "kill -9                           1",
        "lost 0, doubled 1",
        "I7 doubled",
    ):
        assert part in page


def test_the_summary_combines_many_runs(tmp_path: Path) -> None:
    """A row passed in a run if all its tests passed. Times are over all runs. A failed test is listed with its seed."""
    file = tmp_path / "results.jsonl"
    for run, passed in (("1", True), ("2", False)):
        kill = (Timed("kill -9", 3.0), Timed("freeze", None))
        one = FaultResult(name="a", seed=int(run), run=run, rows=("F01", "F02"), faults=kill, duplicates=2)
        one.write(file)
        replace(one, name="b", rows=("F02",), passed=passed, acknowledged={"renew": 5}).write(file)
    summary = Summary([FaultResult.read(line) for line in file.read_text().splitlines()])
    assert summary.rows() == {"F01": (2, 2), "F02": (1, 2)}
    assert not summary.passed
    page = str(summary)
    for part in (
        "10: renew 10",
        "absorbed     8",
        "p50 3.0 s",
        "8  p50",
        "(of 4)",
        "1 of 2",
        "FAILED  b  DIDFLOW_SEED=2",
    ):
        assert part in page
