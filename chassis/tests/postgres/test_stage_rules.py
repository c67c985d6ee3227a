"""The stage on PostgreSQL follows every rule of the stage, and so the stage in memory is its equal."""

from typing import Any

import pytest
from harness.fixtures import OnPostgres
from rules_service import RULES_SERVICE, prepare
from stage_rules import NOW, SCENARIOS, Scenario

from didflow_chassis.testing import ServiceOnPostgres


class Awaited:
    """The service with every method awaited, also those that look at nothing but memory."""

    def __init__(self, service: ServiceOnPostgres) -> None:
        self._service = service
        self.record = service.record

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._service, name)

        async def awaited(*arguments: Any, **options: Any) -> Any:
            result = method(*arguments, **options)
            return await result if hasattr(result, "__await__") else result

        return awaited


@pytest.fixture
async def stage(on_postgres: OnPostgres) -> Awaited:
    """The toy service on a database of its own, at `NOW`."""
    return Awaited(await on_postgres(RULES_SERVICE, prepare=prepare, now=NOW))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_a_rule_holds_on_postgres(stage: Awaited, scenario: Scenario) -> None:
    """Each scenario of `stage_rules`, on a real database."""
    await scenario(stage)
