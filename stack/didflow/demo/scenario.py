"""The steps of the demo: start everything, publish, act, wait until the installation is idle, compare.

Each step waits for a condition, never for a fixed time. So a worker may be killed at any moment.
"""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from didflow import dead_letters
from didflow.console import Progress
from didflow.demo import order_system
from didflow.demo.event_log import EventLog
from didflow.demo.examples import Examples
from didflow.demo.people import People, tenant_of
from didflow.demo.results import Found, LineResult, judge, unexpected
from didflow.http_client import Api, http_client
from didflow.idle import IdleCheck, idle_check
from didflow.servers import Wanted
from didflow.services import SERVICES
from didflow.stack import Stack, running
from didflow.state import ADMIN
from didflow.tail import reading_topics
from didflow_chassis.settings import Settings, load
from didflow_contracts.topics import TOPICS

REPEATS: Final = re.compile(rb'^didflow_duplicates_total\{origin="kafka"\} ([0-9.]+)', re.MULTILINE)
_KILL_WITHIN_S: Final = 4.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """The input and the servers. `late` workers start after the purchases; `killed` ones are killed at random."""

    folder: Path
    examples: Examples
    wanted: Wanted = field(default_factory=lambda: Wanted(durable=False, fresh=True))
    late: frozenset[str] = frozenset()
    killed: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class DemoResult:
    """The result of a demo."""

    verdicts: list[LineResult]
    unexpected: list[str]
    found: Found
    seconds: float

    @property
    def passed(self) -> bool:
        """True if everything ended as the file expects."""
        return not self.unexpected and all(verdict.ok for verdict in self.verdicts)


@dataclass(kw_only=True)
class _Run:
    """The objects that the steps use."""

    options: Options
    stack: Stack
    settings: Settings
    idle: IdleCheck
    log: EventLog
    people: People
    progress: Progress

    async def until_idle(self, but: Iterable[str] = ()) -> None:
        def carrier() -> list[str]:
            count = self.log.open_commands
            return [f"the carrier: {count} commands"] if count and not but else []

        await self.idle.wait(more=carrier, but=but)


async def run_demo(options: Options, tell: Callable[[str], None]) -> DemoResult:
    """Run the demo on its own stack. `tell` gets a line for each thing that happens.

    Raises the errors of a stack, NotIdle and CallFailed.
    """
    progress = Progress(tell)
    wanted, late = options.wanted, options.late
    async with running(wanted, options.folder, tell=progress.step, port=0, late=late) as stack:
        progress.detail(f"HTTP {stack.base}, Kafka {stack.servers.kafka}")
        async with _opened(options, stack, progress) as run:
            await _main_job(run)
            found = await _found(run)
    examples = options.examples
    verdicts, odd = judge(examples, found), unexpected(examples, found)
    return DemoResult(verdicts=verdicts, unexpected=odd, found=found, seconds=progress.seconds)


async def _main_job(run: _Run) -> None:
    """Run the main job step by step. Source: spec product, The main job."""
    say, people = run.progress.step, run.people
    say("creating identities, addresses, trunks, groups and a profile over HTTP")
    await people.enter_details()
    await people.create_targets()
    await people.create_profile()
    say("an order system publishes purchases to Kafka")
    count = await order_system.publish(run.settings, run.options.examples.purchases)
    run.progress.detail(f"{count} records published, with repeats and an invalid one among them")
    await _start_late(run)
    killing = asyncio.create_task(_kill(run))
    await run.until_idle()
    say("resellers set trunks and capacity")
    await people.set_routing()
    say("resellers assign end-user details")
    await people.assign_details(later=False)
    await run.until_idle()
    say("a reviewer decides the pending verifications")
    approved, rejected = await people.review()
    run.progress.detail(f"{approved} approved, {rejected} rejected")
    await run.until_idle()
    say("resellers assign the same details to more numbers: they are approved automatically")
    await people.assign_details(later=True)
    await killing
    say("waiting until all messages are processed")
    await run.until_idle()


async def _start_late(run: _Run) -> None:
    late = run.options.late
    if late:
        await run.until_idle(but=late)
        run.progress.step(f"starting the late workers: {', '.join(sorted(late))}")
        await asyncio.gather(*(run.stack.start_worker(name) for name in sorted(late)))


async def _kill(run: _Run) -> None:
    """Kill workers at random moments; the supervisor starts them again."""
    for name in sorted(run.options.killed):
        await asyncio.sleep(random.uniform(0, _KILL_WITHIN_S))  # noqa: S311 - chance, not secrecy
        run.progress.detail(f"[bold]kill -9 of {name}'s worker[/]")
        run.stack.supervisor.kill(name)


async def _found(run: _Run) -> Found:
    token = run.stack.issuer.token(role="operator", account="master")
    async with http_client(run.stack.base, token) as api:
        numbers = {did["did_id"]: did for did in await api.pages("/v1/dids")}
    dsns = {name: dsn for name, dsn in run.stack.servers.postgres.items() if name != ADMIN}
    return Found(
        numbers=numbers,
        refused=dict(run.log.refused),
        charged=dict(run.log.charged),
        automatic=frozenset(run.log.automatic),
        dead_letters=await dead_letters.counted(dsns),
        repeats={name: await _repeats(run.stack, name) for name in SERVICES},
    )


async def _repeats(stack: Stack, name: str) -> int | None:
    """Return the number of repeats that a worker has counted; None if the worker was restarted."""
    if stack.supervisor.starts(name) > 1:
        return None
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        metrics = (await client.get(f"{stack.supervisor.health[name]}/metrics")).content
    counted = REPEATS.search(metrics)
    return int(float(counted[1])) if counted else 0


@asynccontextmanager
async def _opened(options: Options, stack: Stack, progress: Progress) -> AsyncIterator[_Run]:
    """Open the objects that the steps use, with a reader of all topics."""
    settings = load(
        Settings,
        kafka=stack.servers.kafka,
        postgres=stack.servers.postgres[ADMIN],
        topic_prefix=stack.servers.topic_prefix,
        production=False,
    )
    log = EventLog(tell=progress.detail, prefix=settings.topic_prefix)
    async with (
        reading_topics(settings, TOPICS, from_start=True) as tail,
        idle_check(settings, stack.servers.postgres) as idle,
        http_client(stack.base, "") as anybody,
    ):
        listening = asyncio.create_task(log.follow(tail))
        try:
            people = _people(options.examples, stack, anybody, progress.detail)
            yield _Run(
                options=options,
                stack=stack,
                settings=settings,
                idle=idle,
                log=log,
                people=people,
                progress=progress,
            )
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


def _people(examples: Examples, stack: Stack, anybody: Api, tell: Callable[[str], None]) -> People:
    def caller(role: str, account: str) -> Api:
        return anybody.as_caller(stack.issuer.token(role=role, account=account))

    accounts: Collection[Any] = examples.identities.values()
    tenants = sorted({tenant_of(one.account) for one in accounts})
    return People(
        examples=examples,
        resellers={tenant: caller("reseller", tenant) for tenant in tenants},
        reviewer=caller("reviewer", "master"),
        tell=tell,
    )
