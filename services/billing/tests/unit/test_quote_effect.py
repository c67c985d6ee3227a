"""A quote says what an action does to calls, to the term and to the DID, and all of it comes true."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from didflow_billing.api.quotes import QuoteResponse, QuoteResult
from didflow_billing.domain.quote import quote, repeat
from didflow_billing.domain.term import is_running
from didflow_chassis.decision import Decided

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def quoted(billing: Any, command: Any, at: Any) -> Any:
    """Return the result of a quote as the API answers it."""
    return QuoteResult.of("x", quote(billing.term, command, at))


def test_a_cancellation_stops_calls_now_although_time_is_paid(running: Any, make: Any) -> None:
    """It names the time that is paid, how long it can be restored, and what to do instead."""
    at, end = make.zero + 10 * DAY, running.term.expires_at
    result = quoted(running, make.cancel(), at)
    assert (result.before.state, result.after.state) == ("active", "canceled")
    assert (result.calls, result.calls_stop_at) == ("stop_now", at)
    assert (result.removed, result.charge, result.refund) == (False, None, None)
    assert (result.restore_free_until, result.restore_until) == (end, end + 34 * DAY)
    assert result.removed_at == end + 34 * DAY
    assert result.message.startswith("Calls stop now, although time is paid until 2026-02-28 12:30:00 UTC.")
    instead = result.instead
    assert (instead.action, instead.billing_cycles, instead.outcome) == ("set-cycles", 0, "done")
    assert (instead.calls_stop_at, instead.removed_at) == (end, end + 34 * DAY)
    assert "Calls go on until the paid period ends, at 2026-02-28 12:30:00 UTC" in instead.message


def test_setting_the_cycles_to_0_keeps_calls_until_the_end(running: Any, make: Any) -> None:
    """This is the other way to end a term. It names no alternative."""
    result = quoted(running, make.set_cycles(0), make.zero + 10 * DAY)
    assert (result.after.state, result.after.cycles_left) == ("delayed_removal", 0)
    assert (result.calls, result.calls_stop_at) == ("stop_later", running.term.expires_at)
    assert (result.restore_free_until, result.restore_until, result.instead) == (None, None, None)


def test_a_term_that_already_ends_with_its_period_is_left_as_it_is_instead(running: Any, make: Any) -> None:
    """The alternative to a cancellation is then `unchanged`."""
    running.process(make.set_cycles(0))
    result = quoted(running, make.cancel(), make.zero + DAY)
    assert result.instead.outcome == "unchanged"
    assert result.instead.message.startswith("Or leave the term as it is.")


def test_a_renewal_names_the_period_that_it_pays_for(running: Any, make: Any) -> None:
    """Calls go on without end, because the term renews without limit."""
    result = quoted(running, make.renew(3), make.zero + DAY)
    charge = result.charge.model_dump(mode="json")
    assert charge == {
        "amount": "15.00",
        "currency": "EUR",
        "period_start": "2026-02-28T12:30:00Z",
        "period_end": "2026-05-31T12:30:00Z",
    }
    assert (result.calls, result.calls_stop_at, result.removed_at) == ("go_on", None, None)


def test_a_pending_did_can_be_removed_at_once_and_the_quote_says_for_good(billing: Any, make: Any) -> None:
    """`remove` gives up paid time without refund, so the alternative is named. A refund needs none."""
    billing.receive(make.purchased(), make.did_changed(), make.registration("pending"))
    result = quoted(billing, make.cancel(remove=True), make.zero + DAY)
    assert (result.removed, result.removed_at, result.refund) == (True, make.zero + DAY, None)
    assert result.message == "The number is removed now, and nothing is refunded. This cannot be undone."
    assert result.instead is not None
    billing.receive(make.registration("rejected", make.zero + DAY, 2))
    result = quoted(billing, make.cancel(), make.zero + DAY)
    assert (result.removed, str(result.refund.amount), result.instead) == (True, "8.00", None)


def test_a_refused_action_shows_the_term_as_it_is(running: Any, make: Any) -> None:
    """Also for a canceled term that is canceled again. A DID that is not found has no fields."""
    running.process(make.set_cycles(0))
    at = make.zero + 40 * DAY
    refused = quoted(running, make.set_cycles(5), at)
    assert (refused.outcome, refused.code, refused.before) == ("refused", "term_ended", refused.after)
    assert (refused.after.state, refused.calls, refused.calls_stop_at) == ("aging", "stopped", None)
    assert refused.removed_at == refused.after.aging_until
    gone = quoted(running, make.renew(), make.zero + 100 * DAY)
    assert (gone.code, gone.did_id, gone.before, gone.calls) == ("not_found", None, None, None)


def test_a_did_that_is_named_again_changes_once(running: Any, make: Any) -> None:
    """The second result shows the term after the first."""
    first = quote(running.term, make.cancel(), make.zero)
    again = QuoteResult.of("x", repeat(first, make.zero))
    assert (again.outcome, again.before.state, again.after.state) == ("unchanged", "canceled", "canceled")
    assert (again.calls, again.charge, again.instead) == ("stopped", None, None)
    assert again.message == "Nothing more changes: this request names the DID more than once."


def test_the_answer_counts_the_dids_that_lose_calls_and_those_that_are_removed(
    new_billing: Any, make: Any
) -> None:
    """Of a canceled, an awaiting and a missing DID: two lose calls, and one of them is removed."""
    results = []
    for registration in ("not_required", "awaiting"):
        billing = new_billing()
        billing.receive(make.purchased(), make.did_changed(), make.registration(registration))
        results.append(quoted(billing, make.cancel(), make.zero + DAY))
    results.append(QuoteResult.of("x", quote(None, make.cancel(), make.zero + DAY)))
    answer = QuoteResponse.of(results, make.zero + DAY)
    assert (answer.done, answer.refused, answer.calls_stop_now, answer.removed) == (2, 1, 2, 1)


ACTIONS = {
    "set-cycles 0": lambda make: make.set_cycles(0),
    "set-cycles 2": lambda make: make.set_cycles(2),
    "renew 3": lambda make: make.renew(3),
    "cancel": lambda make: make.cancel(),
    "remove": lambda make: make.cancel(remove=True),
    "restore": lambda make: make.restore(),
    "restore 1": lambda make: make.restore(1),
}


LIVES = st.tuples(
    st.sampled_from(["approved", "not_required", "awaiting", "pending", "rejected"]),
    st.sampled_from([None, 0, 1, 3]),
    st.booleans(),
    st.builds(lambda days, seconds: days * DAY + seconds * SECOND, st.integers(0, 110), st.integers(-1, 1)),
)
"""Registration, billing cycles, whether the DID is canceled on the first day, and when the action comes."""


@pytest.mark.parametrize("action", ACTIONS)
@settings(deadline=None, max_examples=25)
@given(life=LIVES)
def test_what_a_quote_says_comes_true(new_billing: Any, make: Any, action: str, life: Any) -> None:
    """The action makes the quoted term. If nothing else is done, calls stop and the DID is removed as quoted."""
    registration, cycles, canceled, after = life
    billing, command = new_billing(), ACTIONS[action](make)
    at = make.zero + max(after, SECOND)
    billing.receive(
        make.purchased(billing_cycles=cycles), make.did_changed(), make.registration(registration)
    )
    if canceled:
        billing.process(make.cancel(), make.zero)
    made = quote(billing.term, command, at)
    decision = billing.process(command, at)
    assert (type(made.decision), made.entries) == (type(decision), getattr(decision, "also", ()))
    if made.effect is None or made.after is None:
        return
    assert made.after == billing.term
    assert made.effect.removed == (billing.term.state == "closed")
    stopped_at, removed_at = followed(billing, at)
    assert made.effect.removed_at == removed_at
    if made.effect.calls == "stop_now":
        assert isinstance(decision, Decided)
        assert made.effect.calls_stop_at == at
    elif made.effect.calls == "stopped":
        assert stopped_at == at
    else:
        assert made.effect.calls_stop_at == stopped_at


def followed(billing: Any, at: Any) -> tuple[Any, Any]:
    """Let time go on with nothing done. Return when the term stops calls and when the DID is removed, or None."""
    stopped_at = None if is_running(billing.term) else at
    for _ in range(60):
        if billing.term.state == "closed":
            return stopped_at, billing.published("did.removed")[-1].time
        due = billing.term.due_at
        billing.run_timers(due)
        if stopped_at is None and not is_running(billing.term):
            stopped_at = due
    assert stopped_at is None
    return None, None
