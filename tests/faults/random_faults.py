"""Inject random faults from a seed: one after another, sometimes two at once. Each fault is lifted again.

It breaks processes, the broker and the database server. No process may end by itself, so it records each one that does.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from faults.database_server import DatabaseServer
from faults.installation import READY_S, Installation, Member
from harness.broker import Broker
from harness.fault_journal import Fault
from harness.processes import until

from didflow.embedded.wait import DeadlineMissedError

LEASE_S: Final = 5.0
REST_S: Final = (0.5, 4.0)
"""The least and the most time from the end of a fault to the next one."""
PROBES_S: Final = 40.0
"""Together with the wait until all is idle, longer than a probe takes to fail."""
DOUBLE: Final = 0.25
"""The probability that two faults are injected at once."""

Inject = Callable[[], Awaitable[str]]


@dataclass(kw_only=True)
class RandomFaults:
    """Injects faults into one installation. `members` are its processes, workers and APIs, by name."""

    installation: Installation
    server: DatabaseServer
    members: dict[str, Member]
    broker: Broker = field(init=False)
    random_source: random.Random = field(init=False)
    faults: list[Fault] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    duplicates: int = 0
    _faulty: set[str] = field(default_factory=set)
    _kafka: asyncio.Lock = field(default_factory=asyncio.Lock)
    _postgres: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def kinds(self) -> Mapping[str, tuple[int, Inject]]:
        """Return fault -> its weight, and the function that injects and lifts it."""
        return {
            "kill -9": (6, self._kill),
            "freeze": (2, self._freeze),
            "rebalance": (2, self._rebalance),
            "graceful restart": (2, self._restart),
            "broker stopped": (1, self._broker_stopped),
            "broker killed": (1, self._broker_killed),
            "database stopped": (1, self._database_stopped),
            "database killed": (1, self._database_killed),
            "connections killed": (3, self._connections_killed),
        }

    async def inject(self, broker: Broker, random_source: random.Random, *, seconds: float) -> None:
        """Inject random faults for this long. At the end everything runs again."""
        self.broker, self.random_source = broker, random_source
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            count = 2 if self.random_source.random() < DOUBLE else 1
            names, weights = zip(*((name, weight) for name, (weight, _) in self.kinds.items()), strict=True)
            chosen = set(self.random_source.choices(names, weights, k=count))
            await asyncio.gather(*(self._inject(kind) for kind in sorted(chosen)))
            await asyncio.sleep(self.random_source.uniform(*REST_S))
            self._restart_ended()
        await asyncio.gather(*(self._ready(name) for name in self.members))

    async def restart_failing(self) -> list[str]:
        """Restart each worker whose liveness probe fails within `PROBES_S`, as a cluster does. Return their names."""
        failing: list[str] = []
        try:
            await until(lambda: self._fail_probe(failing), within=PROBES_S, what="a failing liveness probe")
        except DeadlineMissedError:
            return []
        for name in failing:
            self.faults.append(
                Fault(kind="restart by the probe", what=name, began=time.time(), lifted=time.time())
            )
            await self._end(name, signal.SIGKILL)
            self._start(name)
            await self._ready(name)
        return failing

    async def _fail_probe(self, failing: list[str]) -> bool:
        workers = [name for name in self.members if "-worker-" in name]
        failing[:] = [n for n in workers if await self.members[n].health_answer("/healthz/live") is None]
        return bool(failing)

    async def count_repeats(self) -> None:
        """Add the repeats that the running processes have counted to `duplicates`."""
        self.duplicates += sum([await member.duplicates() for member in self.members.values()])

    async def _inject(self, kind: str) -> None:
        began = time.time()
        target = await self.kinds[kind][1]()
        self.faults.append(Fault(kind=kind, what=target, began=began, lifted=time.time()))

    async def _kill(self) -> str:
        name = self._choose("worker", "api")
        await self._end(name, signal.SIGKILL)
        await asyncio.sleep(self.random_source.uniform(0, 2))
        self._start(name)
        return name

    async def _restart(self) -> str:
        name = self._choose("worker", "api")
        await self._end(name, signal.SIGTERM)
        self._start(name)
        return name

    async def _freeze(self) -> str:
        """Freeze a worker for longer than its leases. In half of the cases, start another worker that takes over."""
        name = self._choose("worker")
        added = await self._add_worker(name) if self.random_source.random() < 0.5 else None
        self.members[name].process.pause()
        await asyncio.sleep(self.random_source.uniform(LEASE_S + 1, 3 * LEASE_S))
        self.members[name].process.resume()
        self._faulty.discard(name)
        if added:
            await self._remove_worker(added)
        return name

    async def _rebalance(self) -> str:
        """Add a second worker of a service for a while."""
        name = self._choose("worker")
        added = await self._add_worker(name)
        await asyncio.sleep(self.random_source.uniform(1, 5))
        await self._remove_worker(added)
        self._faulty.discard(name)
        return name

    async def _broker_stopped(self) -> str:
        async with self._kafka:
            await self.broker.stop()
            await asyncio.sleep(self.random_source.uniform(0, 3))
            await self.broker.start()
        return "broker"

    async def _broker_killed(self) -> str:
        async with self._kafka:
            await self.broker.kill()
            await self.broker.start()
        return "broker"

    async def _database_stopped(self) -> str:
        async with self._postgres:
            await self.server.stop()
            await asyncio.sleep(self.random_source.uniform(0, 3))
            await self.server.start()
        return "database"

    async def _database_killed(self) -> str:
        async with self._postgres:
            await self.server.kill()
            await self.server.start()
        return "database"

    async def _connections_killed(self) -> str:
        for _ in range(3):
            async with self._postgres:
                await self.server.kill_connections()
            await asyncio.sleep(self.random_source.uniform(0, 1))
        return "database"

    def _choose(self, *target: str) -> str:
        """Choose a process without another fault."""
        names = sorted(
            n for n in self.members if n not in self._faulty and any(f"-{w}-" in n for w in target)
        )
        name = self.random_source.choice(names)
        self._faulty.add(name)
        return name

    async def _end(self, name: str, signal_: signal.Signals) -> None:
        member = self.members[name]
        self._note_end(member)
        self.duplicates += await member.duplicates()
        if signal_ is signal.SIGKILL:
            await member.process.kill()
        else:
            await member.process.stop()

    def _start(self, name: str) -> None:
        """Start a process again with the same settings."""
        self.members[name] = self.members[name].again()
        self._faulty.discard(name)

    async def _add_worker(self, name: str) -> Member:
        """Start a second worker of the same service, with a static member id or as a dynamic member."""
        service = self.members[name].service
        settings: dict[str, Any] = {} if self.random_source.random() < 0.5 else {"MEMBER_ID": ""}
        added = self.installation.worker(service, 1, **settings)
        await asyncio.sleep(self.random_source.uniform(2, 5))
        return added

    async def _remove_worker(self, added: Member) -> None:
        self._note_end(added)
        self.duplicates += await added.duplicates()
        await added.process.stop()

    async def _ready(self, name: str) -> None:
        async def is_ready() -> bool:
            self._restart_ended()
            await asyncio.sleep(0.2)
            return await self.members[name].health_answer("/healthz/ready") is not None

        await until(is_ready, within=READY_S, what=f"{name} after all faults")

    def _restart_ended(self) -> None:
        """Start the processes again that have ended, as a cluster does."""
        for name, member in list(self.members.items()):
            if member.process.exit_code is not None:
                self._note_end(member)
                self._start(name)

    def _note_end(self, member: Member) -> None:
        """Record a process that ended by itself. EX_UNAVAILABLE is allowed: a dependency was down."""
        if member.process.exit_code not in (None, os.EX_UNAVAILABLE):
            log = member.process.log_tail()
            self.unexpected.append(
                f"{member.name} ended by itself with {member.process.exit_code}: {log[-600:]}"
            )
