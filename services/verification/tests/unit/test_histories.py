"""Random histories of several numbers: no approval without support, no active service without an identity."""

import os
from datetime import timedelta
from typing import Any, Final

from history_machine import History
from history_stages import HistoryInMemory
from history_world import KEYED
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.service_request import ServiceRequest
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


def test_a_service_stops_if_its_approval_is_revoked_after_the_requirement_has_ended_it(build: Any) -> None:
    """The registration has expired and its service is active. Then the approval is revoked for fraud."""
    history = History(HistoryInMemory(SERVICE), type(build))
    history.begin(progress=3)
    for number in range(10):
        history.load_version(number, days=1, reverify=True, manual=True, required=True)
    history.stage.run_jobs()
    history.wait(timedelta(days=3), timers=True)
    expired = {each.did_id for each in history.stage.states(Registration) if each.state == "expired"}
    active = [each for each in history.stage.states(ServiceRequest) if each.state == "active"]
    assert {each.did_id for each in active} & expired
    for number in range(len(active) + 1):
        history.revoke(number, "rita", only_this=False)
        history.every_invariant_holds()
