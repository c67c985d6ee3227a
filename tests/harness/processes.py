"""Services as processes in tests. A process ends with its test, and also if pytest is killed."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from didflow.embedded.child import Child, has_ended
from didflow.embedded.wait import DeadlineMissedError, until
from harness.fault_journal import JOURNAL

__all__ = ["DeadlineMissedError", "Processes", "RunningProcess", "has_ended", "until"]


_BREAKS = {signal.SIGTERM: "SIGTERM", signal.SIGSTOP: "freeze", signal.SIGKILL: "kill -9"}


class RunningProcess(Child):
    """A child process of a test. It can be frozen, as a paused pod is.

    Each signal that stops, freezes or kills it is recorded in the fault journal.
    """

    @property
    def name(self) -> str:
        """Return the name that the process was started under."""
        return self.log.stem

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless the process has ended."""
        if self.exit_code is None and number in _BREAKS:
            JOURNAL.begin(_BREAKS[number], self.name)
        super().send(number)

    def pause(self) -> None:
        """Freeze the process (SIGSTOP)."""
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Continue a frozen process (SIGCONT)."""
        self.send(signal.SIGCONT)
        JOURNAL.lift(self.name)

    async def kill(self) -> int:
        """Kill the process and everything it started (SIGKILL), and return its exit code. May be repeated."""
        if self.exit_code is None:
            JOURNAL.begin(_BREAKS[signal.SIGKILL], self.name)
        return await super().kill()


@dataclass(kw_only=True)
class Processes:
    """The processes of one test. Each has a log file of its name in `folder`."""

    folder: Path
    started: list[RunningProcess] = field(default_factory=list)

    def start(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str] | None = None
    ) -> RunningProcess:
        """Start a command. `env` is added to the environment of the test."""
        log = self.folder / f"{name}.log"
        process = RunningProcess.start(command, log=log, env={**os.environ, **(env or {})})
        JOURNAL.lift(process.name)
        self.started.append(process)
        return process

    def python(self, name: str, *arguments: str, env: Mapping[str, str] | None = None) -> RunningProcess:
        """Start `python arguments...` with the interpreter of the test."""
        return self.start(name, [sys.executable, *arguments], env=env)

    async def kill(self) -> None:
        """Kill all processes that still run."""
        for process in self.started:
            await Child.kill(process)

    async def end(self) -> None:
        """Kill all processes that still run, and print the end of each log. Pytest shows it if the test failed."""
        await self.kill()
        for process in self.started:
            sys.stdout.write(f"--- {process.log.name}\n{process.log_tail()}\n")
