"""The folder of a PostgreSQL server: its lock, its files, and the server that an earlier host left running in it.

A cluster exists completely or not at all. The kernel releases the lock when its holder ends.
"""

import fcntl
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from didflow.embedded.os_account import OsAccount
from didflow.private_files import private_log

SCRAM_ITERATIONS = "1"
"""The passwords have 128 random bits, so slow hashing adds no protection and only delays each connection."""


class PostgresInUseError(RuntimeError):
    """Another running process uses the server in this folder."""

    code = "postgres_in_use"


class PostgresDidNotStartError(RuntimeError):
    """The cluster could not be created, or the server exited or did not answer. The message has its last log lines."""

    code = "postgres_did_not_start"


@dataclass(frozen=True, kw_only=True)
class ClusterFolder:
    """The paths in a server's folder."""

    root: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.root / "cluster"

    @property
    def password(self) -> Path:
        """The file with the superuser's password. Only the server's account may read it."""
        return self.root / "password"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.root / "server.log"

    def lock(self) -> IO[bytes]:
        """Lock the folder for this process until the returned file is closed. Raises PostgresInUseError."""
        lock = private_log(self.root / "lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise PostgresInUseError(
                f"Another process uses the server in {self.root}. Stop it first, or use --data to name another folder."
            ) from None
        return lock

    def is_ready(self, pid: int) -> bool:
        """Return True if the server with this process id accepts connections."""
        lines = self._pid_file()
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def running(self) -> psutil.Process | None:
        """Return the server process that uses this folder, or None."""
        try:
            process = psutil.Process(int(self._pid_file()[0]))
            return process if str(self.data) in process.cmdline() else None
        except (IndexError, ValueError, psutil.NoSuchProcess):
            return None

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []


def initialized(folder: ClusterFolder, programs: Path, account: OsAccount | None) -> str:
    """Create the cluster if it does not exist. Return its superuser's password.

    Raises PostgresDidNotStartError.
    """
    if folder.data.is_dir():
        return folder.password.read_text()
    password = secrets.token_hex(16)
    draft = folder.root / "cluster.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    folder.password.touch(mode=0o600)
    folder.password.write_text(password)
    if account is not None:
        os.chown(draft, account.uid, account.gid)
        os.chown(folder.password, account.uid, account.gid)
    _initdb(draft, folder, programs, account)
    draft.rename(folder.data)
    return password


def _initdb(draft: Path, folder: ClusterFolder, programs: Path, account: OsAccount | None) -> None:
    command = [str(programs / "initdb"), "--pgdata", str(draft), "--username=postgres"]
    command += ["--pwfile", str(folder.password), "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync", "--no-instructions"]
    command += ["--set", f"scram_iterations={SCRAM_ITERATIONS}"]
    done = subprocess.run(  # noqa: S603 - our own program and paths
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=folder.root,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    if done.returncode:
        raise PostgresDidNotStartError(f"initdb: {done.stderr.strip()}")
