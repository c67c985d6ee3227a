"""Keeps child processes running: if a child exits, it is started again after a pause, and a line is printed.

If the host ends for any reason, its children end too. `stop` ends all children at once, within seconds.
"""

import asyncio
import math
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from didflow.embedded.child import Child
from didflow.errors import DidNotStart

BACKOFF_S: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
STEADY_S: Final = 20.0
"""A child that ran this long starts again with the shortest pause."""

_STOP: Final = ((signal.SIGTERM, 4.0), (signal.SIGKILL, 2.0))


@dataclass(frozen=True, kw_only=True)
class Launch:
    """How a child is started this time: its environment, and the URL of its health port (or None)."""

    environment: Mapping[str, str]
    health: str | None = None


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One child: its name, its command, and `launch`, which is called at each start."""

    name: str
    command: tuple[str, ...]
    launch: Callable[[], Launch]


@dataclass(slots=True)
class _Kept:
    child: Child
    launch: Launch
    task: asyncio.Task[None] | None = None
    starts: int = 1


class Supervisor:
    """Runs children whose output goes to `folder`/<name>.log. `tell` gets lines for people."""

    def __init__(self, folder: Path, tell: Callable[[str], None], changed: Callable[[], None]) -> None:
        self._folder = folder
        self._tell = tell
        self._changed = changed
        self._kept: dict[str, _Kept] = {}

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each child."""
        return {name: kept.child.pid for name, kept in self._kept.items()}

    @property
    def health(self) -> dict[str, str]:
        """The URL of the health port of each child that has one."""
        return {name: kept.launch.health for name, kept in self._kept.items() if kept.launch.health}

    def starts(self, name: str) -> int:
        """Return how often a child was started."""
        return self._kept[name].starts

    def start(self, spec: Spec) -> None:
        """Start a child and keep it running. Call this from the host's main thread."""
        kept = self._kept[spec.name] = self._started(spec)
        kept.task = asyncio.create_task(self._keep(spec, kept))
        self._changed()

    def kill(self, name: str) -> None:
        """Kill a child with SIGKILL. It is started again."""
        self._kept[name].child.send(signal.SIGKILL)

    def check(self, name: str) -> None:
        """Raise DidNotStart with the last log lines if a child exits repeatedly."""
        kept = self._kept[name]
        if kept.starts > len(BACKOFF_S):
            raise DidNotStart(f"{name} exits repeatedly. Its last log lines:\n{kept.child.log_tail()}")

    async def stop(self) -> None:
        """End all children at once. It can be called more than once."""
        kept, self._kept = self._kept, {}
        for one in kept.values():
            if one.task:
                one.task.cancel()
        await asyncio.gather(*(one.child.stop(_STOP) for one in kept.values()))

    async def _keep(self, spec: Spec, kept: _Kept) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            exit_code = await kept.child.ended(within=math.inf)
            failures = 0 if loop.time() - began > STEADY_S else failures
            wait = BACKOFF_S[min(failures, len(BACKOFF_S) - 1)]
            self._tell(f"{spec.name} {_how(exit_code)}; starting it again in {wait:g} s")
            await asyncio.sleep(wait)
            failures += 1
            again = self._started(spec)
            kept.child, kept.launch, kept.starts = again.child, again.launch, kept.starts + 1
            self._changed()

    def _started(self, spec: Spec) -> _Kept:
        launch = spec.launch()
        log = self._folder / f"{spec.name}.log"
        return _Kept(Child.start(spec.command, log=log, env=launch.environment), launch)


def _how(exit_code: int) -> str:
    if exit_code < 0:
        return f"was ended by {signal.Signals(-exit_code).name}"
    return f"exited with code {exit_code}"
