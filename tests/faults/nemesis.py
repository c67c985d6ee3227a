"""Injects faults at random from a seed: one after another, sometimes two at once. Each fault is lifted again.

It knows processes, the broker and the database server, and nothing of what they do. It records every process that
ends by itself, because only the nemesis may end a process.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from faults.installation import READY_S, Installation, Member
from faults.servers import DatabaseServer
from harness.broker import Broker
from harness.fault_journal import Fault
from harness.processes import until

LEASE_S: Final = 5.0
REST_S: Final = (1.0, 6.0)
DOUBLE: Final = 0.25
"""How often two faults come at once."""

Break = Callable[[], Awaitable[str]]


@dataclass(kw_only=True)
class Nemesis:
    """Injects faults into one installation. `members` are its processes, workers and APIs, by name."""

    at: Installation
    server: DatabaseServer
    members: dict[str, Member]
    broker: Broker = field(init=False)
    chance: random.Random = field(init=False)
    faults: list[Fault] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    duplicates: int = 0
    _touched: set[str] = field(default_factory=set)
    _kafka: asyncio.Lock = field(default_factory=asyncio.Lock)
    _postgres: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def kinds(self) -> Mapping[str, tuple[int, Break]]:
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

    async def rage(self, broker: Broker, chance: random.Random, *, seconds: float) -> None:
        """Inject random faults for this long. At the end everything runs again."""
        self.broker, self.chance = broker, chance
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            some = 2 if self.chance.random() < DOUBLE else 1
            names, weights = zip(*((name, weight) for name, (weight, _) in self.kinds.items()), strict=True)
            chosen = set(self.chance.choices(names, weights, k=some))
            await asyncio.gather(*(self._break(kind) for kind in sorted(chosen)))
            await asyncio.sleep(self.chance.uniform(*REST_S))
            self._revive()
        await asyncio.gather(*(self._ready(name) for name in self.members))

    async def calm(self) -> None:
        """Count the repeats that the running processes have counted."""
        self.duplicates += sum([await member.duplicates() for member in self.members.values()])

    async def _break(self, kind: str) -> None:
        began = time.time()
        what = await self.kinds[kind][1]()
        self.faults.append(Fault(kind=kind, what=what, began=began, lifted=time.time()))

    async def _kill(self) -> str:
        name = self._any("worker", "api")
        await self._end(name, signal.SIGKILL)
        await asyncio.sleep(self.chance.uniform(0, 2))
        self._start(name)
        return name

    async def _restart(self) -> str:
        name = self._any("worker", "api")
        await self._end(name, signal.SIGTERM)
        self._start(name)
        return name

    async def _freeze(self) -> str:
        """Freeze a worker for longer than its leases, sometimes with another worker that takes over."""
        name = self._any("worker")
        guest = await self._guest(name) if self.chance.random() < 0.5 else None
        self.members[name].process.pause()
        await asyncio.sleep(self.chance.uniform(LEASE_S + 1, 3 * LEASE_S))
        self.members[name].process.resume()
        self._touched.discard(name)
        if guest:
            await self._dismiss(guest)
        return name

    async def _rebalance(self) -> str:
        """Add a second worker of a service for a while."""
        name = self._any("worker")
        guest = await self._guest(name)
        await asyncio.sleep(self.chance.uniform(1, 5))
        await self._dismiss(guest)
        self._touched.discard(name)
        return name

    async def _broker_stopped(self) -> str:
        async with self._kafka:
            await self.broker.stop()
            await asyncio.sleep(self.chance.uniform(0, 3))
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
            await asyncio.sleep(self.chance.uniform(0, 3))
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
            await asyncio.sleep(self.chance.uniform(0, 1))
        return "database"

    def _any(self, *what: str) -> str:
        """Choose a process without another fault."""
        names = sorted(n for n in self.members if n not in self._touched and any(f"-{w}-" in n for w in what))
        name = self.chance.choice(names)
        self._touched.add(name)
        return name

    async def _end(self, name: str, how: signal.Signals) -> None:
        member = self.members[name]
        self._note_end(member)
        self.duplicates += await member.duplicates()
        if how is signal.SIGKILL:
            await member.process.kill()
        else:
            await member.process.stop()

    def _start(self, name: str) -> None:
        """Start a process again with the same settings."""
        self.members[name] = self.members[name].again()
        self._touched.discard(name)

    async def _guest(self, name: str) -> Member:
        """Start a second worker beside one: with a static id, or as a dynamic member."""
        service = self.members[name].service
        told: dict[str, Any] = {} if self.chance.random() < 0.5 else {"MEMBER_ID": ""}
        guest = self.at.worker(service, 1, **told)
        await asyncio.sleep(self.chance.uniform(2, 5))
        return guest

    async def _dismiss(self, guest: Member) -> None:
        self._note_end(guest)
        self.duplicates += await guest.duplicates()
        await guest.process.stop()

    async def _ready(self, name: str) -> None:
        async def is_ready() -> bool:
            self._revive()
            await asyncio.sleep(0.2)
            return await self.members[name].health_answer("/healthz/ready") is not None

        await until(is_ready, within=READY_S, what=f"{name} after all faults")

    def _revive(self) -> None:
        """Start processes again that ended, as a cluster would."""
        for name, member in list(self.members.items()):
            if member.process.exit_code is not None:
                self._note_end(member)
                self._start(name)

    def _note_end(self, member: Member) -> None:
        """Record a process that ended by itself. A process may exit if a dependency is down while it starts."""
        if member.process.exit_code not in (None, os.EX_UNAVAILABLE):
            words = member.process.log_tail()
            self.odd.append(f"{member.name} ended by itself with {member.process.exit_code}: {words[-600:]}")
