"""The check of the roles of a database, and the rights that a second migration grants."""

from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from harness.fixtures import DatabaseFor
from harness.migrations import migration_of
from harness.postgres import owner_dsn_of, reader_for

from didflow.embedded.databases import roles_of
from didflow.services import service
from didflow_chassis.checks import check_roles
from didflow_chassis.database import Outage, read_only_snapshot
from didflow_chassis.decision import Caller
from didflow_chassis.migrate import upgrade
from didflow_chassis.read_pool import ReadingDatabase
from didflow_chassis.settings import Settings


def settings(dsn: str, reader: str | None) -> Settings:
    """Return settings with these roles."""
    values: dict[str, Any] = {"kafka": "127.0.0.1:1", "postgres": dsn, "postgres_reader": reader}
    return Settings(**values)


async def warnings(dsn: str, reader: str | None) -> list[str]:
    """Return what the check says about the roles."""
    found = await check_roles(settings(dsn, reader))
    assert {each.level for each in found} <= {"warning"}
    return [each.detail for each in found]


async def test_the_check_warns_of_a_role_that_can_pass_the_second_lock(database_for: DatabaseFor) -> None:
    """A role that owns the tables, no role for HTTP, and a role for HTTP that owns the tables."""
    dsn = await database_for("billing", migration_of("billing"))
    reader = reader_for(dsn)
    assert await warnings(dsn, reader) == []
    (owns,) = await warnings(owner_dsn_of(dsn), reader)
    assert "owns tables" in owns
    (unlimited,) = await warnings(dsn, None)
    assert "DIDFLOW_POSTGRES_READER is not set" in unlimited
    (past,) = await warnings(dsn, "test_billing_owner")
    assert "reads as" in past


async def test_a_second_migration_grants_rights_again_and_leaves_policies_alone(
    database_for: DatabaseFor,
) -> None:
    """Rights that were added by hand are taken back. An unchanged policy, which would lock its table, stays."""
    dsn = await database_for("billing", migration_of("billing"))
    owner = await asyncpg.connect(owner_dsn_of(dsn))
    try:
        await owner.execute("GRANT UPDATE ON ledger TO test_billing")
        before = await owner.fetch("SELECT oid FROM pg_policy ORDER BY oid")
        await upgrade(owner_dsn_of(dsn), service("billing"), roles_of(owner_dsn_of(dsn)))
        assert not await owner.fetchval("SELECT has_table_privilege('test_billing', 'ledger', 'UPDATE')")
        assert await owner.fetch("SELECT oid FROM pg_policy ORDER BY oid") == before
        assert before
    finally:
        await owner.close()


async def test_a_read_takes_three_round_trips(database_for: DatabaseFor) -> None:
    """BEGIN goes to the server together with the reach."""
    dsn = await database_for("billing", migration_of("billing"))
    reads = ReadingDatabase(dsn, application="test", role=reader_for(dsn), size=1)
    await reads.start()
    try:
        sent: list[str] = []
        async with reads.pool.acquire() as connection:
            connection._con.add_query_logger(lambda query: sent.append(query.query))
        caller = Caller(subject="ann", account="master/acme", role="reseller")
        await reads.read(sa.select(sa.literal_column("1")), caller)
        assert [text.split()[0] for text in sent] == ["BEGIN", "SELECT", "COMMIT"]
    finally:
        await reads.stop()


async def test_a_snapshot_of_a_role_that_policies_limit_is_refused(database_for: DatabaseFor) -> None:
    """The consistency check reads all rows as the service or as the owner. With a part of them it would be wrong."""
    dsn = await database_for("billing", migration_of("billing"))
    for whole in (dsn, owner_dsn_of(dsn)):
        async with read_only_snapshot(whole, application="test") as connection:
            assert await connection.fetchval("SELECT count(*) FROM ledger") == 0
    with pytest.raises(Outage, match="ledger"):
        async with read_only_snapshot(f"{dsn}?role={reader_for(dsn)}", application="test"):
            pytest.fail("It was opened.")
