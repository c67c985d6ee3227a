"""Status, next step and quick filters: each closed table against a second writing of it, over all axis values."""

from itertools import product
from typing import Any, get_args

import pytest

from didflow_contracts.vocabulary import CarrierState, Registration, Status, TermState
from didflow_inventory.domain.status import (
    CIRCLES,
    FILTERS,
    LABELS,
    NEXT_STEPS,
    STATUSES,
    Condition,
    Stock,
    filters_of,
    is_sufficient,
    next_step_of,
    status_of,
)

STOCKS = ("porting_in", "assigned", "blocked", "on_hold", "removed", "refused")
FEATURES = (("voice_out",), ("sms_in",), ("fax",), ("voice_in", "sms_in"))


def condition(**changes: Any) -> Any:
    """A DID that is active in every way, but for the changes."""
    usual: dict[str, Any] = {
        "stock": "assigned",
        "by_package": False,
        "registration": "approved",
        "term": "active",
        "cycles_left": None,
        "carrier": "active",
        "features": ("voice_in",),
        "voice": True,
        "capacity": 1,
        "sms": False,
    }
    return Condition(**usual | changes)


def every_condition() -> Any:
    """Every combination of what the tables look at."""
    axes: dict[str, tuple[Any, ...]] = {
        "stock": STOCKS,
        "by_package": (False, True),
        "registration": get_args(Registration),
        "term": get_args(TermState),
        "cycles_left": (None, 0),
        "carrier": get_args(CarrierState),
        "features": FEATURES,
        "voice": (False, True),
        "capacity": (None, 0, "unlimited"),
        "sms": (False, True),
    }
    for values in product(*axes.values()):
        yield Condition(**dict(zip(axes, values, strict=True)))


def configured(c: Any) -> Any:
    """Whether calls, or else messages, have somewhere to go."""
    if "voice_in" in c.features or "fax" in c.features:
        return c.voice and c.capacity not in (None, 0)
    return c.sms if "sms_in" in c.features else True


def expected_status(c: Any) -> Any:
    """The status, written as questions in a row."""
    if c.stock == "porting_in":
        return "porting_in_progress"
    if c.term in {"canceled", "aging"}:
        return "terminated"
    if c.stock in {"blocked", "on_hold"}:
        return {"blocked": "blocked", "on_hold": "hold"}[c.stock]
    if c.registration in {"awaiting", "pending", "rejected", "expired"}:
        return "awaiting_registration"
    if c.term == "delayed_removal":
        return "delayed_service_removal"
    return "active" if c.carrier == "active" and configured(c) else "not_configured"


def expected_step(c: Any) -> Any:
    """The next step, found backwards: the last assignment that holds wins."""
    found = ("none", "nobody")
    if c.term == "delayed_removal":
        found = ("set_billing_cycles", "account")
    if not configured(c):
        if "voice_in" in c.features or "fax" in c.features:
            found = ("assign_capacity" if c.voice else "assign_voice_trunk", "account")
        else:
            found = ("assign_sms_trunk", "account")
    by_carrier = {"failed": ("retry_carrier", "operator"), "active": found, "released": found}
    found = by_carrier.get(c.carrier, ("await_carrier", "carrier"))
    by_registration = {
        "awaiting": ("assign_end_user_details", "account"),
        "rejected": ("fix_end_user_details", "account"),
        "expired": ("fix_end_user_details", "account"),
        "pending": ("await_review", "reviewer"),
    }
    found = by_registration.get(c.registration, found)
    on_hold = ("reactivate_package" if c.by_package else "await_hold_end", "reseller")
    found = {"blocked": ("unblock", "blocker"), "on_hold": on_hold}.get(c.stock, found)
    found = {"canceled": ("restore", "account"), "aging": ("renew", "account")}.get(c.term, found)
    return ("await_porting", "carrier") if c.stock == "porting_in" else found


def expected_filters(c: Any) -> Any:
    """The quick filters, written as sets taken away."""
    found = set(FILTERS)
    ended = c.term in {"canceled", "aging", "closed"}
    registered = c.registration in {"approved", "not_required"}
    if ended or not configured(c) or c.carrier != "active" or not registered:
        found.discard("active")
    if c.stock in {"blocked", "on_hold"}:
        found.discard("active")
    if configured(c) or ended:
        found.discard("not_configured")
    if registered or ended:
        found.discard("awaiting_registration")
    if c.term not in {"canceled", "aging"}:
        found.discard("terminated")
    if c.cycles_left != 0 or ended:
        found.discard("expiring_soon")
    if c.stock != "porting_in":
        found.discard("porting")
    return found


def test_status_step_and_filters_are_their_tables_for_every_combination_of_axes() -> None:
    """Over the whole product of axis values the tables say what the rules say, and each line is reached."""
    statuses: set[Any] = set()
    steps: set[Any] = set()
    filters: set[Any] = set()
    for c in every_condition():
        if c.stock in {"removed", "refused"}:
            assert (status_of(c), filters_of(c), next_step_of(c).action) == (None, frozenset(), "none")
            continue
        step = next_step_of(c)
        assert status_of(c) == expected_status(c), c
        assert (step.action, step.who) == expected_step(c), c
        assert filters_of(c) == expected_filters(c), c
        statuses.add(status_of(c))
        steps.add(step.action)
        filters |= filters_of(c)

    assert statuses == {status for status, _ in STATUSES} == set(get_args(Status))
    assert steps == {action for action, _, _ in NEXT_STEPS}
    assert filters == set(FILTERS)


def test_every_status_has_a_label_and_a_circle() -> None:
    """No status is shown without its name and color."""
    assert set(LABELS) == set(CIRCLES) == set(get_args(Status))


def test_the_stocks_tried_are_all_there_are() -> None:
    """The product above leaves no stock state out."""
    contract, own = get_args(Stock)
    assert set(STOCKS) == {*get_args(contract), *get_args(own)}


@pytest.mark.parametrize(
    ("capacity", "enough"), [(None, False), (0, False), (1, True), (30, True), ("unlimited", True)]
)
def test_capacity_is_sufficient_from_one_channel_on(capacity: Any, enough: Any) -> None:
    """Unset and 0 let no call in; one channel does, and so does no limit."""
    assert is_sufficient(capacity) is enough


def test_open_service_requests_stand_beside_the_next_step() -> None:
    """A number that lacks nothing may still have a request open: it is said besides."""
    step = next_step_of(condition(), ("cnam", "emergency"))
    assert (step.action, step.also) == ("none", ("cnam", "emergency"))


def test_what_is_gone_asks_for_nothing() -> None:
    """A removed DID has no next step, not even an open request."""
    step = next_step_of(condition(stock="removed"), ("cnam",))
    assert (step.action, step.who, step.also) == ("none", "nobody", ())
