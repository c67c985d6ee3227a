"""A PostgreSQL server's folder: who may use it, its files, and what another host left running in it.

A cluster is there whole or not at all; the kernel frees the lock with its holder, however that one ended.
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

SCRAM_ITERATIONS = "1"
"""Passwords here are 128 random bits: hashing them slowly protects nothing and costs each connection."""


class PostgresInUseError(RuntimeError):
    """Another live process runs a server in this folder."""

    code = "postgres_in_use"


class PostgresDidNotStartError(RuntimeError):
    """The server could not be made, or ended or stayed silent at its start; the message says its last words."""

    code = "postgres_did_not_start"


@dataclass(frozen=True, kw_only=True)
class ClusterFolder:
    """What lies where in a server's folder."""

    root: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.root / "cluster"

    @property
    def password(self) -> Path:
        """The superuser's password, readable by the server's account alone."""
        return self.root / "password"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.root / "server.log"

    def lock(self) -> IO[bytes]:
        """Take the folder for this process until the returned file is closed. Raises PostgresInUseError."""
        lock = (self.root / "lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise PostgresInUseError(f"another process runs the server in {self.root}") from None
        return lock

    def is_ready(self, pid: int) -> bool:
        """Say whether the server with this process id takes connections."""
        lines = self._pid_file()
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def running(self) -> psutil.Process | None:
        """Find the server process that uses this folder."""
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
    """Make the cluster unless it is there and return its superuser's password.

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
