"""`check` on a real PostgreSQL and a real Kafka: it reports whatever `api` or `worker` would fail on."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from harness.topics import create_topics, delete_topics

from didflow_chassis import checks, migrate
from didflow_chassis.checks import Diagnostic, check, topics_of
from didflow_chassis.kafka_internals import fetch_sessions
from didflow_chassis.service import Handler, Service
from didflow_chassis.settings import Settings
from didflow_contracts.events import DidPurchased


@pytest.fixture
def service(tmp_path) -> Service:
    events = {DidPurchased: Handler(decide=lambda *_: None)}
    return Service(name="inventory", main=object, kinds=(), events=events, commands={}, migrations=tmp_path)


@pytest.fixture
def settings(empty_database, kafka) -> Settings:
    """Settings with topic names of this test. None of the topics exists."""
    return Settings(
        kafka=kafka,
        postgres=empty_database,
        topic_prefix=f"t{secrets.token_hex(4)}.",
        oidc_issuer="https://issuer",
        oidc_jwks_url="https://issuer/keys",
        oidc_audience="didflow",
    )


@pytest.fixture
async def ready(service: Service, settings: Settings) -> AsyncIterator[Settings]:
    """Settings whose database is migrated and whose topics exist."""
    await migrate.upgrade(settings.dsn, service)
    await create_topics(settings.kafka, names(service, settings), partitions=1)
    yield settings
    await delete_topics(settings.kafka, names(service, settings))


def names(service: Service, settings: Settings) -> list[str]:
    return [f"{settings.topic_prefix}{name}" for name in topics_of(service)]


async def problems(service: Service, settings: Settings) -> dict[str, str]:
    """Return what is wrong: each thing with its detail."""
    return {found.what: found.detail for found in await check(service, settings) if found.level == "problem"}


def test_the_topics_of_a_service_are_those_that_it_reads_and_writes_and_its_dead_letters(service):
    """Each topic is listed once, without the prefix of the installation."""
    needed = topics_of(service)

    assert {"did.purchased", "did.changed", "inventory.dlq"} <= set(needed)
    assert "ledger.posted" not in needed
    assert len(needed) == len(set(needed))


async def test_there_is_no_problem_when_nothing_is_missing(service, ready):
    """With a migrated database and all topics, the API and the worker can start."""
    found = await check(service, ready)

    assert [diagnostic for diagnostic in found if diagnostic.level == "problem"] == []
    assert {Diagnostic("ok", "api", "can start"), Diagnostic("ok", "worker", "can start")} <= set(found)


async def test_an_unmigrated_database_and_missing_topics_are_problems(service, settings):
    """The diagnostics contain the command that helps and the full names of the topics. The check creates no topic."""
    for _ in range(2):
        missing = await problems(service, settings)

        assert missing.keys() == {"database", *(f"topic {name}" for name in names(service, settings))}
        assert "Run `didflow-inventory migrate`" in missing["database"]


async def test_a_database_that_is_too_old_is_a_problem(service, settings, monkeypatch):
    """The diagnostic has both versions. It is reported before any missing table."""
    monkeypatch.setattr(checks, "OLDEST_POSTGRES", 99)
    (wrong,) = await checks.check_database(service, settings)

    assert wrong.level == "problem"
    assert wrong.detail.startswith("It is PostgreSQL ")
    assert "Version 99 or later is required." in wrong.detail


async def test_topics_with_different_partition_counts_are_a_problem(service, settings):
    """All events of a number are read by one worker only if all topics have the same number of partitions."""
    await migrate.upgrade(settings.dsn, service)
    first, *others = names(service, settings)
    await create_topics(settings.kafka, [first], partitions=2)
    await create_topics(settings.kafka, others, partitions=1)
    try:
        wrong = await problems(service, settings)
    finally:
        await delete_topics(settings.kafka, [first, *others])

    assert f"{first} 2" in wrong["kafka"]


async def test_an_api_without_a_token_issuer_is_a_problem(service, ready):
    """`api` refuses to start without an issuer, so `check` reports it."""
    wrong = await problems(service, ready.model_copy(update={"oidc_issuer": None}))

    assert "DIDFLOW_OIDC_ISSUER" in wrong["settings"]


async def test_a_worker_with_an_unsupported_library_is_a_problem(service, ready, monkeypatch):
    """`worker` refuses to start with a version of aiokafka that was not tested, so `check` reports it."""
    monkeypatch.setattr(fetch_sessions, "FITS", {"aiokafka": {"9.9.9"}})
    wrong = await problems(service, ready)

    assert wrong.keys() == {"worker"}
    assert "Install aiokafka==9.9.9." in wrong["worker"]


async def test_what_fails_at_the_start_of_a_process_is_a_problem(service, ready):
    """`on_start` runs in every process, so `check` runs it, too."""

    def missing_file() -> None:
        raise FileNotFoundError("areas.bin")

    wrong = await problems(replace(service, on_start=missing_file), ready)

    assert wrong == {"api": "cannot start: areas.bin", "worker": "cannot start: areas.bin"}


@pytest.mark.parametrize(
    ("changed", "warning"),
    [
        ({"health_host": "127.0.0.1"}, "DIDFLOW_HEALTH_HOST is a loopback address"),
        ({"http_host": "localhost"}, "DIDFLOW_HTTP_HOST is a loopback address"),
        ({"production": False}, "DIDFLOW_PRODUCTION is false"),
        ({"kafka_security_protocol": "PLAINTEXT"}, "traffic is not encrypted"),
        ({"unregistered_sources": "open"}, "may name any account"),
        ({"sources_file": None}, "all events from outside become dead letters"),
    ],
)
def test_settings_that_are_dangerous_in_production_are_warnings(settings, changed, warning):
    """A warning does not fail the check."""
    safe = {
        "http_host": "10.0.0.1",
        "oidc_audience": "didflow",
        "kafka_security_protocol": "SSL",
        "production": True,
        "sources_file": Path("sources.json"),
        "unregistered_sources": "closed",
    }
    found = checks.check_settings(settings.model_copy(update=safe))
    assert [diagnostic.level for diagnostic in found] == ["ok"]

    found = checks.check_settings(settings.model_copy(update=safe | changed))
    assert [diagnostic.level for diagnostic in found] == ["warning", "ok"]
    assert warning in found[0].detail
