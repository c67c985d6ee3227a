"""The invariants themselves: sound evidence passes, and each way to break a promise is seen and named."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from faults.evidence import Evidence, Facts, HistoryRow, Letter, PublishedEvent
from faults.invariants import violations
from faults.ledger import Ledger
from faults.report import reported
from faults.summary import Summary, TestResult, Timed
from harness.fault_journal import Fault
from msgspec import structs

from didflow_billing.domain.term import Term
from didflow_chassis.stage.messages import event_id_hash
from didflow_chassis.states import Stored
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidPurchased, LedgerPosted, TermChanged
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.events import did_changed
from didflow_inventory.domain.views import TermView

DID = UUID("11111111-1111-5111-8111-111111111111")
ENTRY = UUID("22222222-2222-5222-8222-222222222222")
NUMBER = "+12125550123"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ABOUT: dict[str, Any] = {"did_id": DID, "number": NUMBER, "account": "master"}
PRICE = {name: {"amount": "1.00", "currency": "USD"} for name in ("setup", "recurring")}
BAD = ("did.purchased", 3, 14)
PLACE = ("topic", "partition", "offset")

Break = Callable[[Evidence], Evidence]


def term(**changed: Any) -> TermChanged:
    said = {"state": "active", "cycles_left": None, "billing_period": 1, "period_start": NOW}
    return TermChanged(
        **ABOUT, **said | {"expires_at": NOW, "aging_until": None, "reason": "started"} | changed
    )


def said(offset: int, name: str, sequence: int | None, data: Any, event_id: str = "") -> PublishedEvent:
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


def bought() -> DidPurchased:
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
    view = TermView(state="active", cycles_left=5, expires_at=NOW)
    shown: dict[str, Any] = {
        "number_type": "local",
        "purchased_at": NOW,
        "stock": "assigned",
        "payer": "master",
    }
    return Did(**ABOUT, **shown, features=("voice_in",), term=view)


RECORDS = (
    said(0, "orders", None, bought(), "purchase"),
    said(0, "billing", 1, term()),
    said(0, "billing", 2, posted()),
    said(1, "billing", 3, term(cycles_left=5)),
    said(1, "inventory", None, did_changed(did())),
)


def sound() -> Evidence:
    """Everything as promised: one purchase, its term, one change of it, and one poison."""
    ids = frozenset(event_id_hash(*record.id) for record in RECORDS)
    held = Term(**ABOUT, payer="master", state="active", cycles_left=5, period=1, expires_at=NOW)
    letter = (Letter(reason="not_json", origin=BAD),)
    line = {"entry_id": ENTRY, "did_id": DID, "amount": Decimal("2.00")}
    told = tuple(
        HistoryRow(
            did_id=DID, type=r.topic, source=r.event.source, event_id=r.event.id, sequence=r.event.sequence
        )
        for r in RECORDS
    )
    billing = Facts(states={DID: Stored(held, 1, 3)}, inbox=ids, letters=letter, ledger=(line,))
    inventory = Facts(states={DID: Stored(did(), 1, 0)}, inbox=ids, letters=letter, history=told)
    return Evidence(
        records=RECORDS,
        strange=(BAD,),
        copies={"billing": letter, "inventory": letter * 2},
        services={"billing": billing, "inventory": inventory},
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """One purchase, one poison and one change of cycles were acknowledged."""
    opened = Ledger(tmp_path / "ledger")
    about: dict[str, Any] = {"did_id": str(DID), "number": NUMBER}
    said: dict[str, Any] = {"price": PRICE, "billing_period": 1, "registration": "not_required"}
    opened.write("purchase", key="purchase", **said, **about)
    opened.write("poison", key="p", reason="not_json", **about | dict(zip(PLACE, BAD, strict=True)))
    opened.write("set_cycles", key="c", billing_cycles=5, **about)
    yield opened
    opened.close()


def facts(evidence: Evidence, name: str, **changed: Any) -> Evidence:
    """Change one service's facts."""
    return replace(
        evidence, services={**evidence.services, name: replace(evidence.services[name], **changed)}
    )


def stored(evidence: Evidence, name: str, sequence: int | None = None, **changed: Any) -> Evidence:
    """Change one service's stored state."""
    row = evidence.services[name].states[DID]
    count = row.sequence if sequence is None else sequence
    return facts(
        evidence,
        name,
        states={DID: structs.replace(row, state=structs.replace(row.state, **changed), sequence=count)},
    )


def more(evidence: Evidence, *records: PublishedEvent) -> Evidence:
    return replace(evidence, records=(*evidence.records, *records))


def twice(evidence: Evidence, name: str, what: str) -> Evidence:
    return facts(evidence, name, **{what: getattr(evidence.services[name], what) * 2})


GIVEN_UP = Letter(reason="defect", origin=("did.purchased", 1, 1))

