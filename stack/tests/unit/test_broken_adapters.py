"""The conformance run on a small adapter: it passes, and it fails with a clear line if it is broken on purpose.

The topics are in memory and the time is virtual, so a run takes no time. On Kafka: tests/stack/test_broken_adapters.py.
"""

from typing import Any

import pytest
from harness.broken_adapters import DEFECTS, OTHERS, judged_in_memory
from harness.small_adapter import SmallAdapter
from harness.virtual_time import run_virtually

from didflow.conformance.checks import CHECKS


def judged(defect: str, *only: str, log: bool = False) -> Any:
    """Run the checks on the small adapter with this defect."""
    return run_virtually(judged_in_memory(defect, *only, log=log))


def test_an_adapter_that_conforms_passes_every_check() -> None:
    """It has no note either."""
    found = judged("", log=True)
    assert {name: verdict.problem for name, verdict in found.items() if verdict.problem} == {}
    assert list(found) == [check.name for check in CHECKS]
    assert [verdict.notes for verdict in found.values() if verdict.notes] == []


def test_an_adapter_that_repeats_a_result_with_its_event_id_conforms() -> None:
    """A repeat of an event has its id. Only another result needs another one."""
    found = judged("repeats_exactly")
    assert {name: verdict.problem for name, verdict in found.items() if verdict.problem} == {}


@pytest.mark.parametrize(("defect", "check", "line"), DEFECTS)
def test_an_adapter_that_is_broken_on_purpose_fails_with_a_clear_line(
    defect: str, check: str, line: str
) -> None:
    """The check that asks for it fails, if it runs alone and if it runs with all others."""
    for found in (judged(defect, check, *OTHERS.get(defect, ())), judged(defect)):
        assert found[check].outcome == "failed"
        assert line in found[check].problem
        assert found[check].problem.startswith("Sent: ")
        assert len(found[check].problem.splitlines()) == 1


def test_a_carrier_without_references_needs_the_log_of_executions(monkeypatch: Any) -> None:
    """Without both, nobody could see that a command was done twice."""
    execute = SmallAdapter._execute

    async def without_reference(self: Any, data: Any) -> Any:
        outcome = await execute(self, data)
        outcome.pop("carrier_reference", None)
        return outcome

    monkeypatch.setattr(SmallAdapter, "_execute", without_reference)
    assert "there is no log of executions" in judged("", "duplicate")["duplicate"].problem
    assert judged("", "duplicate", log=True)["duplicate"].outcome == "ok"
    found = judged("no_memory", "duplicate", log=True)
    assert "it was done 2 times. This is in the log of executions" in found["duplicate"].problem
