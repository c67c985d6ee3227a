"""A quote shows what a command would charge or refund."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from didflow_billing.domain.quote import quote, settle
from didflow_billing.domain.term_changes import NOT_FOUND
from didflow_chassis.decision import Decided, Refused

DAY = timedelta(days=1)


def test_the_quote_of_a_renewal_shows_the_charge_and_changes_nothing(running: Any, make: Any) -> None:
    """The charge is the price of twelve months."""
    before = running.term
    result: Any = quote(running.term, make.renew(12), make.zero)
    assert (str(result.charge.amount), result.charge.currency, result.refund) == ("60.00", "EUR", None)
    assert running.term == before


def test_the_quote_of_a_cancellation_shows_the_refund(awaiting: Any, make: Any) -> None:
    """The refund is everything that was charged, as a positive amount."""
    result: Any = quote(awaiting.term, make.cancel(), make.zero)
    assert (result.charge, str(result.refund.amount)) == (None, "8.00")


def test_a_quote_settles_first_and_leaves_that_out_of_the_amount(running: Any, make: Any) -> None:
    """Renewals that are already due are not part of the quote."""
    result: Any = quote(running.term, make.renew(1), make.zero + 100 * DAY)
    assert str(result.charge.amount) == "5.00"
    assert settle(running.term, make.zero + 100 * DAY).period == 4


def test_the_quote_of_a_refused_command_shows_the_code(running: Any, make: Any) -> None:
    """It has the code of the command and no amounts."""
    result: Any = quote(running.term, make.restore(), make.zero)
    assert isinstance(result.decision, Refused)
    assert (result.decision.code, result.charge, result.refund) == ("not_canceled", None, None)
    assert quote(None, make.renew(), make.zero).decision == NOT_FOUND


@settings(deadline=None)
@given(days=st.integers(0, 120), left=st.sampled_from([None, 0, 1]), months=st.sampled_from([1, 3, 6, 12]))
def test_a_quote_equals_the_charge(
    new_billing: Any, make: Any, days: int, left: int | None, months: int
) -> None:
    """On any day, the entries of a renewal add up to its quote."""
    billing = new_billing()
    for message in (
        make.purchased(billing_cycles=left),
        make.did_changed(),
        make.registration("not_required"),
    ):
        billing.process(message)
    at = make.zero + days * DAY
    result: Any = quote(billing.term, make.renew(months), at)
    outcome = billing.process(make.renew(months), at)
    assert type(result.decision) is type(outcome)
    if isinstance(outcome, Decided):
        assert result.charge is not None
        assert sum(entry.amount for entry in outcome.also) == result.charge.amount
