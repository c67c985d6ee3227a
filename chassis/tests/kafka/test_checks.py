"""The preflight check on a real PostgreSQL and a real Kafka: it names what is missing and changes nothing."""

import secrets

import pytest
from harness.topics import create_topics, delete_topics

from didflow_chassis import migrate, checks
from didflow_chassis.checks import check, topics_of
from didflow_chassis.service import Handler, Service
from didflow_chassis.settings import Settings
from didflow_contracts.events import DidPurchased


@pytest.fixture
def service(tmp_path) -> Service:
    events = {DidPurchased: Handler(decide=lambda *_: None)}
    return Service(name="inventory", main=object, kinds=(), events=events, commands={}, migrations=tmp_path)


@pytest.fixture
def settings(empty_database, kafka) -> Settings:
    """Topic names of the test's own; none of the topics is there."""
    return Settings(kafka=kafka, postgres=empty_database, topic_prefix=f"t{secrets.token_hex(4)}.")


def names(service: Service, settings: Settings) -> list[str]:
    return [f"{settings.topic_prefix}{name}" for name in topics_of(service)]


def test_a_service_needs_what_it_reads_what_it_says_and_its_dead_letters(service):
    """Each topic once, without the installation's prefix."""
    needed = topics_of(service)

    assert {"did.purchased", "did.changed", "inventory.dlq"} <= set(needed)
    assert "ledger.posted" not in needed
    assert len(needed) == len(set(needed))


async def test_all_is_well_when_nothing_is_missing(service, settings):
    """A migrated database and all topics: everything found is as needed."""
    await migrate.upgrade(settings.dsn, service)
    await create_topics(settings.kafka, names(service, settings), partitions=1)
    try:
        found = await check(service, settings)
    finally:
        await delete_topics(settings.kafka, names(service, settings))

    assert all(finding.ok for finding in found)


async def test_an_unmigrated_database_and_missing_topics_are_named(service, settings):
    """The command that helps and the topics' full names are in the findings; asking creates no topic."""
    for _ in range(2):
        found = await check(service, settings)
        missing = {finding.what: finding.detail for finding in found if not finding.ok}

        assert missing.keys() == {"database", *(f"topic {name}" for name in names(service, settings))}
        assert "run `didflow-inventory migrate`" in missing["database"]


async def test_a_database_that_is_too_old_is_named(service, settings, monkeypatch):
    """The release that it has and the oldest that will do; it is said before anything about its tables."""
    monkeypatch.setattr(preflight, "OLDEST_POSTGRES", 99)
    (wrong,) = await preflight.check_database(service, settings)

    assert not wrong.ok
    assert wrong.detail.startswith("PostgreSQL ")
    assert wrong.detail.endswith("99 or later is needed")


async def test_topics_that_differ_in_partitions_are_a_finding(service, settings):
    """A number's events of all topics stay with one worker only where all have equally many partitions."""
    await migrate.upgrade(settings.dsn, service)
    first, *others = names(service, settings)
    await create_topics(settings.kafka, [first], partitions=2)
    await create_topics(settings.kafka, others, partitions=1)
    try:
        (wrong,) = [finding for finding in await check(service, settings) if not finding.ok]
    finally:
        await delete_topics(settings.kafka, [first, *others])

    assert f"{first} 2" in wrong.detail
