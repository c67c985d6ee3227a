"""The second lock, through a hole made on purpose: the condition of tenancy is missing in every query.

Policies of the database then limit what HTTP reads. Inventory has none: it compares each row before it shows it.
"""

from collections.abc import Iterator
from typing import Final

import asyncpg
import pytest
import sqlalchemy as sa
from tenancy.callers import FOREIGN, ONE_LOOP, send, strangers, things_of, together
from tenancy.checks import difference, markers, shown
from tenancy.estate import CHILD, OWNER, Estate
from tenancy.requests import Operation, operations, requests_of
from tenancy.rows import PATH

from didflow.services import service
from didflow_chassis import tenancy
from didflow_chassis.grants import append_only_tables, tables_of
from didflow_chassis.row_access import condition_of, rule_of
from didflow_contracts.topics import SERVICES

WITH_POLICIES: Final = ("verification", "billing", "provisioning")
STRANGER: Final = "rival"


@pytest.fixture
def hole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the condition of tenancy from every query."""
    monkeypatch.setattr(tenancy, "in_subtree", lambda _column, _account: sa.true())


def reads(name: str) -> Iterator[Operation]:
    """Yield the operations of a service that read."""
    yield from (each for each in operations(name) if each.method == "GET" and not each.is_stream)


def tables_with_policies(name: str) -> list[str]:
    """Return the tables of a service that have a policy for HTTP."""
    found = tables_of(service(name)).items()
    return [each for each, table in found if (rule := rule_of(table)) and condition_of(each, rule)]


@ONE_LOOP
@pytest.mark.usefixtures("hole")
@pytest.mark.parametrize("name", WITH_POLICIES)
async def test_without_the_condition_in_a_query_no_list_shows_anything_foreign(
    estate: Estate, name: str
) -> None:
    """Every list of the service, for every role, in unrelated, similarly named and lower accounts."""
    checks = [
        shown(estate, operation, caller)
        for operation in reads(name)
        if not operation.path_things
        for caller in strangers(operation, "")
    ]
    assert await together(checks) == []


@ONE_LOOP
@pytest.mark.usefixtures("hole")
@pytest.mark.parametrize("name", WITH_POLICIES)
async def test_without_the_condition_in_a_query_foreign_things_are_like_absent_ones(
    estate: Estate, name: str
) -> None:
    """Every route that reads something named in its path."""
    checks = [
        difference(estate, request, caller)
        for operation in reads(name)
        for request in requests_of(operation)
        if request.place == PATH
        for caller in strangers(operation)
    ]
    assert await together(checks) == []


@ONE_LOOP
@pytest.mark.usefixtures("hole")
async def test_without_the_condition_in_a_query_inventory_shows_nothing_foreign(estate: Estate) -> None:
    """It answers 500, so that the defect is seen, and never a page that is only a part of what was asked for."""
    answered = set()
    for operation in reads("inventory"):
        role = next((role for role in operation.roles if role not in ("operator", "user")), None)
        if role is None:
            continue
        for request in requests_of(operation):
            answer = (await send(estate, (STRANGER, role), request, things_of(estate, OWNER))).answer
            named = request.filled(things_of(estate, STRANGER), things_of(estate, OWNER))
            found = [text for text in markers(estate, (STRANGER, role)) if text in answer.text]
            assert not [text for text in found if text not in str(named)], operation.route
            answered.add((operation.path, answer.status_code))
        if not operation.path_things:
            answer = await estate.client("inventory", STRANGER, role).get(operation.path)
            assert not [text for text in markers(estate, (STRANGER, role)) if text in answer.text]
            answered.add((operation.path, answer.status_code))
    for path in ("/v1/dids", "/v1/dids/summary", "/v1/dids/{did}", "/v1/dids/{did}/history", "/v1/accounts"):
        assert (path, 500) in answered, path


@ONE_LOOP
@pytest.mark.parametrize("name", WITH_POLICIES)
async def test_without_a_reach_no_row_is_read(estate: Estate, name: str) -> None:
    """Each table has rows that an operator reads, and none that a session without a reach reads."""
    opened = estate.opened[name]
    for table in tables_with_policies(name):
        rows = await opened.reads.fetch(f"SELECT FROM {table}")
        assert rows == [], table
    stored = [table for table in tables_with_policies(name) if await opened.count(table)]
    assert len(stored) >= 3


@ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_the_reach_ends_with_its_transaction(estate: Estate, name: str) -> None:
    """The next reader on the same connection has no reach."""
    reading = estate.opened[name].reads
    for account in (OWNER, CHILD, *FOREIGN):
        caller = tenancy.Caller(subject="ann", account=account, role="reseller")
        statement = sa.select(sa.literal_column("current_setting('didflow.reach')").label("reach"))
        assert [row["reach"] for row in await reading.read(statement, caller)] == [account]
    assert {row[0] for row in await reading.fetch("SELECT current_setting('didflow.reach', true)")} <= {
        None,
        "",
    }


@ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_http_reads_as_a_role_that_cannot_write(estate: Estate, name: str) -> None:
    """Neither an account in quotes nor a statement that writes gets past it."""
    reading = estate.opened[name].reads
    odd = tenancy.Caller(subject="ann", account="x', true); RESET ROLE; --", role="reseller")
    asked = sa.select(sa.literal_column("current_user").label("role"))
    assert [row["role"] for row in await reading.read(asked, odd)] == [f"test_{name}_reader"]
    async with reading.pool.acquire() as connection:
        for table in await tables_in(estate, name):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"BEGIN READ WRITE; DELETE FROM {table}")
            await connection.execute("ROLLBACK")


@ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_the_service_cannot_change_a_line_that_was_written(estate: Estate, name: str) -> None:
    """Ledger, history and the like: no UPDATE, DELETE or TRUNCATE by the service's own role."""
    tables = append_only_tables(service(name))
    assert {"billing": "ledger", "inventory": "history", "verification": "detail_changes"}.get(name) in {
        *tables,
        None,
    }
    for table in tables:
        column = tables_of(service(name))[table].c.keys()[-1]
        for statement in (
            f'UPDATE {table} SET "{column}" = "{column}"',
            f"DELETE FROM {table}",
            f"TRUNCATE {table}",
        ):
            await refused(estate, name, statement)


@ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_the_service_cannot_remove_the_lock(estate: Estate, name: str) -> None:
    """Its own role owns no table: it cannot alter or drop one, nor its policies, nor take a right."""
    for table in await tables_in(estate, name):
        await refused(estate, name, f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        await refused(estate, name, f"ALTER TABLE {table} ADD COLUMN more text")
        await refused(estate, name, f"DROP TABLE {table} CASCADE")
        await refused(estate, name, f"CREATE POLICY more ON {table} USING (true)")
    for table in tables_with_policies(name):
        await refused(estate, name, f"DROP POLICY reader ON {table}")
    await refused(estate, name, "CREATE TABLE more (n int)")
    await refused(estate, name, f"SET ROLE test_{name}_owner")


async def tables_in(estate: Estate, name: str) -> list[str]:
    """Return the tables of a service's database, without views."""
    rows = await estate.opened[name].fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return [row[0] for row in rows]


async def refused(estate: Estate, name: str, statement: str) -> None:
    """Run a statement as the service's own role. PostgreSQL must refuse it."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await estate.opened[name].database.pool.execute(statement)


def test_every_table_that_a_route_reads_has_a_rule() -> None:
    """A new table cannot be read over HTTP until its rule is declared. Those without one are known."""
    unread = {
        name: {n for n, table in tables_of(service(name)).items() if not rule_of(table)} for name in SERVICES
    }
    chassis = {"inbox", "outbox", "handled_letters"}
    assert unread == {
        "inventory": chassis
        | {
            "held_numbers",
            "reservations",
            "ordered_numbers",
            "user_uses",
            "carrier_uses",
            "operator_uses",
            "package_uses",
        },
        "verification": chassis
        | {"approvals", "catalogue_changes", "detail_changes", "document_chunks"}
        | {"document_contents", "personal_reads"}
        | {"detail_uses", "judged_details", "others_pending", "owned_details", "used_details"},
        "billing": chassis,
        "provisioning": chassis
        | {"sms_trunk_uses", "credential_reads"}
        | {"number_queues", "voice_target_uses", "carrier_turns", "carrier_loads"}
        | {"automatic_profiles", "configuration_profile_uses", "naming_profiles"},
    }
