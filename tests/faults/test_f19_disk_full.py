"""F19: the database's disk is full. (The broker's disk has a written procedure, because the broker then exits.)"""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest
from faults.database_server import DatabaseServer
from faults.installation import InstallOn, Member
from faults.invariants import CheckInvariants
from faults.recording_client import OpenClient
from harness.processes import until

from didflow.embedded.postgres import EmbeddedPostgres
from didflow.embedded.temporary_folder import temporary_folder

DISK: Final = "256m"
FREE_BYTES: Final = 2**19
"""The free space that is left: enough for a few transactions, but not for a load."""


@pytest.fixture
def disk() -> Iterator[Path]:
    """Mount a small file system for this test."""
    with temporary_folder() as folder:
        mount = folder / "disk"
        mount.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "tmpfs", str(mount)]
        if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("only root can mount a file system")
        try:
            yield mount
        finally:
            subprocess.run(["umount", "--lazy", str(mount)], check=True)


@pytest.fixture
async def server(disk: Path) -> AsyncIterator[DatabaseServer]:
    """Run a database server on that disk."""
    folder = disk / "postgres"
    server = DatabaseServer(folder=folder, running=await EmbeddedPostgres.start(folder))
    try:
        yield server
    finally:
        await server.stop()


def fill(disk: Path) -> Path:
    """Write a file that takes nearly all free space. Return its path."""
    space = os.statvfs(disk)
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, space.f_bavail * space.f_frsize - FREE_BYTES)
    return ballast


async def readiness_problem(member: Member) -> str:
    """Return the body of a failed readiness probe, or an empty text if the process is ready."""
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        response = await client.get(f"{member.health}/healthz/ready")
    return "" if response.is_success else response.text


async def test_a_full_disk_loses_nothing_and_processing_continues_afterwards(
    disk: Path,
    server: DatabaseServer,
    install_on: InstallOn,
    open_client: OpenClient,
    check_invariants: CheckInvariants,
) -> None:
    """F19: no offset passes unwritten data, readiness fails, HTTP answers 503. With free space again, I1 to I8 hold."""
    installation = install_on(await server.databases(["billing"]))
    client = await open_client(installation)
    worker, api = await asyncio.gather(
        installation.worker("billing").ready(), installation.api("billing").ready()
    )
    (first, *_) = await client.purchase(20)
    assert await installation.unfinished_work() == []
    ballast = fill(disk)

    async def fails() -> bool:
        await client.purchase(50)
        return "database" in await readiness_problem(worker)

    await until(fails, within=30, what="a worker that is not ready")
    async with httpx.AsyncClient(base_url=api.base, timeout=20, trust_env=False) as http:
        headers = {"Authorization": f"Bearer {installation.token()}", "Idempotency-Key": "while full"}
        body = {"dids": [first.did_id], "billing_cycles": 3}

        async def refused() -> bool:
            answer = await http.post("/v1/terms/batch/set-cycles", json=body, headers=headers)
            return answer.status_code == 503 and int(answer.headers["retry-after"]) > 0

        await until(refused, within=20, what="503 with Retry-After")
    ballast.unlink()
    await until(lambda: is_ready(worker), within=30, what="readiness again")
    await check_invariants(installation, client)
    assert worker.process.exit_code is None


async def is_ready(member: Member) -> bool:
    """Return True if a process is ready."""
    return not await readiness_problem(member)
