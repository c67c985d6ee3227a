"""A child process that cannot outlive its host: the kernel ends it when the host ends, for whatever reason.

Start children from the main thread. For Linux, the parent of a child is the thread that started it.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from didflow.embedded import parent_watch
from didflow.embedded.os_account import OsAccount
from didflow.embedded.wait import DeadlineMissedError, until
from didflow.private_files import private_log

TERMINATE_THEN_KILL = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))
"""SIGTERM first. After 10 seconds SIGKILL."""


@dataclass(frozen=True, kw_only=True)
class Child:
    """A process in its own session. Its output goes to `log`. Its pid is that of the command.

    Others may neither read the log nor the files that the process creates.
    """

    command: tuple[str, ...]
    log: Path
    process: subprocess.Popen[bytes]

    @classmethod
    def start(
        cls,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        account: OsAccount | None = None,
        when_host_dies: signal.Signals = signal.SIGKILL,
    ) -> Self:
        """Start `command`. Output is appended to `log`. If this process is root, the command runs as `account`.

        Raises OSError if the interpreter cannot be started. With an unknown command, the child exits at once.
        """
        uid, gid = (account.uid, account.gid) if account else (-1, -1)
        front = [sys.executable, "-I", "-S", parent_watch.__file__]
        bound = [str(os.getpid()), str(int(when_host_dies)), str(uid), str(gid)]
        with private_log(log) as output:
            process = subprocess.Popen(  # noqa: S603 - the caller's own command, no shell
                [*front, *bound, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                cwd=cwd,
                start_new_session=True,
                umask=0o077,
            )
        return cls(command=tuple(command), log=log, process=process)

    @property
    def pid(self) -> int:
        """The command's process id."""
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        """None while the command runs. If a signal ended it: minus the signal's number."""
        return self.process.poll()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the command. If the command has ended, nothing happens."""
        self.process.send_signal(number)

    async def ended(self, *, within: float) -> int:
        """Wait for the end and return the exit code. Raises DeadlineMissedError after `within` seconds."""
        await until(lambda: self.exit_code is not None, within=within, what=f"end of {self.command[0]}")
        return self.process.returncode

    async def stop(self, steps: Sequence[tuple[signal.Signals, float]] = TERMINATE_THEN_KILL) -> int:
        """Send each signal in turn and wait its seconds. Return the exit code. It can be called more than once."""
        for number, patience in steps[:-1]:
            self.send(number)
            try:
                return await self.ended(within=patience)
            except DeadlineMissedError:
                continue
        self.send(steps[-1][0])
        return await self.ended(within=steps[-1][1])

    async def kill(self) -> int:
        """Kill the whole session with SIGKILL. Return the exit code. It can be called more than once."""
        if self.exit_code is None:
            os.killpg(self.pid, signal.SIGKILL)
        return await self.ended(within=5)

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines of the log, for an error message."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def has_ended(process: psutil.Process) -> bool:
    """Return True if a process, of whatever parent, has ended. A zombie has ended too."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
