"""Random histories of several DIDs: billing does what the specification says, whatever happens in whatever order."""

import os
from datetime import datetime
from typing import Any, Final

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from term_history import TermHistory

from didflow_billing.service import service
from didflow_billing.settings import BillingSettings
from didflow_chassis.testing import FakeStage

EXAMPLES: Final = os.environ.get("DIDFLOW_HISTORIES")
"""How many random histories are tried. Without it, the same few histories are tried each time."""

STEPS: Final = 10_000
"""The fewest steps of a run without `DIDFLOW_HISTORIES`."""

SERVICE = service(BillingSettings.placeholder())
SETTINGS: Final = settings(
    max_examples=int(EXAMPLES or 240),
    stateful_step_count=50,
    derandomize=EXAMPLES is None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[*HealthCheck],
)


def test_every_history_of_a_did_costs_and_publishes_what_the_specification_says(make: Any) -> None:
    """All rules of billing run: events in any order, commands of several callers, and jumps of time."""

    def stage_at(start: datetime) -> FakeStage:
        return FakeStage(SERVICE, now=start)

    TermHistory.steps = 0
    run_state_machine_as_test(lambda: TermHistory(stage_at, type(make)), settings=SETTINGS)
    print(f"{TermHistory.steps:,} steps")  # noqa: T201 - how much was tried
    assert TermHistory.steps >= STEPS or EXAMPLES is not None
