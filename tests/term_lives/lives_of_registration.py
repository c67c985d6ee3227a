"""Lives of DIDs whose registration is reviewed by a person: canceled in each state of it, and never completed.

Source: spec lifecycle, Registration never completed.
"""

from datetime import timedelta
from typing import Final

from didflow_contracts.instants import months_after
from term_lives.installation import Installation
from term_lives.one_did import AGING_TIME, HOUR, OneDid, refunds, reminded, renewal

DAY: Final = timedelta(days=1)
DUBLIN: Final = "+3531960{:04}"
"""Numbers whose registration a person reviews."""


async def canceled_while_awaiting_registration_it_is_removed_at_once_and_refunded(on: Installation) -> None:
    """Every charge is taken back, entry by entry. The carrier was never told anything."""
    one = await OneDid.bought(on, DUBLIN.format(5201))
    view = await one.shows(
        "awaiting_registration", next_step__action="assign_end_user_details", next_step__by=one.month(1)
    )
    assert {"cancel", "remove"} < {*view["actions"]}
    await one.done("cancel")
    await one.gone("canceled_awaiting_registration", refunded=True)
    charges, back = one.first_charges(), (await one.ledger())[2:]
    assert await one.ledger() == [*charges, *refunds(charges, back[0].posted_at)]
    assert await one.commands() == []


async def canceled_while_rejected_it_is_removed_at_once_and_refunded(on: Installation) -> None:
    """A rejection before the first approval is as good as no details."""
    one = await OneDid.bought(on, DUBLIN.format(5202))
    await one.registered("Bakery")
    await one.shows("awaiting_registration", registration__state="pending", next_step__by=None)
    await one.decided("reject", reasons=[{"code": "mismatch", "field": "identity.company_name"}])
    await one.shows("awaiting_registration", registration__state="rejected", next_step__by=one.month(1))
    await one.done("cancel")
    await one.gone("canceled_awaiting_registration", refunded=True)
    charges, back = one.first_charges(), (await one.ledger())[2:]
    assert await one.ledger() == [*charges, *refunds(charges, back[0].posted_at)]


async def canceled_while_pending_it_is_canceled_without_a_refund(on: Installation) -> None:
    """It stays restorable, ages, and is gone after 34 days."""
    one = await OneDid.bought(on, DUBLIN.format(5203))
    await one.registered("Florist")
    view = await one.shows("awaiting_registration", registration__state="pending")
    assert {"cancel", "remove"} < {*view["actions"]}
    await one.done("cancel")
    expiry = one.month(1)
    await one.shows("terminated", term__state="canceled", next_step__action="restore", next_step__by=expiry)
    await one.reach(expiry)
    await one.shows("terminated", next_step__by=expiry + AGING_TIME)
    await one.reach(expiry + AGING_TIME)
    await one.gone("aged_out", refunded=False)
    assert await one.ledger() == one.first_charges()


async def canceled_and_removed_while_pending_it_is_gone_without_a_refund(on: Installation) -> None:
    """With `remove` nothing is restorable."""
    one = await OneDid.bought(on, DUBLIN.format(5204))
    await one.registered("Grocer")
    await one.shows("awaiting_registration", registration__state="pending")
    await one.done("cancel", remove=True)
    await one.gone("canceled_awaiting_registration", refunded=False)
    assert await one.ledger() == one.first_charges()


async def canceled_while_approved_it_is_canceled_without_a_refund(on: Installation) -> None:
    """It is restored free of charge, as any other."""
    one = await OneDid.bought(on, DUBLIN.format(5205))
    await approved(one, "Brewery")
    await one.configured()
    await one.done("cancel")
    await one.shows("terminated", registration__state="approved", next_step__by=one.month(1))
    await one.done("restore")
    await one.shows("active", next_step__by=None)
    assert await one.ledger() == one.first_charges()


