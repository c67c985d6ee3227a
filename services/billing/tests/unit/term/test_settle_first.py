"""What is due before a message is settled first, each at its own instant. Source: spec lifecycle, Term."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
NOW = timedelta(0)
LONG = 400 * DAY


def messages(make: Any, at: Any) -> dict[str, Any]:
    """Return one of each message about a known DID, with the time `at`."""
    return {
        "did.changed": make.did_changed(at, 2),
        "verification.approved": make.registration("approved", at, 2),
        "did.withdrawn": make.withdrawn(at),
        "did.porting_started": make.porting_started(at),
        "set_cycles": make.set_cycles(5),
        "renew": make.renew(3),
        "cancel": make.cancel(),
        "restore": make.restore(),
    }


@pytest.mark.parametrize(
    "name",
    [
        "did.changed",
        "verification.approved",
        "did.withdrawn",
        "did.porting_started",
        "set_cycles",
        "renew",
        "cancel",
        "restore",
    ],
)
def test_a_message_finds_what_was_due_up_to_its_own_instant_settled(
    start: Any, make: Any, moment: timedelta, name: str
) -> None:
    """A period that ends at the instant of the message ends first."""
    billing = start()
    end = billing.term.expires_at
    billing.process(messages(make, end + moment)[name], end + moment)
    assert billing.outcomes() == ([] if moment < NOW else ["renewed"])


@pytest.mark.parametrize("periods", [0, 1, 3])
def test_an_event_that_arrives_late_settles_only_up_to_its_own_time(
    start: Any, make: Any, periods: int
) -> None:
    """The end of the next period is a second later, and the event arrives a year later."""
    billing = start()
    ahead = start()
    ahead.run_timers(make.zero + periods * 31 * DAY)
    at = ahead.term.expires_at - SECOND
    billing.process(make.withdrawn(at), make.zero + LONG)
    assert (billing.outcomes(), billing.term.state) == (["renewed"] * periods, "closed")


def test_an_event_ahead_of_the_clock_settles_nothing_that_is_not_due_yet(start: Any, make: Any) -> None:
    """Its time is a day ahead, and the period ends in between."""
    billing = start()
    end = billing.term.expires_at
    billing.process(make.did_changed(end + DAY - SECOND, 2), end - SECOND)
    assert billing.outcomes() == []


def test_nothing_is_settled_before_verification_has_answered(start: Any, make: Any) -> None:
    """Neither by the timers nor by a message, for 400 days. Only a cancellation is refused."""
    billing = start(None)
    late = make.zero + LONG
    billing.run_timers(late)
    billing.process(make.did_changed(late, 2), late)
    billing.process(make.set_cycles(3), late)
    assert billing.process(make.cancel(), late).code == "not_ready"
    assert billing.process(make.cancel(remove=True), late).code == "not_ready"
    assert (billing.term.period, billing.term.cycles_left, billing.outcomes()) == (1, 3, [])
    assert billing.refusals() == ["not_ready"] * 2


@pytest.mark.parametrize(
    ("first", "outcomes", "state", "bill"),
    [
        ("not_required", ["renewed"] * 13, "active", "73.00"),
        ("approved", ["renewed"] * 13, "active", "73.00"),
        ("expired", ["renewed"] * 13, "active", "73.00"),
        ("awaiting", ["removed"], "closed", "0.00"),
        ("rejected", ["removed"], "closed", "0.00"),
        ("pending", [*["extended"] * 30, "removed"], "closed", "0.00"),
    ],
)
def test_the_first_answer_of_verification_counts_from_the_purchase_on(
    *, start: Any, make: Any, first: str, outcomes: list[str], state: str, bill: str
) -> None:
    """It arrives after 400 days, and what was due since the purchase is settled, each at its own instant."""
    billing = start(None)
    end, late = billing.term.expires_at, make.zero + LONG
    billing.process(make.registration(first, late), late)
    billing.run_timers(late)
    assert (billing.outcomes(), billing.term.state, billing.bill()) == (outcomes, state, bill)
    instants = [event.time for event in billing.published("cycle.expired")]
    assert (instants[0], instants == sorted(instants)) == (end, True)


@pytest.mark.parametrize(("cycles", "state"), [(None, "active"), (1, "closed")])
def test_a_purchase_of_400_days_ago_is_settled_in_order(
    start: Any, make: Any, cycles: int | None, state: str
) -> None:
    """Every period since then is charged for its own instant, and the number can be gone already."""
    bought = make.zero - LONG
    billing = start(purchased_at=bought.isoformat(), billing_cycles=cycles)
    billing.run_timers(make.zero)
    assert (billing.term.state, billing.ledger[0].posted_at) == (state, bought)
    charges = billing.ledger[1:]
    assert all(one.posted_at < after.posted_at for one, after in pairwise(charges))
    assert all(one.period_end == after.period_start for one, after in pairwise(charges))
    assert [entry.position for entry in billing.ledger] == list(range(1, len(billing.ledger) + 1))
    assert len(charges) == (2 if cycles else 14)
    assert len(billing.published("did.removed")) == (1 if cycles else 0)


def test_an_answer_of_verification_that_is_older_than_the_purchase_counts(start: Any, make: Any) -> None:
    """The purchase is dated after it. Nothing is due before the first period has ended."""
    tomorrow = make.zero + DAY
    billing = start("awaiting", purchased_at=tomorrow.isoformat())
    assert (billing.term.registration, billing.term.period_start) == ("awaiting", tomorrow)
    billing.run_timers(billing.term.expires_at - SECOND)
    assert billing.outcomes() == []
    billing.run_timers(billing.term.expires_at)
    assert billing.outcomes() == ["removed"]


@pytest.mark.parametrize("cycles", [None, 0, 1, 13])
@pytest.mark.parametrize("registration", ["not_required", "pending", "awaiting"])
def test_a_clock_that_was_down_for_400_days_gives_the_same_events_and_entries(
    start: Any, make: Any, registration: str, cycles: int | None
) -> None:
    """They have the same order, instants and content as those of a clock that runs every day."""
    punctual, down = (start(registration, billing_cycles=cycles) for _ in range(2))
    for day in range(401):
        punctual.run_timers(make.zero + day * DAY)
    down.run_timers(make.zero + LONG)
    assert [(event.time, event.data) for event in down.published()] == [
        (event.time, event.data) for event in punctual.published()
    ]
    assert (down.ledger, down.term) == (punctual.ledger, punctual.term)


@pytest.mark.parametrize(
    "answers",
    [
        ["not_required"],
        ["awaiting", "pending", "approved", "expired", "rejected"],
        ["awaiting", "pending", "rejected"],
        ["pending", "pending", "pending", "approved", "awaiting"],
        ["awaiting", "pending", "withdrawn"],
        ["approved", "withdrawn"],
        ["not_required", "approved", "approved", "purchase_refused"],
    ],
)
def test_events_that_all_arrive_after_400_days_give_the_same_term_and_entries(
    new_billing: Any, make: Any, answers: list[str]
) -> None:
    """Billing read nothing for so long. Each event finds what was due at its own time, 14 days after the one before."""
    events = [make.purchased(billing_cycles=2)]
    if "purchase_refused" not in answers:
        events.append(make.did_changed())
    for n, answer in enumerate(answers, start=1):
        at = make.zero + (n - 1) * 14 * DAY + SECOND
        is_end = answer in {"withdrawn", "purchase_refused"}
        events.append(getattr(make, answer)(at, n) if is_end else make.registration(answer, at, n))
    punctual, late = new_billing(), new_billing()
    for event in events:
        punctual.run_timers(event.time)
        punctual.process(event)
        late.process(event, make.zero + LONG)
    for billing in (punctual, late):
        billing.run_timers(make.zero + LONG)
    assert (late.ledger, late.term) == (punctual.ledger, punctual.term)
    assert late.published_data() == punctual.published_data()
    ends = [[event.time for event in billing.published("cycle.expired")] for billing in (punctual, late)]
    assert ends[0] == ends[1]
