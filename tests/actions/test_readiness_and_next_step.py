"""What provisioning says is missing for calls and for messages, and the next step of My Numbers, name the same step.

Inventory and provisioning decide from their own states, so each has its own table. The random conditions are those of
the offered actions.
"""

from collections import Counter
from random import Random
from typing import Final

from actions.conditions import Condition, random_condition
from actions.estate import ZERO

from didflow_contracts.vocabulary import NextAction
from didflow_inventory.domain.my_numbers.next_step import next_step

CASES: Final = 3000
OF_BOTH: Final = frozenset(
    (
        "await_porting",
        "restore",
        "renew",
        "unblock",
        "reactivate_package",
        "await_hold_end",
        "await_requirement",
        "assign_end_user_details",
        "fix_end_user_details",
        "await_review",
        "await_carrier",
        "retry_carrier",
    )
)
"""The steps that come before the settings of a channel."""
OF_CALLS: Final = frozenset(("assign_voice_trunk", "assign_capacity"))
AT_THE_CARRIER: Final = (None, "await_carrier", "retry_carrier")
"""What may be missing when all is set: the carrier has confirmed it, has not yet, or has refused it for good."""


def allowed(condition: Condition, channel: str) -> tuple[NextAction | None, ...]:
    """Return what may be missing for a channel that the number has, given the next step of My Numbers."""
    step = next_step(condition.holding, condition.did.views, ZERO).action
    if not condition.holding.is_live:
        return (None,)
    if step == "await_carrier" and any(failure.action == "resume" for failure in condition.routing.failures):
        return ("retry_carrier",)
    if step in OF_BOTH or (step in OF_CALLS and channel == "voice"):
        return (step,)
    if channel == "voice" or (condition.routing.sms and step != "assign_sms_trunk"):
        return AT_THE_CARRIER
    return ("assign_sms_trunk",)


def test_what_is_missing_for_a_channel_is_the_next_step_of_my_numbers() -> None:
    """Calls first: a number for both shows its SMS trunk as missing, and its status does not ask for one."""
    seen: Counter[NextAction | None] = Counter()
    for case in range(CASES):
        condition = random_condition(Random(case))
        features, shown = condition.holding.features, condition.did.views.routing
        for channel, needing in (("voice", {"voice_in", "fax"}), ("sms", {"sms_in"})):
            missing = getattr(shown.missing, channel)
            is_ready = getattr(shown, f"{channel}_ready")
            if needing.isdisjoint(features):
                assert (is_ready, missing) == (False, None), case
                continue
            assert missing in allowed(condition, channel), (case, channel, missing)
            assert is_ready == (missing is None and condition.holding.is_live), case
            seen[missing] += 1
    assert seen.keys() == {None, *OF_BOTH, *OF_CALLS, "assign_sms_trunk"}
