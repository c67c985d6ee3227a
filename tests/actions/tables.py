"""Where an action that is offered is not simply done, and one that is not offered is not simply refused.

These tables are closed: the test fails on everything else, and on a row that never applies.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from actions.conditions import Condition

from didflow_chassis.decision import Caller
from didflow_inventory.domain.my_numbers.actions import SERVICES, OfferedAction

When = Callable[[Condition, Caller], bool]


class Row(NamedTuple):
    """An action, its outcome, in which conditions it has this outcome, and why."""

    action: OfferedAction
    outcome: str
    when: When
    why: str


def _state(action: str, condition: Condition) -> str:
    """Return the state of the service that an action is about."""
    request = condition.requests.get(action.partition("_")[2])  # type: ignore[call-overload]
    return request.state if request else "not_configured"


def _is_closed(action: str) -> When:
    closed = ("not_configured", "cancelation_pending")
    return lambda condition, _: _state(action, condition) in closed


def _is_new(action: str) -> When:
    return lambda condition, _: _state(action, condition) == "new"


def _has_step(step: str) -> When:
    return lambda condition, _: condition.holding.last_step == step


def _is_canceled(condition: Condition, _caller: Caller) -> bool:
    return condition.term.state == "canceled"


def _has_nothing_set(condition: Condition, _caller: Caller) -> bool:
    routing = condition.routing
    return (routing.voice, routing.capacity, routing.sms) == (None, None, None)


def _is_retried(condition: Condition, _caller: Caller) -> bool:
    routing = condition.routing
    return routing.carrier_state == "failed" and "activate" in routing.retry_ids


def _always(_condition: Condition, _caller: Caller) -> bool:
    return True


SAME: Final = "The DID has this value already."
REPEAT: Final = "It is the repeat of the last transition, which changes nothing (spec lifecycle)."

OFFERED: Final = (
    Row("set_cycles", "unchanged", _always, SAME),
    Row("set_voice", "unchanged", _always, SAME),
    Row("set_capacity", "unchanged", _always, SAME),
    Row("assign_user", "unchanged", lambda c, _: c.holding.user is not None, SAME),
    Row(
        "retry_carrier",
        "unchanged",
        _is_retried,
        "The activation was retried while calls must not flow. It is sent as soon as they may.",
    ),
    Row(
        "request_cnam",
        "not_supported",
        lambda c, _: c.country not in ("US", "CA"),
        "Verification knows more: names are shown in the United States and Canada only (spec verification).",
    ),
)
"""What is offered, and has another outcome than `done`."""

NOT_OFFERED: Final = (
    Row(
        "assign_end_user",
        "done",
        lambda c, _: c.holding.is_live and c.registration is None,
        "An order system may assign details at once after its purchase. Verification judges them when it has decided"
        " what is required.",
    ),
    Row(
        "assign_end_user",
        "done",
        lambda c, _: (
            c.holding.is_live
            and c.registration is not None
            and c.registration.state == "not_required"
            and SERVICES.isdisjoint(c.holding.features)
        ),
        "Nothing needs the details now. They are kept for a requirement that comes later (spec lifecycle).",
    ),
    Row(
        "retry_carrier",
        "done",
        lambda c, _: c.holding.stock == "removed" and bool(c.routing.failures),
        "The release of a removed DID failed. Its number is free only after it, so an operator can retry it.",
    ),
    Row(
        "remove",
        "canceled",
        lambda c, _: c.term.state in ("active", "delayed_removal"),
        "`remove` is a part of cancel. A DID that it cannot remove is canceled, and not removed.",
    ),
    Row("cancel", "unchanged", _is_canceled, REPEAT),
    Row("remove", "unchanged", _is_canceled, REPEAT),
    Row("hold", "unchanged", lambda c, _: c.holding.held_by == "hand", REPEAT),
    Row("unhold", "unchanged", _has_step("unhold"), REPEAT),
    Row("unblock", "unchanged", _has_step("unblock"), REPEAT),
    Row("block", "unchanged", _has_step("block"), REPEAT),
    Row("take_back", "unchanged", lambda c, caller: c.holding.account == caller.account, REPEAT),
    Row("cancel_porting", "unchanged", _has_step("porting_end"), REPEAT),
    Row("assign_user", "unchanged", lambda c, _: c.holding.user is not None, SAME),
    Row("clear_routing", "unchanged", _has_nothing_set, "Nothing is set."),
    Row("correct_emergency", "unchanged", _is_new("correct_emergency"), REPEAT),
    Row("correct_a2p_sms", "unchanged", _is_new("correct_a2p_sms"), REPEAT),
    Row("cancel_emergency", "unchanged", _is_closed("cancel_emergency"), REPEAT),
    Row("cancel_a2p_sms", "unchanged", _is_closed("cancel_a2p_sms"), REPEAT),
    Row("cancel_cnam", "unchanged", _is_closed("cancel_cnam"), REPEAT),
)
"""What is not offered, and has another outcome than a refusal."""

ROWS: Final[Mapping[tuple[bool, str, str], tuple[Row, ...]]] = {
    (offered, row.action, row.outcome): tuple(
        each for each in rows if (each.action, each.outcome) == (row.action, row.outcome)
    )
    for offered, rows in ((True, OFFERED), (False, NOT_OFFERED))
    for row in rows
}


def row_for(offered: bool, action: str, outcome: str, condition: Condition, caller: Caller) -> Any:
    """Return the row that explains an outcome, or None."""
    rows = ROWS.get((offered, action, outcome), ())
    return next((row for row in rows if row.when(condition, caller)), None)
