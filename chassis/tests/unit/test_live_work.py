"""A worker has live work while polled records are in progress, and for a moment after them."""

from pathlib import Path

import pytest

from didflow_chassis.consumer import Consumer
from didflow_chassis.live_work import CALM_S, QUIET_S, LiveWork
from didflow_chassis.service import Service
from didflow_chassis.settings import Settings
from didflow_contracts.events import DidPurchased


class Clock:
    """A clock that only the test moves."""

    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_worker_that_has_just_started_has_no_live_work() -> None:
    """Background work that waits at the start takes most of the time at once, in large chunks."""
    load = LiveWork(lambda: False, clock=lambda: 0.0)
    assert (load.is_live(), load.is_calm()) == (False, True)


def test_records_in_progress_are_live_work_however_long_they_take() -> None:
    clock, busy = Clock(), [True]
    live = LiveWork(lambda: busy[0], clock)
    live.note()
    clock.seconds += 100 * QUIET_S
    assert live.is_live()
    busy[0] = False
    assert not live.is_live()


def test_live_work_counts_for_a_moment_after_its_end() -> None:
    """The next records often follow soon."""
    clock = Clock()
    live = LiveWork(lambda: False, clock)
    live.note()
    clock.seconds += QUIET_S * 0.9
    assert live.is_live()
    clock.seconds += QUIET_S * 0.2
    assert not live.is_live()


def test_a_worker_is_calm_some_seconds_after_its_last_live_work() -> None:
    """A worker with a record each second never is."""
    clock, busy = Clock(), [False]
    load = LiveWork(lambda: busy[0], clock)
    for _ in range(100):
        load.note()
        clock.seconds += 1
        assert not load.is_calm()
    clock.seconds += CALM_S
    assert load.is_calm()
    busy[0] = True
    assert not load.is_calm()


@pytest.fixture
def consumer(tmp_path: Path) -> Consumer:
    settings = Settings(kafka="localhost:9092", postgres="postgresql://u:p@h/d", member_id="worker-0")
    service = Service(
        name="counting", main=object, kinds=(), events={DidPurchased: None}, commands={}, migrations=tmp_path
    )
    return Consumer(service, settings, stage=None)


async def test_a_poll_makes_a_consumer_live_before_its_records_are_decided(consumer: Consumer) -> None:
    """Its tasks are not started, so the records wait. A background chunk that asks now pauses for longer."""
    assert not consumer.live_work.is_live()
    await consumer.receive([])
    assert consumer.live_work.is_live()


def test_a_decided_poll_leaves_a_consumer_live_for_a_moment(consumer: Consumer) -> None:
    consumer._commits.add = lambda _: None
    consumer._complete([])
    assert consumer.live_work.is_live()
