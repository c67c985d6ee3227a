"""The main job from end to end: four workers as processes on a real Kafka and a real PostgreSQL.

Whatever happens to a worker during the run, every number ends as the examples expect. `test_personal_data.py` runs the
same job undisturbed.
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


@pytest.mark.parametrize("late", [SERVICES[::2], SERVICES[1::2]], ids="-".join)
async def test_services_that_were_down_catch_up_and_killed_workers_change_nothing(
    job, told: list[str], late: tuple[str, ...]
) -> None:
    """Two services start only after the purchases. Then each worker is killed with SIGKILL at a random moment."""
    played = await job(late=frozenset(late), killed=EVERY)
    assert wrong(played) == []
    assert sum("kill -9" in line for line in told) == len(EVERY)
