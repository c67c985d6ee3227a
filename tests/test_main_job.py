"""The main job from end to end: four workers as processes on a real Kafka and a real PostgreSQL.

Whatever happens to a worker during the run, every number ends as the examples expect.
"""

from pathlib import Path

import pytest

from didflow.demo import examples
from didflow.demo.scenario import DemoResult, Options, run_demo
from didflow.servers import Wanted
from didflow.services import SERVICES

EVERY = frozenset(SERVICES)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def job(kafka: str, topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[str]):
    """Runs the examples with the test's own topics and database server."""
    monkeypatch.setenv("DIDFLOW_TOPIC_PREFIX", topics)

    async def run(**how: frozenset[str]) -> DemoResult:
        wanted = Wanted(kafka=kafka)
        return await run_demo(
            Options(folder=tmp_path, examples=examples.read(), wanted=wanted, **how), told.append
        )

    return run


def wrong(played: DemoResult) -> list[str]:
    """Return the lines that did not end as expected, and other unexpected facts."""
    elsewhere = (f"{v.purchase.number}: {v.found}, not {v.expected}" for v in played.verdicts if not v.ok)
    return [*elsewhere, *played.unexpected]


async def test_every_number_ends_as_the_examples_expect(job) -> None:
    """Active, pending, refused, repeated, dead-lettered: all as the file expects."""
    assert wrong(await job()) == []


async def test_killed_workers_change_nothing(job, told: list[str]) -> None:
    """Each service's worker is killed with SIGKILL at a random moment and started again. The table is the same."""
    played = await job(killed=EVERY)
    assert wrong(played) == []
    assert sum("kill -9" in line for line in told) == len(EVERY)


@pytest.mark.parametrize("late", [SERVICES[::2], SERVICES[1::2]], ids="-".join)
async def test_services_that_were_down_catch_up(job, late: tuple[str, ...]) -> None:
    """Two services start only after the purchases. The table is the same."""
    assert wrong(await job(late=frozenset(late))) == []