BREAKS: dict[str, tuple[Break, str]] = {
    "a state is missing": (lambda e: facts(e, "billing", states={}), "I1 lost"),
    "an event was not taken": (lambda e: facts(e, "inventory", inbox=frozenset()), "I1 lost"),
    "a command has no effect": (lambda e: stored(e, "billing", cycles_left=None), "I1 lost"),
    "a purchase was told to nobody": (
        lambda e: replace(e, records=tuple(r for r in e.records if r.topic != "did.changed")),
        "I1 lost",
    ),
    "an event was never committed": (
        lambda e: more(e, said(2, "billing", 4, term(cycles_left=5))),
        "I2 wrong",
    ),
    "a number was given twice": (
        lambda e: more(e, said(2, "billing", 3, term(cycles_left=5), "other")),
        "I2 doubled",
    ),
    "a message was decided twice": (lambda e: twice(e, "inventory", "history"), "I3 doubled"),
    "a cause had its effect twice": (
        lambda e: stored(
            more(e, replace(RECORDS[3], place=("term.changed", 0, 2), event=again(RECORDS[3].event, 4))),
            "billing",
            4,
        ),
        "I3 doubled",
    ),
    "a topic is out of order": (
        lambda e: replace(e, records=tuple(swapped(e.records))),
        "I4 out of order",
    ),
    "an event was never published": (lambda e: stored(e, "billing", 9), "I4 lost"),
    "a row was never published": (lambda e: facts(e, "billing", outbox=1), "I5 lost"),
    "a retry was forgotten": (lambda e: facts(e, "billing", overdue=1), "I5 lost"),
    "it never became quiet": (lambda e: replace(e, unrest=("billing: 3 to read",)), "I5 lost"),
    "a poison vanished": (lambda e: facts(e, "billing", letters=()), "I6 lost"),
    "a poison is there twice": (lambda e: twice(e, "billing", "letters"), "I6 doubled"),
    "its copy was not published": (lambda e: replace(e, copies={}), "I6 lost"),
    "a good record was given up": (
        lambda e: facts(e, "billing", letters=(*e.services["billing"].letters, GIVEN_UP)),
        "I6 wrong",
    ),
    "a customer was billed twice": (lambda e: twice(e, "billing", "ledger"), "I7 doubled"),
    "a customer was not billed": (lambda e: facts(e, "billing", ledger=()), "I7 lost"),
    "the owner differs from its event": (lambda e: stored(e, "billing", state="canceled"), "I8 wrong"),
    "the view differs from the event": (lambda e: stored(e, "inventory", term=TermView()), "I8 wrong"),
}


def again(event: Event[Any], sequence: int) -> Event[Any]:
    return structs.replace(event, id="again", sequence=sequence)


def swapped(records: tuple[PublishedEvent, ...]) -> Iterator[PublishedEvent]:
    """Exchange the two places on the term's topic."""
    other = {0: 1, 1: 0}
    for record in records:
        topic, partition, offset = record.place
        place = (topic, partition, other[offset]) if topic == "term.changed" else record.place
        yield replace(record, place=place)


def test_sound_evidence_has_no_violation(ledger: Ledger) -> None:
    """What is as promised is not complained about; a second copy of a dead letter is a resend."""
    assert [str(wrong) for wrong in violations(ledger, sound())] == []


@pytest.mark.parametrize("name", BREAKS)
def test_each_broken_promise_is_named(ledger: Ledger, name: str) -> None:
    """Whatever is lost, doubled, out of order or wrong turns the invariant that promises it red."""
    broken, wanted = BREAKS[name]
    assert wanted in {f"{wrong.invariant} {wrong.harm}" for wrong in violations(ledger, broken(sound()))}


def test_a_repeat_on_a_topic_is_no_violation(ledger: Ledger) -> None:
    """At least once: the same event again, however late, is what consumers absorb."""
    repeat = replace(RECORDS[1], place=("term.changed", 0, 9))
    assert violations(ledger, more(sound(), repeat)) == []


def test_an_order_that_only_the_carrier_knows_is_named(ledger: Ledger) -> None:
    """Whatever a carrier was asked to do was committed and published before."""
    ledger.write("carrier", did_id=str(DID), number=NUMBER, key=str(ENTRY), action="activate")
    assert [wrong.invariant for wrong in violations(ledger, sound())] == ["I2"]


def test_the_report_counts_and_names(ledger: Ledger) -> None:
    """A run is summed up on one page: acknowledged, broken, absorbed, and every harm with its words."""
    fault = Fault(kind="kill -9", what="billing", began=1.0, lifted=2.0)
    evidence = BREAKS["a customer was billed twice"][0](sound())
    page = str(reported(seed=7, ledger=ledger, evidence=evidence, faults=[fault], duplicates=3))
    for part in (
        "seed",
        "3: poison 1, purchase 1, set_cycles 1",
        "kill -9                           1",
        "lost 0, doubled 1",
        "I7 doubled",
    ):
        assert part in page


def test_figures_of_many_runs_are_put_together(tmp_path: Path) -> None:
    """A row is green in a run when all of its tests were; times are over all runs; what was red has its seed."""
    file = tmp_path / "outcomes.jsonl"
    for run, passed in (("1", True), ("2", False)):
        kill = (Timed("kill -9", 3.0), Timed("freeze", None))
        one = TestResult(name="a", seed=int(run), run=run, rows=("F01", "F02"), faults=kill, duplicates=2)
        one.write(file)
        replace(one, name="b", rows=("F02",), passed=passed, acknowledged={"renew": 5}).write(file)
    summary = Summary([TestResult.read(line) for line in file.read_text().splitlines()])
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
        "RED  b  DIDFLOW_SEED=2",
    ):
        assert part in page
