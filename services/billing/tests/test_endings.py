"""Refusals and withdrawals: what is taken back, what is said, and that an end is an end."""

from datetime import timedelta
from typing import Any

import pytest

from didflow_chassis.decision import TooEarly, Unchanged


def test_a_refused_purchase_is_taken_back_entry_by_entry(billing: Any, say: Any) -> None:
    """Each charge is reversed by an entry of its own, and nothing is left to pay."""
    billing.process(say.purchased())
    billing.process(say.refused())
    assert [str(e.amount) for e in billing.ledger] == ["3.00", "5.00", "-3.00", "-5.00"]
    assert [e.reverses for e in billing.ledger[2:]] == [e.entry_id for e in billing.ledger[:2]]
    assert [e.line for e in billing.ledger] == [1, 2, 3, 4]
    assert billing.topics()[3:] == ["ledger.posted", "ledger.posted", "term.changed"]
    assert (billing.term.state, billing.term.charges) == ("closed", ())


def test_a_refusal_after_renewals_takes_these_back_too(billing: Any, say: Any) -> None:
    """Inventory was away for a while: the periods posted meanwhile are refunded with the first."""
    billing.process(say.purchased())
    billing.process(say.registration("not_required"))
    later = say.zero + timedelta(days=40)
    billing.process(say.refused(later))
    assert [e.kind for e in billing.ledger] == ["setup", "recurring", "renewal", "refund", "refund", "refund"]
    assert billing.bill() == "0.00"


def test_a_refusal_before_its_purchase_waits_for_it(billing: Any, say: Any) -> None:
    """The refusal is parked, and refunds when the purchase has come."""
    assert isinstance(billing.process(say.refused()), TooEarly)
    billing.process(say.purchased())
    assert (billing.term.state, billing.bill(), billing.parked()) == ("closed", "0.00", [])


def test_a_refusal_that_comes_again_refunds_once(billing: Any, say: Any) -> None:
    """The repeat under another id finds a closed term."""
    billing.process(say.purchased())
    billing.process(say.refused())
    assert billing.process(say.refused(sequence=3)) == Unchanged()
    assert len(billing.ledger) == 4


def test_what_was_removed_unrefunded_is_refunded_when_the_purchase_is_refused_after_all(
    billing: Any, say: Any
) -> None:
    """A purchase that never was is never paid, whichever end came first."""
    billing.process(say.purchased())
    billing.process(say.registration("pending"))
    billing.process(say.cancel(remove=True))
    assert billing.bill() == "8.00"
    billing.process(say.refused())
    assert billing.bill() == "0.00"
    assert billing.topics().count("term.changed") == 2


def test_a_did_that_inventory_accepted_cannot_be_refused(running: Any, say: Any) -> None:
    """The refusal contradicts what inventory said before: recorded as refused, nothing is changed."""
    before = running.term
    running.process(say.refused())
    assert (running.refusals(), running.term) == (["purchase_accepted"], before)


@pytest.mark.parametrize("reason", ["hold_ended", "ported_out", "returned", "porting_failed"])
def test_a_withdrawn_did_is_closed_without_refund(running: Any, say: Any, reason: Any) -> None:
    """Inventory's end is said on as the removal, with its reason."""
    running.process(say.withdrawn(reason=reason))
    assert running.topics()[-2:] == ["term.changed", "did.removed"]
    gone = running.published_data()[-1]
    assert (gone.reason, gone.refunded, running.bill()) == (reason, False, "8.00")
    assert (running.term.state, running.term.due_at) == ("closed", None)


def test_a_failed_porting_is_removed_too(billing: Any, say: Any) -> None:
    """A DID without a term ends like any other."""
    billing.process(say.porting_started())
    billing.process(say.withdrawn(reason="porting_failed"))
    assert billing.topics() == ["term.changed", "term.changed", "did.removed"]


def test_a_withdrawal_settles_what_was_due_before_it(running: Any, say: Any) -> None:
    """The renewal of February stands before the end in March."""
    running.process(say.withdrawn(say.zero + timedelta(days=40)))
    assert [e.kind for e in running.ledger] == ["setup", "recurring", "renewal"]


def test_a_withdrawal_before_its_purchase_waits_and_twice_is_once(billing: Any, say: Any) -> None:
    """Too early it is parked; a repeat finds a closed term."""
    assert isinstance(billing.process(say.withdrawn()), TooEarly)
    billing.process(say.purchased())
    assert billing.term.state == "closed"
    assert billing.process(say.withdrawn(sequence=10)) == Unchanged()
