"""The embedded PostgreSQL: it is real and durable, its roles are separate, and it ends with its host."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from harness.processes import Processes, has_ended, until

from didflow.embedded import os_account, postgres_programs
from didflow.embedded.cluster import PostgresInUseError
from didflow.embedded.databases import create_service_databases
from didflow.embedded.postgres import EmbeddedPostgres
from didflow.embedded.temporary_folder import temporary_folder

HOST = """
import asyncio, sys
from pathlib import Path
from didflow.embedded.postgres import EmbeddedPostgres

async def main():
    server = await EmbeddedPostgres.start(Path(sys.argv[1]))
    print("postmaster", server.child.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder that servers of any account can reach."""
    with temporary_folder(in_memory=True) as made:
        yield made / "postgres"


async def fetch(dsn: str, statement: str) -> object:
    """Run one statement on its own connection and return its first value."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def refusal(dsn: str, statement: str = "SELECT 1") -> str:
    """Return the SQLSTATE with which a statement, or the connection, is refused."""
    with pytest.raises(asyncpg.PostgresError) as caught:
        await fetch(dsn, statement)
    return str(caught.value.sqlstate)


async def test_committed_rows_survive_a_restart(folder: Path) -> None:
    """A second start of the folder finds the rows and the password of the first one."""
    async with await EmbeddedPostgres.start(folder) as first:
        await fetch(first.dsn, "CREATE TABLE kept AS SELECT 7 AS n")
    async with await EmbeddedPostgres.start(folder, port=first.port) as second:
        assert second.dsn == first.dsn
        assert await fetch(second.dsn, "SELECT n FROM kept") == 7


async def test_committed_rows_survive_a_kill_of_the_server(folder: Path) -> None:
    """fsync is on. A SIGKILL of the postmaster loses no committed row."""
    first = await EmbeddedPostgres.start(folder)
    assert await fetch(first.dsn, "SHOW fsync") == "on"
    await fetch(first.dsn, "CREATE TABLE kept AS SELECT 7 AS n")
    await first.child.kill()
    await first.stop()
    async with await EmbeddedPostgres.start(folder) as second:
        assert await fetch(second.dsn, "SELECT n FROM kept") == 7


async def test_it_accepts_two_hundred_connections_and_is_release_18(postgres: EmbeddedPostgres) -> None:
    """Four services with their pools and a person with psql fit at the same time."""
    assert await fetch(postgres.dsn, "SHOW max_connections") == "200"
    assert str(await fetch(postgres.dsn, "SHOW server_version")).startswith("18")


async def test_a_wrong_password_is_refused(postgres: EmbeddedPostgres) -> None:
    """Passwords are checked on loopback too."""
    password = postgres.dsn.split(":")[2].split("@")[0]
    assert await refusal(postgres.dsn.replace(password, "0" * 32)) == "28P01"


async def test_two_hosts_never_share_a_folder(folder: Path) -> None:
    """The second host gets an error and does not damage the cluster of the first one."""
    async with await EmbeddedPostgres.start(folder):
        with pytest.raises(PostgresInUseError):
            await EmbeddedPostgres.start(folder)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_no_postmaster_is_left_when_its_host_is_killed(
    folder: Path, processes: Processes, number: signal.Signals
) -> None:
    """A SIGKILL of the host ends the server too, and the folder can be used again."""
    host = processes.start("host", [sys.executable, "-c", HOST, str(folder)])
    await until(lambda: "postmaster" in host.log.read_text(), within=20, what="start of the server")
    postmaster = psutil.Process(int(host.log.read_text().split()[1]))
    assert postmaster.name() == "postgres"
    family = [postmaster, *postmaster.children()]
    host.send(number)
    await until(lambda: all(has_ended(process) for process in family), within=10, what="end of the server")
    async with await EmbeddedPostgres.start(folder) as server:
        assert await fetch(server.dsn, "SELECT 1") == 1


async def test_a_server_that_outlived_its_host_is_ended_at_the_next_start(folder: Path) -> None:
    """On a system without a parent-death signal, the next start first ends the old server."""
    orphan = await EmbeddedPostgres.start(folder)
    orphan.lock.close()
    async with await EmbeddedPostgres.start(folder) as server:
        assert orphan.child.exit_code == 0
        assert await fetch(server.dsn, "SELECT 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has places that its servers cannot enter")
async def test_root_can_use_private_folders(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server drops root. Data and programs that it could not reach are put where it can."""
    home, public = folder.parent / "home", folder.parent / "public"
    for path, mode in ((home, 0o700), (public, 0o711)):
        path.mkdir(mode=mode)
    for tree in (postgres_programs._TREE, postgres_programs._LIBRARIES):
        shutil.copytree(postgres_programs._site_folder() / tree, home / tree)
    monkeypatch.setattr(postgres_programs, "_site_folder", lambda: home)
    monkeypatch.setattr(os_account, "_SHARED_ROOT", public)
    async with await EmbeddedPostgres.start(home / "postgres") as server:
        assert await fetch(server.dsn, "SELECT 1") == 1
        assert psutil.Process(server.child.pid).uids().effective != 0
        assert server.folder.is_relative_to(public)


async def test_each_service_gets_its_database_and_role(postgres: EmbeddedPostgres) -> None:
    """The owner creates tables, and the service's own role does not have them. A second call changes only passwords."""
    first = await create_service_databases(postgres.dsn, ["inventory", "billing"])
    await fetch(first["billing"].owner_dsn, "CREATE TABLE kept AS SELECT 7 AS n")
    second = await create_service_databases(postgres.dsn, ["inventory", "billing"])
    assert list(second) == ["inventory", "billing"]
    assert await fetch(second["billing"].owner_dsn, "SELECT n FROM kept") == 7
    assert await fetch(second["billing"].dsn, "SELECT current_user || ' ' || current_database()") == (
        "didflow_billing didflow_billing"
    )
    assert await refusal(second["billing"].dsn, "SELECT n FROM kept") == "42501"
    assert await refusal(first["billing"].dsn) == "28P01"


@pytest.mark.parametrize("database", ["didflow_billing", "postgres", "template1"])
async def test_a_role_cannot_connect_to_another_database(postgres: EmbeddedPostgres, database: str) -> None:
    """A service with its own password cannot read the data of another service."""
    made = await create_service_databases(postgres.dsn, ["inventory", "billing"])
    foreign = made["inventory"].dsn.rpartition("/")[0] + f"/{database}"
    assert await refusal(foreign) == "42501"


async def test_a_role_cannot_create_databases_or_roles(postgres: EmbeddedPostgres) -> None:
    """An attacker who controls a service cannot widen its rights."""
    made = await create_service_databases(postgres.dsn, ["inventory"])
    assert await refusal(made["inventory"].owner_dsn, "CREATE DATABASE more") == "42501"
    assert await refusal(made["inventory"].owner_dsn, "CREATE ROLE more") == "42501"


async def test_an_admin_without_superuser_rights_can_create_them(postgres: EmbeddedPostgres) -> None:
    """CREATEDB and CREATEROLE are enough, as hosted PostgreSQL grants them."""
    await fetch(postgres.dsn, "CREATE ROLE landlord LOGIN CREATEDB CREATEROLE PASSWORD 'landlord'")
    await fetch(postgres.dsn, "GRANT CONNECT ON DATABASE postgres TO landlord")
    password = postgres.dsn.split(":")[2].split("@")[0]
    admin = postgres.dsn.replace(f"postgres:{password}", "landlord:landlord")
    for _ in range(2):
        made = await create_service_databases(admin, ["let"])
        assert await fetch(made["let"].owner_dsn, "CREATE TABLE IF NOT EXISTS t AS SELECT 1") is None
