"""Services as real processes in tests: they end with the test, or with pytest however it ends."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from didflow.embedded.child import Child, has_ended
from didflow.embedded.wait import DeadlineMissedError, until
from harness.broken import JOURNAL

__all__ = ["DeadlineMissedError", "Processes", "RunningProcess", "has_ended", "until"]


_BREAKS = {signal.SIGTERM: "told to stop", signal.SIGSTOP: "freeze", signal.SIGKILL: "kill -9"}


class RunningProcess(Child):
    """A child of a test that can also be frozen, as a machine that swaps or a paused pod is.

    What is done to it is noted as a fault of the test.
    """

    @property
    def name(self) -> str:
        """What it was started as."""
        return self.log.stem

    def send(self, number: signal.Signals) -> None:
        """Signal it; nothing happens when it has ended."""
        if self.exit_code is None and number in _BREAKS:
            JOURNAL.begin(_BREAKS[number], self.name)
        super().send(number)

    def pause(self) -> None:
        """Freeze it (SIGSTOP)."""
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen one go on (SIGCONT)."""
        self.send(signal.SIGCONT)
        JOURNAL.lift(self.name)

    async def kill(self) -> int:
        """Kill -9 it with all that it started in its session. Returns the exit code; repeatable."""
        if self.exit_code is None:
            JOURNAL.begin(_BREAKS[signal.SIGKILL], self.name)
        return await super().kill()


@dataclass(kw_only=True)
class Processes:
    """The processes of one test; logs lie in `folder`, one file per name."""

    folder: Path
    started: list[RunningProcess] = field(default_factory=list)

    def start(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str] | None = None
    ) -> RunningProcess:
        """Start a command with this environment on top of the test's own."""
        log = self.folder / f"{name}.log"
        process = RunningProcess.start(command, log=log, env={**os.environ, **(env or {})})
        JOURNAL.lift(process.name)
        self.started.append(process)
        return process

    def python(self, name: str, *arguments: str, env: Mapping[str, str] | None = None) -> RunningProcess:
        """Start `python arguments...` with this interpreter."""
        return self.start(name, [sys.executable, *arguments], env=env)

    async def end(self) -> None:
        """Kill what still runs, and show each log's end: pytest prints it when the test failed."""
        for process in self.started:
            await Child.kill(process)
            sys.stdout.write(f"--- {process.log.name}\n{process.log_tail()}\n")
