"""Random histories of several numbers: no approval without support, no active service without an identity."""

import os
from typing import Any, Final

from history_machine import History
from history_stages import HistoryInMemory
from history_world import KEYED
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from didflow_verification.service import service

EXAMPLES: Final = os.environ.get("DIDFLOW_HISTORIES")
"""How many random histories are tried. Without it, the same few histories are tried each time."""

SERVICE = service(KEYED)
SETTINGS: Final = settings(
    max_examples=int(EXAMPLES or 45),
    stateful_step_count=50,
    derandomize=EXAMPLES is None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[*HealthCheck],
)


def test_no_history_leads_to_an_approval_or_a_service_that_rests_on_nothing(build: Any) -> None:
    """All rules of the service run: events in any order, commands, jobs item by item, and timers."""
    run_state_machine_as_test(lambda: History(HistoryInMemory(SERVICE), type(build)), settings=SETTINGS)
