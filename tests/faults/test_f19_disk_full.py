"""F19: the database's disk is full. (The broker's is a written procedure: its JVM ends itself then.)"""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest
from faults.installation import InstallOn, Member
from faults.invariants import Judge
from faults.oracle import Ask
from faults.servers import DatabaseServer
from harness.processes import until

from didflow.embedded.postgres import EmbeddedPostgres
from didflow.embedded.temporary_folder import temporary_folder

DISK: Final = "256m"
LEFT: Final = 2**19
"""What is left free: enough for a few transactions, not for a load."""


@pytest.fixture
def disk() -> Iterator[Path]:
    """A small file system of this test's own."""
    with temporary_folder() as folder:
        place = folder / "disk"
        place.mkdir()
        mounting = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "tmpfs", str(place)]
        if os.geteuid() or subprocess.run(mounting, capture_output=True, check=False).returncode:
            pytest.skip("a file system can be mounted by root only")
        try:
            yield place
        finally:
            subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
async def server(disk: Path) -> AsyncIterator[DatabaseServer]:
    """A database server on that disk."""
    folder = disk / "postgres"
    server = DatabaseServer(folder=folder, running=await EmbeddedPostgres.start(folder))
    try:
        yield server
    finally:
        await server.stop()


def fill(disk: Path) -> Path:
    """Take nearly all that is free, and return what takes it."""
    room = os.statvfs(disk)
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - LEFT)
    return ballast


async def wrong(member: Member) -> str:
    """Ask what is wrong with a process; an empty text when it is ready."""
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        response = await client.get(f"{member.health}/healthz/ready")
    return "" if response.is_success else response.text


async def test_a_full_disk_refuses_cleanly_and_all_goes_on_after_it(
    disk: Path, server: DatabaseServer, install_on: InstallOn, ask: Ask, judge: Judge
) -> None:
    """F19: no offset passes what was not written, readiness says it, HTTP answers 503; with space again, I1 to I8."""
    at = install_on(await server.databases(["billing"]))
    oracle = await ask(at)
    worker, api = await asyncio.gather(at.worker("billing").ready(), at.api("billing").ready())
    (first, *_) = await oracle.purchase(20)
    assert await at.unrest() == []
    ballast = fill(disk)

    async def refuses() -> bool:
        await oracle.purchase(50)
        return "database" in await wrong(worker)

    await until(refuses, within=30, what="a worker that is not ready")
    async with httpx.AsyncClient(base_url=api.base, timeout=20, trust_env=False) as client:
        headers = {"Authorization": f"Bearer {at.token()}", "Idempotency-Key": "while full"}
        wish = {"dids": [first.did_id], "billing_cycles": 3}

        async def refused() -> bool:
            answer = await client.post("/v1/terms/batch/set-cycles", json=wish, headers=headers)
            return answer.status_code == 503 and int(answer.headers["retry-after"]) > 0

        await until(refused, within=20, what="503 with Retry-After")
    ballast.unlink()
    await until(lambda: is_ready(worker), within=30, what="readiness again")
    await judge(at, oracle)
    assert worker.process.exit_code is None


async def is_ready(member: Member) -> bool:
    """Whether a process is ready."""
    return not await wrong(member)
