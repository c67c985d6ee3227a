"""The main job from end to end: four workers as processes on a real Kafka and a real PostgreSQL.

Whatever happens to a worker on the way, every number ends where the examples say.
"""

from pathlib import Path

import pytest

from didflow.demo import examples
from didflow.demo.scenario import DemoResult, Options, play
from didflow.servers import Wanted
from didflow.services import SERVICES

EVERY = frozenset(SERVICES)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def job(kafka: str, topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[str]):
    """Plays the examples on topics of this test's own and a database server of its own."""
    monkeypatch.setenv("DIDFLOW_TOPIC_PREFIX", topics)

    async def run(**how: frozenset[str]) -> DemoResult:
        wanted = Wanted(kafka=kafka)
        return await play(
            Options(folder=tmp_path, examples=examples.read(), wanted=wanted, **how), told.append
        )

    return run


def wrong(played: DemoResult) -> list[str]:
    """Say what ended elsewhere than expected, and what nobody expected."""
    elsewhere = (f"{v.purchase.number}: {v.found}, not {v.expected}" for v in played.verdicts if not v.ok)
    return [*elsewhere, *played.surprises]


async def test_every_number_ends_where_the_examples_say(job) -> None:
    """Active, waiting, refused, repeated, dead-lettered: all as the file expects it."""
    assert wrong(await job()) == []


async def test_workers_killed_on_the_way_change_nothing(job, told: list[str]) -> None:
    """A worker of each service is killed by kill -9 at a random moment and started again: the same table."""
    played = await job(killed=EVERY)
    assert wrong(played) == []
    assert sum("kill -9" in line for line in told) == len(EVERY)


@pytest.mark.parametrize("late", SERVICES)
async def test_a_service_that_was_down_catches_up(job, late: str) -> None:
    """A service stopped before the purchases and started after them: the same table."""
    assert wrong(await job(late=frozenset({late}))) == []
