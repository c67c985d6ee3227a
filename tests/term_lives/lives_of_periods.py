"""Lives of DIDs that need no registration: periods, cycles, cancellation, restoration, renewal.

Source: spec lifecycle, Term.
"""

from datetime import datetime, timedelta
from typing import Final

from didflow_contracts.instants import months_after
from term_lives.installation import Installation
from term_lives.one_did import AGING_TIME, HOUR, OneDid, reminded, renewal

DAY: Final = timedelta(days=1)
LONDON: Final = "+44207946{:04}"
"""Numbers that need no registration."""


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

    await reaches_its_last_period(one, first, second)
    entries = [*one.first_charges(), renewal(first, second, 1)]
    assert await one.ledger() == entries
    await ages(one, second, removal)
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
    again = await on.buy(number, order_id="purchased again", purchased_at=now)
    await on.listed(again, {"number": number, "term.state": "active"})


async def reaches_its_last_period(one: OneDid, first: datetime, second: datetime) -> None:
    """An hour before the end of its first period, and at that end, when no cycles are left."""
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


async def ages(one: OneDid, second: datetime, removal: datetime) -> None:
    """An hour before the end of its last period, at that end, and an hour before its removal."""
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


LIVES: Final = (
    cycles_1_renews_once_and_then_ends_step_by_step,
    a_canceled_number_from_stock_is_in_stock_again_after_34_days,
    a_canceled_term_with_time_left_is_restored_as_it_was_free_of_charge,
    a_canceled_term_that_expired_is_restored_with_a_renewal_alone,
    an_aging_term_is_renewed_from_now,
    a_term_that_is_renewed_early_goes_on_from_its_old_expiry,
)
