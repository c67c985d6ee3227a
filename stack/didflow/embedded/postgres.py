"""A real PostgreSQL 18 on loopback for as long as its host runs.

The server ends with its host (see `leash`); one that outlived its host all the same is ended before a new one
starts in its folder.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import asyncpg
import psutil

from didflow.embedded.child import Child, has_ended
from didflow.embedded.cluster import (
    SCRAM_ITERATIONS,
    ClusterFolder,
    PostgresDidNotStartError,
    initialized,
)
from didflow.embedded.os_account import reachable_folder, server_os_account
from didflow.embedded.ports import free_port
from didflow.embedded.postgres_programs import programs
from didflow.embedded.wait import DeadlineMissedError, until

MAX_CONNECTIONS: Final = 200
_START_SECONDS: Final = 30.0
_ATTEMPTS: Final = 3
_FAST_THEN_HARD: Final = ((signal.SIGINT, 8.0), (signal.SIGQUIT, 4.0), (signal.SIGKILL, 4.0))
_SAFE: Final[Mapping[str, str]] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": str(MAX_CONNECTIONS),
    # Files instead of POSIX shared memory: a killed server leaves nothing outside its folder.
    "dynamic_shared_memory_type": "mmap",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "scram_iterations": SCRAM_ITERATIONS,
}
_QUICK: Final = {**_SAFE, "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(kw_only=True)
class EmbeddedPostgres:
    """A running server. `dsn` is that of its superuser, for asyncpg, psql or any other client."""

    dsn: str
    folder: Path
    port: int
    child: Child = field(repr=False)
    lock: IO[bytes] = field(repr=False)

    @classmethod
    async def start(cls, folder: Path, *, port: int | None = None, durable: bool = True) -> Self:
        """Start the server of a folder. At first use the folder is created; see `reachable_folder` for its place.

        `durable=False` is faster but not safe against power failure. Call this from the host's main thread.
        Raises PostgresInUseError, PostgresDidNotStartError, PostgresMissingError.
        """
        account = server_os_account()
        place = ClusterFolder(root=await asyncio.to_thread(reachable_folder, folder, account))
        lock = place.lock()
        try:
            await _end_orphan(place)
            found = await asyncio.to_thread(programs, account)
            password = await asyncio.to_thread(initialized, place, found, account)
            child, used = await _run(place, found, port, _SAFE if durable else _QUICK)
        except BaseException:
            lock.close()
            raise
        dsn = f"postgresql://postgres:{password}@127.0.0.1:{used}/postgres"
        server = cls(dsn=dsn, folder=place.root, port=used, child=child, lock=lock)
        await server._close_to_public()
        return server

    async def stop(self) -> None:
        """Stop the server, roll back its sessions, and unlock the folder. It can be called more than once."""
        await self.child.stop(_FAST_THEN_HARD)
        self.lock.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _close_to_public(self) -> None:
        """Revoke the right of service roles to connect to the server's own databases."""
        try:
            connection = await asyncpg.connect(self.dsn)
            try:
                await connection.execute("REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC")
            finally:
                await connection.close()
        except BaseException:
            await self.stop()
            raise


async def _end_orphan(place: ClusterFolder) -> None:
    """Stop a server that still runs in this folder although its host has ended."""
    orphan = await asyncio.to_thread(place.running)
    if orphan is None:
        return
    for number, patience in _FAST_THEN_HARD:
        with contextlib.suppress(psutil.NoSuchProcess):
            orphan.send_signal(number)
        try:
            await until(lambda: has_ended(orphan), within=patience, what="end of a left-over server")
        except DeadlineMissedError:
            continue
        return


async def _run(
    place: ClusterFolder, found: Path, port: int | None, settings: Mapping[str, str]
) -> tuple[Child, int]:
    """Start the server and wait until it is ready. If the free port was taken in the meantime, try another one."""
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    log_tail = ""
    for _ in range(_ATTEMPTS):
        used = port or free_port()
        child = Child.start(
            [str(found / "postgres"), "-D", str(place.data), "-p", str(used), *options],
            log=place.log,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            cwd=place.root,
            account=server_os_account(),
            when_host_dies=signal.SIGINT,
        )
        if await _becomes_ready(place, child):
            return child, used
        log_tail = child.log_tail()
    raise PostgresDidNotStartError(log_tail)


async def _becomes_ready(place: ClusterFolder, child: Child) -> bool:
    def settled() -> bool:
        return child.exit_code is not None or place.is_ready(child.pid)

    try:
        await until(settled, within=_START_SECONDS, what="start of PostgreSQL")
    except DeadlineMissedError:
        await child.stop(_FAST_THEN_HARD)
    except BaseException:
        child.send(signal.SIGQUIT)
        raise
    return child.exit_code is None
