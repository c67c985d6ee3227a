"""How the adapter under test is started and killed: by the run itself, by a command, or by a person."""

import asyncio
import contextlib
import shlex
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from didflow.embedded.child import Child
from didflow.errors import DidNotStart


class AdapterProcess(Protocol):
    """The process of the adapter under test."""

    async def restart(self) -> None:
        """Kill the adapter as kill -9 does, and start it again. Return when the new process was started."""

    def failure(self) -> str | None:
        """Return how the adapter has ended, with its last lines, or None if it has not or that is not known."""


class StartedProcess:
    """An adapter that this run starts. It is killed together with everything that it started."""

    def __init__(self, command: str, environment: Mapping[str, str], log: Path) -> None:
        self._command, self._environment, self._log = _words(command), environment, log
        self._child: Child | None = None

    def start(self) -> None:
        """Start the adapter. Raises DidNotStart."""
        program = self._command[0]
        if shutil.which(program, path=self._environment.get("PATH")) is None:
            raise DidNotStart(f"There is no program {program!r} that can be started. Look at --command.")
        try:
            self._child = Child.start(self._command, log=self._log, env=self._environment, cwd=Path.cwd())
        except OSError as error:
            raise DidNotStart(f"{program} could not be started: {error.strerror}") from None

    async def kill(self) -> None:
        """Kill the adapter."""
        if self._child is not None:
            await self._child.kill()

    async def restart(self) -> None:
        """Kill the adapter with SIGKILL and start it again."""
        await self.kill()
        self.start()

    def failure(self) -> str | None:
        """Return the exit code and the last lines of its output if the adapter has ended."""
        if self._child is None or self._child.exit_code is None:
            return None
        tail = self._child.log_tail().strip() or "It printed nothing."
        return f"The adapter has ended with exit code {self._child.exit_code}. Its last lines:\n{tail}"


@asynccontextmanager
async def started(command: str, environment: Mapping[str, str], log: Path) -> AsyncIterator[StartedProcess]:
    """Run an adapter during the block. Raises DidNotStart."""
    process = StartedProcess(command, environment, log)
    process.start()
    try:
        yield process
    finally:
        with contextlib.suppress(TimeoutError):
            await asyncio.shield(process.kill())


class RestartCommand:
    """An adapter that runs elsewhere and is restarted by a command."""

    def __init__(self, command: str) -> None:
        self._command = _words(command)

    async def restart(self) -> None:
        """Run the command and wait for its end. Raises DidNotStart if it fails."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError as error:
            raise DidNotStart(f"{self._command[0]} could not be started: {error.strerror}") from None
        code = await process.wait()
        if code:
            raise DidNotStart(f"The restart command exited with code {code}.")

    def failure(self) -> str | None:
        """Return None: the run does not see the process."""
        return None


class Person:
    """An adapter that a person restarts. `ask` prints the text and returns when the person has confirmed."""

    def __init__(self, ask: Callable[[str], None]) -> None:
        self._ask = ask

    async def restart(self) -> None:
        """Ask the person."""
        await asyncio.to_thread(self._ask, "Kill the adapter now (kill -9), start it again, and press Enter.")

    def failure(self) -> str | None:
        """Return None: the run does not see the process."""
        return None


def _words(command: str) -> Sequence[str]:
    """Return the words of a command as a shell reads them. Raises DidNotStart."""
    try:
        found = shlex.split(command)
    except ValueError:
        found = []
    if not found:
        raise DidNotStart(f"The command {command!r} is empty, or a quotation mark in it has no end.")
    return found
