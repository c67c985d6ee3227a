"""The stage in memory follows every rule of the stage."""

import inspect
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import toy
from rules_service import RULES_SERVICE
from stage_rules import NOW, SCENARIOS, Scenario, event, with_fields
from toy_messages import add, added, opened

from didflow_chassis.decision import Refused
from didflow_chassis.service import Handler
from didflow_chassis.stage import events
from didflow_chassis.testing import FakeStage, ServiceOnPostgres
from didflow_chassis.testing.service_under_test import ServiceUnderTest


class Awaited:
    """The stage in memory with methods that are awaited, as those on PostgreSQL are."""

    def __init__(self, stage: FakeStage) -> None:
        self._stage = stage

    def record(self, event: Any) -> Any:
        return self._stage._tested.record(event)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._stage, name)

        async def awaited(*arguments: Any, **options: Any) -> Any:
            return method(*arguments, **options)

        return awaited


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_a_rule_holds_in_memory(scenario: Scenario) -> None:
    """Each scenario of `stage_rules`, on tables in memory."""
    await scenario(Awaited(FakeStage(RULES_SERVICE, now=NOW)))


def test_both_stages_have_the_same_methods() -> None:
    """A test that was written for one can be run on the other: same names, same parameters."""
    public = [name for name, _ in inspect.getmembers(FakeStage, inspect.isfunction) if name[0] != "_"]
    for name in public:
        in_memory, on_postgres = (
            inspect.signature(getattr(of, name)).parameters for of in (FakeStage, ServiceOnPostgres)
        )
        assert list(in_memory) == list(on_postgres), name
    tested = {name for name, _ in inspect.getmembers(ServiceUnderTest, inspect.isfunction) if name[0] != "_"}
    assert tested - set(public) == {"record"}


def test_a_statement_that_memory_cannot_run_says_so() -> None:
    """Reads of the HTTP API need PostgreSQL."""
    database = FakeStage(RULES_SERVICE)._tested.database
    with pytest.raises(NotImplementedError, match="Test it on PostgreSQL"):
        database.fetch("SELECT 1").send(None)


def test_a_change_whose_event_would_be_larger_than_a_record_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is written. The bounds of texts make this rare, but a service can publish lists of any length."""
    stage = FakeStage(RULES_SERVICE, now=NOW)
    stage.receive(event(opened(1)))
    before = stage.all_states()
    monkeypatch.setattr(events, "MAX_DATA_BYTES", 10)
    refused = stage.run(add(1, 1))
    assert isinstance(refused, Refused)
    assert refused.code == "too_large"
    stage.receive(event(added(1, 1)))
    assert stage.refusals() == ["too_large"] * 2
    assert stage.all_states() == before


def test_a_timer_at_present_runs_once_however_late_it_is() -> None:
    """It is decided at the time of the batch. Any other timer makes up for each instant that was missed."""
    late = timedelta(hours=3, minutes=30)
    for at_present, rung_at in ((False, [timedelta(hours=n) for n in (1, 2, 3)]), (True, [late])):
        due = {toy.Counter: Handler(decide=toy.on_ring, at_present=at_present)}
        stage = FakeStage(replace(toy.SERVICE, due=due), now=NOW)
        stage.receive(event(opened(1)))
        (counter,) = stage.states(toy.Counter)
        stage.store(with_fields(counter, rings_at=NOW + timedelta(hours=1)))
        stage.set_time(NOW + late)
        stage.run_due_timers()
        assert [each.time - NOW for each in stage.published()[1:]] == rung_at