async def an_11_month_old_number_with_rejected_new_details_is_canceled_without_a_refund(
    on: Installation,
) -> None:
    """Neither new details that are rejected beside an approval nor a rejection after a revocation bring money back."""
    one = await OneDid.bought(on, DUBLIN.format(5206), billing_period=12)
    await approved(one, "Dairy")
    await one.configured()
    await one.reach(one.month(11))
    expiry = one.month(12)
    await one.shows("active", term__expires_at=expiry, time_left_days=(expiry - one.month(11)).days)
    await rejected(one, "New dairy")
    await one.shows("active", registration__state="approved")
    await one.done("cancel")
    await one.shows("terminated", term__state="canceled", term__expires_at=expiry)
    await one.done("restore")
    await one.shows("active")
    await one.revoked()
    await one.shows("awaiting_registration", registration__state="expired", next_step__by=None)
    await rejected(one, "Newest dairy")
    view = await one.shows("awaiting_registration", registration__state="rejected")
    assert "cancel" in view["actions"]
    assert "remove" not in view["actions"]
    await one.done("cancel")
    await one.shows("terminated", term__state="canceled", next_step__by=expiry)
    assert await one.ledger() == one.first_charges(12)


async def a_registration_that_never_began_ends_with_the_first_period_and_a_refund(on: Installation) -> None:
    """My Numbers says so from the beginning, although the term would renew without end."""
    one = await OneDid.bought(on, DUBLIN.format(5207))
    end = one.month(1)
    await one.shows("awaiting_registration", term__cycles_left=None, next_step__by=end)
    await one.reach(end - HOUR)
    await one.shows("awaiting_registration", time_left_days=1, next_step__by=end)
    await one.reach(end)
    await one.gone("registration_not_completed", refunded=True)
    assert (await one.reminders())[-2:] == reminded("registration_not_completed", end, 7, 1)
    charges = one.first_charges()
    assert await one.ledger() == [*charges, *refunds(charges, end)]


async def a_registration_under_review_extends_the_first_period_by_free_days(on: Installation) -> None:
    """Once approved, the next period is charged from the end of the last free day."""
    one = await OneDid.bought(on, DUBLIN.format(5208), billing_cycles=3)
    await one.registered("Tannery")
    await one.shows("awaiting_registration", registration__state="pending", next_step__by=None)
    await one.reach(one.month(1))
    free = one.month(1) + DAY
    term = {"term__expires_at": free, "term__cycles_left": 3}
    await one.shows("awaiting_registration", time_left_days=1, next_step__by=None, **term)
    assert await one.ledger() == one.first_charges()
    await one.decided("approve")
    await one.shows("not_configured", registration__state="approved", **term)
    await one.reach(free)
    end = months_after(free, 1)
    await one.shows("not_configured", term__expires_at=end, term__cycles_left=2)
    assert await one.ledger() == [*one.first_charges(), renewal(free, end, 1)]


async def approved(one: OneDid, details: str) -> None:
    """Have the details of a new end user approved."""
    await one.registered(details)
    await one.shows("awaiting_registration", registration__state="pending")
    await one.decided("approve")
    await one.shows("not_configured", registration__state="approved")


async def rejected(one: OneDid, details: str) -> None:
    """Have the details of a new end user rejected."""
    await one.registered(details)
    await one.decided("reject", reasons=[{"code": "mismatch", "field": "identity.company_name"}])


LIVES: Final = (
    canceled_while_awaiting_registration_it_is_removed_at_once_and_refunded,
    canceled_while_rejected_it_is_removed_at_once_and_refunded,
    canceled_while_pending_it_is_canceled_without_a_refund,
    canceled_and_removed_while_pending_it_is_gone_without_a_refund,
    canceled_while_approved_it_is_canceled_without_a_refund,
    an_11_month_old_number_with_rejected_new_details_is_canceled_without_a_refund,
    a_registration_that_never_began_ends_with_the_first_period_and_a_refund,
    a_registration_under_review_extends_the_first_period_by_free_days,
)
