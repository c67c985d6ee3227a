"""What a wish would cost is what it then costs."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from didflow_billing.domain.quote import quote, settled
from didflow_chassis.decision import Decided, Refused

DAY = timedelta(days=1)


def test_a_quoted_renewal_says_its_charge_and_changes_nothing(running: Any, say: Any) -> None:
    """Twelve months of the price; the term is a value and stays what it was."""
    before = running.term
    quoted: Any = quote(running.term, say.renew(12), say.zero)
    assert (str(quoted.charge.amount), quoted.charge.currency, quoted.refund) == ("60.00", "EUR", None)
    assert running.term == before


def test_a_quoted_cancellation_says_its_refund(awaiting: Any, say: Any) -> None:
    """All that was charged, as a positive amount."""
    quoted: Any = quote(awaiting.term, say.cancel(), say.zero)
    assert (quoted.charge, str(quoted.refund.amount)) == (None, "8.00")


def test_a_quote_settles_first_and_does_not_charge_for_that(running: Any, say: Any) -> None:
    """The clock is late by some renewals: they are not part of what the wish costs."""
    quoted: Any = quote(running.term, say.renew(1), say.zero + 100 * DAY)
    assert str(quoted.charge.amount) == "5.00"
    assert settled(running.term, say.zero + 100 * DAY).period == 4


def test_a_quote_for_what_would_be_refused_says_the_code(running: Any, say: Any) -> None:
    """The same code as the wish itself, and no money."""
    quoted: Any = quote(running.term, say.restore(), say.zero)
    assert isinstance(quoted.outcome, Refused)
    assert (quoted.outcome.code, quoted.charge, quoted.refund) == ("not_canceled", None, None)
    assert quote(None, say.renew(), say.zero).outcome == Refused("not_found", "there is no such number")


@settings(deadline=None)
@given(days=st.integers(0, 120), left=st.sampled_from([None, 0, 1]), months=st.sampled_from([1, 3, 6, 12]))
def test_the_quote_is_the_charge(
    new_billing: Any, say: Any, days: int, left: int | None, months: int
) -> None:
    """On any day and whatever was due before, the entries that the wish posts add up to its quote."""
    billing = new_billing()
    for message in (say.purchased(billing_cycles=left), say.holding(), say.registration("not_required")):
        billing.process(message)
    at = say.zero + days * DAY
    quoted: Any = quote(billing.term, say.renew(months), at)
    outcome = billing.process(say.renew(months), at)
    assert type(quoted.outcome) is type(outcome)
    if isinstance(outcome, Decided):
        assert quoted.charge is not None
        assert sum(entry.amount for entry in outcome.also) == quoted.charge.amount
