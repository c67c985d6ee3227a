"""The lives of DIDs on one stack, each from its purchase on. All are purchased at the same instant.

A life waits for an instant by `reach`. The clock moves when all lives wait.
Source: spec lifecycle, Term and Registration never completed.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from didflow_contracts.instants import months_after
from term_lives.installation import Installation
from term_lives.one_did import AGING_TIME, HOUR, OneDid, refunds, reminded, renewal

Life = Callable[[Installation], Awaitable[None]]
DAY: Final = timedelta(days=1)
LONDON, DUBLIN = "+44207946{:04}", "+3531960{:04}"
"""Numbers that need no registration, and numbers whose registration a person reviews."""


async def cycles_1_renews_once_and_then_ends_step_by_step(on: Installation) -> None:
    """Active, Delayed Service Removal and Expiring Soon, Terminated, gone 34 days later, and free again."""
    number = LONDON.format(101)
    one = OneDid(on=on, number=number, did=await on.order(number, billing_cycles=1))
    first, second = one.month(1), one.month(2)
    removal = second + AGING_TIME
    await one.shows("not_configured", term__cycles_left=1, term__expires_at=first)
    view = await one.configured()
    assert (view["time_left_days"], view["next_step"]["by"]) == ((first - one.start).days, None)
    assert {"set_cycles", "renew", "cancel"} < {*view["actions"]}
    assert await one.filters() == {"all", "active"}
    assert await one.ledger() == one.first_charges()

    await one.reach(first - HOUR)
    await one.shows("active", time_left_days=1, term__cycles_left=1, term__expires_at=first)
    await one.reach(first)
    view = await one.shows(
        "delayed_service_removal",
        status_label="Delayed Service Removal",
        circle="yellow",
        time_left_days=(second - first).days,
        term__state="delayed_removal",
        term__cycles_left=0,
        term__expires_at=second,
        next_step__action="set_billing_cycles",
        next_step__by=second,
    )
    assert {"set_cycles", "renew", "cancel"} < {*view["actions"]}
    assert await one.filters() == {"all", "active", "expiring_soon"}
    entries = [*one.first_charges(), renewal(first, second, 1)]
    assert await one.ledger() == entries

    await one.reach(second - HOUR)
    await one.shows("delayed_service_removal", time_left_days=1, next_step__by=second)
    await one.reach(second)
    view = await one.shows(
        "terminated",
        status_label="Terminated",
        circle="red",
        time_left_days=0,
        term__state="aging",
        term__expires_at=second,
        term__aging_until=removal,
        next_step__action="renew",
        next_step__by=removal,
        routing__carrier_state="suspended",
    )
    assert "renew" in view["actions"]
    assert not {"restore", "cancel", "set_cycles"} & {*view["actions"]}
    assert await one.filters() == {"all", "terminated"}
    await one.reach(removal - HOUR)
    await one.shows("terminated", time_left_days=0, next_step__by=removal)
    await one.reach(removal)
    entry = await one.gone("aged_out", refunded=False)
    assert entry["at"] == removal.isoformat().replace("+00:00", "Z")
    assert await one.ledger() == entries
    assert await one.reminders() == [
        *reminded("cycles_used_up", second, 30, 7, 1),
        *reminded("aging", removal, 7, 1),
    ]
    assert (await one.commands())[-2:] == [("suspend", None), ("release", False)]
    now = (await on.clock.now()).isoformat()
    again = await on.buy(number, order_id="the next life", purchased_at=now)
    await on.listed(again, {"number": number, "term.state": "active"})


async def a_canceled_number_from_stock_is_in_stock_again_after_34_days(on: Installation) -> None:
    """Its carrier keeps it for us, and nothing is refunded."""
    number = LONDON.format(102)
    body = {"numbers": [number], "number_type": "local", "features": ["voice_in"]}
    await on.ask("POST", "/v1/stock", body)
    one = await OneDid.bought(on, number)
    expiry = one.month(1)
    await one.configured()
    await one.done("cancel")
    await one.shows("terminated", next_step__by=expiry, time_left_days=(expiry - one.start).days)
    await one.reach(expiry)
    removal = expiry + AGING_TIME
    await one.shows("terminated", term__aging_until=removal, next_step__by=removal, time_left_days=0)
    await one.reach(removal)
    await one.gone("aged_out", refunded=False)
    assert await one.reminders() == reminded("canceled", removal, 7, 1)
    assert (await one.commands())[-1] == ("release", True)
    (item,) = (await on.ask("GET", "/v1/stock", number_contains=number))["items"]
    assert item["stock"] == "in_stock"
    assert await one.ledger() == one.first_charges()


async def a_canceled_term_with_time_left_is_restored_as_it_was_free_of_charge(on: Installation) -> None:
    """The same expiry, the same cycles, no entry. Until then it can neither be renewed nor get cycles."""
    one = await OneDid.bought(on, LONDON.format(103), billing_cycles=5)
    expiry, left = one.month(1), (one.month(1) - one.start).days
    await one.configured()
    assert await one.refused("restore") == "not_canceled"
    await one.done("cancel")
    view = await one.shows(
        "terminated",
        circle="red",
        time_left_days=left,
        term__state="canceled",
        term__cycles_left=5,
        term__expires_at=expiry,
        term__aging_until=None,
        next_step__action="restore",
        next_step__by=expiry,
        routing__carrier_state="suspended",
    )
    assert "restore" in view["actions"]
    assert not {"renew", "cancel", "set_cycles", "remove"} & {*view["actions"]}
    assert await one.filters() == {"all", "terminated"}
    assert await one.refused("renew", billing_period=1) == "restore_first"
    assert await one.refused("set-cycles", billing_cycles=1) == "term_ended"
    await one.done("restore", billing_period=12)
    term = {"term__state": "active", "term__cycles_left": 5, "term__billing_period": 1}
    await one.shows("active", time_left_days=left, term__expires_at=expiry, next_step__by=None, **term)
    assert await one.ledger() == one.first_charges()
    await one.reach(expiry)
    await one.shows("active", term__cycles_left=4, term__expires_at=one.month(2))
    assert await one.ledger() == [*one.first_charges(), renewal(expiry, one.month(2), 1)]


async def a_canceled_term_that_expired_is_restored_with_a_renewal_alone(on: Installation) -> None:
    """Without a period it is refused. With one it is charged and runs from now on, with the cycles that it had."""
    one = await OneDid.bought(on, LONDON.format(104))
    expiry = one.month(1)
    await one.configured()
    await one.done("cancel")
    await one.shows("terminated", time_left_days=(expiry - one.start).days)
    await one.reach(expiry)
    removal = expiry + AGING_TIME
    await one.shows(
        "terminated", term__state="canceled", term__aging_until=removal, next_step__action="restore"
    )
    assert await one.refused("restore") == "renewal_needed"
    assert await one.refused("renew", billing_period=3) == "restore_first"
    assert await one.ledger() == one.first_charges()
    await one.done("restore", billing_period=3)
    charged = (await one.ledger())[2:]
    restored = charged[0].posted_at
    end = months_after(restored, 3)
    assert charged == [renewal(restored, end, 3)]
    await one.shows(
        "active",
        time_left_days=(end - restored).days,
        term__state="active",
        term__cycles_left=None,
        term__billing_period=3,
        term__expires_at=end,
        term__aging_until=None,
    )


async def an_aging_term_is_renewed_from_now(on: Installation) -> None:
    """It comes back in Delayed Service Removal until cycles are set. The days of aging are not paid for."""
    one = await OneDid.bought(on, LONDON.format(105), billing_cycles=0)
    expiry = one.month(1)
    await one.shows("delayed_service_removal", next_step__by=expiry, time_left_days=(expiry - one.start).days)
    assert "expiring_soon" in await one.filters()
    await one.reach(expiry)
    await one.shows("terminated", term__state="aging", next_step__by=expiry + AGING_TIME)
    assert await one.refused("restore") == "not_canceled"
    assert await one.refused("set-cycles", billing_cycles=None) == "term_ended"
    await one.reach(expiry + 10 * DAY)
    await one.shows("terminated", time_left_days=0)
    await one.done("renew", billing_period=1)
    charged = (await one.ledger())[2:]
    renewed = charged[0].posted_at
    assert timedelta() <= renewed - (expiry + 10 * DAY) < HOUR
    end = months_after(renewed, 1)
    assert charged == [renewal(renewed, end, 1)]
    term = {"term__expires_at": end, "term__aging_until": None}
    await one.shows("delayed_service_removal", term__cycles_left=0, next_step__by=end, **term)
    await one.done("set-cycles", billing_cycles=None)
    await one.shows(
        "not_configured", term__state="active", term__cycles_left=None, next_step__by=None, **term
    )
    assert "expiring_soon" not in await one.filters()


async def a_term_that_is_renewed_early_goes_on_from_its_old_expiry(on: Installation) -> None:
    """The chosen period is that of the term from then on."""
    one = await OneDid.bought(on, LONDON.format(106))
    await one.configured()
    old, new, later = one.month(1), one.month(7), one.month(13)
    await one.done("renew", billing_period=6)
    await one.shows(
        "active", term__expires_at=new, term__billing_period=6, time_left_days=(new - one.start).days
    )
    *first, early = await one.ledger()
    assert first == one.first_charges()
    assert early == renewal(old, new, 6, early.posted_at)
    assert early.posted_at - one.start < 2 * HOUR
    await one.reach(old)
    await one.shows("active", term__expires_at=new)
    await one.reach(new)
    await one.shows("active", term__expires_at=later, term__billing_period=6)
    assert await one.ledger() == [*first, early, renewal(new, later, 6)]
    assert await one.reminders() == []


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


LIVES: Final[Mapping[str, Life]] = MappingProxyType(
    {
        life.__name__: life
        for life in (
            cycles_1_renews_once_and_then_ends_step_by_step,
            a_canceled_number_from_stock_is_in_stock_again_after_34_days,
            a_canceled_term_with_time_left_is_restored_as_it_was_free_of_charge,
            a_canceled_term_that_expired_is_restored_with_a_renewal_alone,
            an_aging_term_is_renewed_from_now,
            a_term_that_is_renewed_early_goes_on_from_its_old_expiry,
            canceled_while_awaiting_registration_it_is_removed_at_once_and_refunded,
            canceled_while_rejected_it_is_removed_at_once_and_refunded,
            canceled_while_pending_it_is_canceled_without_a_refund,
            canceled_and_removed_while_pending_it_is_gone_without_a_refund,
            canceled_while_approved_it_is_canceled_without_a_refund,
            an_11_month_old_number_with_rejected_new_details_is_canceled_without_a_refund,
            a_registration_that_never_began_ends_with_the_first_period_and_a_refund,
            a_registration_under_review_extends_the_first_period_by_free_days,
        )
    }
)
"""Name -> life."""
