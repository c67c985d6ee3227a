"""The status, the next step and the quick filters: each table against a second version of its rules."""

from itertools import product
from typing import Any, get_args

import pytest

from didflow_contracts.vocabulary import CarrierState, HeldBy, NextAction, Registration, Status, TermState
from didflow_inventory.domain.holding import Stock
from didflow_inventory.domain.my_numbers.condition import Condition, is_sufficient
from didflow_inventory.domain.my_numbers.listing import FILTERS, matches_of
from didflow_inventory.domain.my_numbers.next_step import DEADLINES, NEXT_STEPS, action_of, next_step
from didflow_inventory.domain.my_numbers.status import STATUSES, status_of

STOCKS = ("porting_in", "assigned", "blocked", "on_hold", "removed", "refused")
FEATURES = (("voice_out",), ("sms_in",), ("fax",), ("voice_in", "sms_in"))


def every_condition() -> Any:
    """Return every combination of the values that the tables depend on."""
    axes: dict[str, tuple[Any, ...]] = {
        "stock": STOCKS,
        "held_by": (None, "package"),
        "is_answered": (True,),
        "registration": get_args(Registration),
        "term": get_args(TermState),
        "cycles_left": (None, 0),
        "carrier": get_args(CarrierState),
        "features": FEATURES,
        "voice": (False, True),
        "capacity": (None, 0, "unlimited"),
        "sms": (False, True),
    }
    unanswered = axes | {"is_answered": (False,), "registration": ("awaiting",)}
    for table in (axes, unanswered):
        for values in product(*table.values()):
            yield Condition(**dict(zip(table, values, strict=True)))


def is_configured(c: Any) -> Any:
    """Return whether calls, or else messages, can be delivered."""
    if "voice_in" in c.features or "fax" in c.features:
        return c.voice and c.capacity not in (None, 0)
    return c.sms if "sms_in" in c.features else True


def expected_status(c: Any) -> Any:
    """Return the status by a chain of conditions."""
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
    return "active" if c.carrier == "active" and is_configured(c) else "not_configured"


def expected_action(c: Any) -> Any:
    """Return the action of the next step from the last rule to the first: the last assignment that holds wins."""
    found = ("none", "nobody")
    if c.term == "delayed_removal":
        found = ("set_billing_cycles", "account")
    if not is_configured(c):
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
    found = found if c.is_answered else ("await_requirement", "nobody")
    on_hold = ("reactivate_package" if c.held_by == "package" else "await_hold_end", "reseller")
    found = {"blocked": ("unblock", "blocker"), "on_hold": on_hold}.get(c.stock, found)
    found = {"canceled": ("restore", "account"), "aging": ("renew", "account")}.get(c.term, found)
    return ("await_porting", "carrier") if c.stock == "porting_in" else found


def expected_filters(c: Any) -> Any:
    """Return the quick filters by removing those that do not match."""
    found = set(FILTERS)
    ended = c.term in {"canceled", "aging", "closed"}
    registered = c.registration in {"approved", "not_required"}
    if ended or not is_configured(c) or c.carrier != "active" or not registered:
        found.discard("active")
    if c.stock in {"blocked", "on_hold"}:
        found.discard("active")
    if is_configured(c) or ended:
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


def filters_of(c: Any) -> Any:
    """Return the quick filters that match."""
    return {name for name, matches in matches_of(c).items() if matches}


def test_the_tables_agree_with_the_rules_for_every_combination_of_axes() -> None:
    """Each line of each table is reached."""
    statuses: set[Any] = set()
    actions: set[Any] = set()
    filters: set[Any] = set()
    for c in every_condition():
        if c.stock in {"removed", "refused"}:
            assert (status_of(c), filters_of(c), action_of(c)[0]) == (None, set(), "none")
            continue
        assert status_of(c) == expected_status(c), c
        assert action_of(c) == expected_action(c), c
        assert filters_of(c) == expected_filters(c), c
        statuses.add(status_of(c))
        actions.add(action_of(c)[0])
        filters |= filters_of(c)

    assert statuses == {status for status, _, _, _ in STATUSES} == set(get_args(Status))
    assert actions == {action for action, _, _ in NEXT_STEPS} == set(get_args(NextAction))
    assert filters == set(FILTERS)


def test_every_deadline_belongs_to_an_action() -> None:
    """The table of deadlines has no action that is never the next step."""
    assert set(DEADLINES) <= {action for action, _, _ in NEXT_STEPS}


def test_the_combinations_hold_every_stock_state() -> None:
    """No stock state and no holder of a hold is left out of the combinations above."""
    contract, own = get_args(Stock)
    assert set(STOCKS) == {*get_args(contract), *get_args(own)}
    assert get_args(HeldBy) == ("package", "hand")


@pytest.mark.parametrize(
    ("capacity", "enough"), [(None, False), (0, False), (1, True), (30, True), ("unlimited", True)]
)
def test_a_capacity_of_one_channel_is_sufficient(capacity: Any, enough: Any) -> None:
    """A capacity that is not set, and 0, let no call in."""
    assert is_sufficient(capacity) is enough


def test_open_service_requests_stand_beside_the_next_step(purchased: Any, make: Any) -> None:
    """They are listed in `also`, in alphabetical order, whatever the next step is."""
    purchased.decide(make.service("new", 2, "emergency"))
    purchased.decide(make.service("pending", 3, "cnam"))
    step = next_step(purchased.did.holding, purchased.did.views, make.zero)
    assert (step.action, step.also) == ("await_requirement", ("cnam", "emergency"))


def test_a_removed_did_has_no_next_step(purchased: Any, make: Any) -> None:
    """Not even an open service request is listed."""
    purchased.decide(make.service("new", 2))
    purchased.decide(make.removed())
    step = next_step(purchased.did.holding, purchased.did.views, make.zero)
    assert (step.action, step.who, step.also) == ("none", "nobody", ())
