"""The dead letters of several services, on real databases."""

from collections.abc import Mapping
from uuid import UUID, uuid4

import asyncpg
import pytest
from harness.fixtures import DatabaseFor
from harness.migrations import migration_of

from didflow import dead_letters
from didflow_contracts.ids import uuid7

WRITE = """
INSERT INTO dead_letters (id, at, reason, detail, topic, partition, "offset", key, value, headers, truncated)
VALUES ($1, clock_timestamp(), $2, 'why', 'did.purchased', 0, $3, 'k', 'v', '[]', $4)
"""


@pytest.fixture
async def databases(database_for: DatabaseFor) -> Mapping[str, str]:
    return {
        "billing": await database_for("billing", migration_of("billing")),
        "provisioning": await database_for("provisioning", migration_of("provisioning")),
    }


async def given(dsn: str, reason: str = "not_json", *, truncated: bool = False) -> UUID:
    letter_id = uuid7()
    connection = await asyncpg.connect(dsn)
    await connection.execute(WRITE, letter_id, reason, letter_id.int % 1000, truncated)
    await connection.close()
    return letter_id


async def parked(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    count = await connection.fetchval("SELECT count(*) FROM parked WHERE due_at IS NOT NULL")
    await connection.close()
    return count


async def test_dead_letters_of_all_services_are_listed_by_age(databases: Mapping[str, str]) -> None:
    """The oldest comes first, whatever its service. A reason narrows the list."""
    ids = [await given(databases[name]) for name in ("billing", "provisioning", "billing")]
    other = await given(databases["billing"], "invalid_data")
    listed = await dead_letters.listed(databases, reason=None, limit=10)
    assert [one.letter.id for one in listed] == [*ids, other]
    assert [one.service for one in listed] == ["billing", "provisioning", "billing", "billing"]
    narrowed = await dead_letters.listed(databases, reason="invalid_data", limit=10)
    assert [one.letter.id for one in narrowed] == [other]
    assert len(await dead_letters.listed(databases, reason=None, limit=2)) == 2
    assert (await dead_letters.counted(databases))["billing"] == {"not_json": 2, "invalid_data": 1}


async def test_a_dead_letter_is_found_by_its_id_alone(databases: Mapping[str, str]) -> None:
    """The caller does not need to know the service."""
    one, two = await given(databases["billing"]), await given(databases["provisioning"])
    found = await dead_letters.found(databases, two)
    assert found is not None
    assert (found[0], found[1].id) == ("provisioning", two)
    handled = await dead_letters.retry(databases, [one, two])
    assert [(h.service, h.outcome) for h in handled] == [("billing", "retried"), ("provisioning", "retried")]
    assert [await parked(dsn) for dsn in databases.values()] == [1, 1]


async def test_a_second_retry_has_nothing_to_do(databases: Mapping[str, str]) -> None:
    """Two retries have one effect. An unknown id has none."""
    one = await given(databases["billing"])
    await dead_letters.retry(databases, [one])
    handled = await dead_letters.retry(databases, [one, uuid4()])
    assert [h.outcome for h in handled] == ["absent", "absent"]
    assert await parked(databases["billing"]) == 1


async def test_one_truncated_record_does_not_stop_the_others(databases: Mapping[str, str]) -> None:
    """It is refused as truncated and stays, and it can be dropped. The others are retried."""
    cut, whole = await given(databases["billing"], truncated=True), await given(databases["billing"])
    handled = await dead_letters.retry(databases, [cut, whole])
    assert [h.outcome for h in handled] == ["truncated", "retried"]
    assert [one.letter.id for one in await dead_letters.listed(databases, reason=None, limit=9)] == [cut]
    assert [h.outcome for h in await dead_letters.drop(databases, [cut])] == ["dropped"]
