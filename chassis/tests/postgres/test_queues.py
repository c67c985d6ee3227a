"""The metrics count the rows of the outbox and of `parked`; messages that are parked too long are logged."""

import logging
from datetime import timedelta

import pytest

from didflow_chassis import migrate
from didflow_chassis.database import Database
from didflow_chassis.service import Service
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.queues import QueueMetrics

PARK = (
    "INSERT INTO parked (entity, subject, model, reason, since, inbox_id) "
    "VALUES ('e', 's', 'M', $1, clock_timestamp() + (SELECT shift FROM clock) - $2::interval, 'x')"
)


@pytest.fixture
async def database(empty_database, tmp_path):
    service = Service(name="things", main=object, kinds=(), events={}, commands={}, migrations=tmp_path)
    await migrate.upgrade(empty_database, service)
    database = Database(empty_database, application="test", size=2)
    await database.start()
    yield database
    await database.stop()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(f"didflow_{name}", labels)


async def test_empty_queues_are_zero(database, metrics):
    """Every reason has a value from the start, so that an alert has something to compare with."""
    await QueueMetrics(metrics, database).measure()

    assert value(metrics, "outbox_rows") == 0
    assert value(metrics, "outbox_oldest_seconds") == 0
    assert value(metrics, "parked", reason="early") == 0
    assert value(metrics, "parked_oldest_seconds", reason="dead") == 0


async def test_what_waits_is_counted_with_its_age(database, metrics):
    """Rows of the outbox and parked messages by reason, each with the age of the oldest."""
    await database.fetch(
        "INSERT INTO outbox (topic, created_at) VALUES ('t', clock_timestamp() - interval '60 s')"
    )
    await database.fetch("INSERT INTO outbox (topic) VALUES ('t')")
    await database.fetch(PARK, "retry", timedelta(seconds=5))
    await database.fetch(PARK, "retry", timedelta(seconds=50))

    await QueueMetrics(metrics, database).measure()

    assert value(metrics, "outbox_rows") == 2
    assert 60 <= value(metrics, "outbox_oldest_seconds") < 90
    assert value(metrics, "parked", reason="retry") == 2
    assert 50 <= value(metrics, "parked_oldest_seconds", reason="retry") < 80


async def test_a_moved_clock_ages_parked_messages_and_not_the_outbox(database, metrics):
    """A parked message ages by the time of the service, an outbox row by the time of the machine."""
    await database.fetch(PARK, "early", timedelta())
    await database.fetch("INSERT INTO outbox (topic) VALUES ('t')")
    await database.fetch("UPDATE clock SET shift = '1 day'")

    await QueueMetrics(metrics, database).measure()

    assert value(metrics, "parked_oldest_seconds", reason="early") >= 86_400
    assert value(metrics, "outbox_oldest_seconds") < 60


async def test_what_waits_too_early_for_long_is_reported_once(database, metrics, caplog):
    """A message that is early for 15 minutes is logged. The line is not repeated until there are more of them."""
    watch = QueueMetrics(metrics, database)
    await database.fetch(PARK, "early", timedelta(minutes=14))
    await database.fetch(PARK, "retry", timedelta(minutes=16))
    with caplog.at_level(logging.WARNING):
        await watch.measure()
        assert caplog.records == []

        await database.fetch(PARK, "early", timedelta(minutes=16))
        await watch.measure()
        await watch.measure()

    assert [record.messages for record in caplog.records] == [1]


async def test_unfinished_jobs_are_counted_by_state(database, metrics):
    """Jobs that have ended are not counted. A state without a job is zero."""
    for state in ("queued", "queued", "done", "failed"):
        await database.fetch(
            "INSERT INTO jobs (job_id, kind, account, role, created_by, created_at, parameters, state) "
            "VALUES (gen_random_uuid(), 'k', '', 'operator', 's', clock_timestamp(), '{}', $1)",
            state,
        )

    await QueueMetrics(metrics, database).measure()

    assert value(metrics, "jobs", state="queued") == 2
    assert value(metrics, "jobs", state="running") == 0
    assert value(metrics, "jobs", state="failed") is None
