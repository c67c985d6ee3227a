"""The demo from first to last: start everything, publish, act, wait for quiet, judge.

Nothing waits for a while; every step waits for what it needs, so a worker may be killed at any moment.
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
    """What to play, and on what; `late` workers start after the purchases, `killed` ones are killed at random."""

    folder: Path
    examples: Examples
    wanted: Wanted = field(default_factory=lambda: Wanted(durable=False, fresh=True))
    late: frozenset[str] = frozenset()
    killed: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class DemoResult:
    """How it went."""

    verdicts: list[LineResult]
    unexpected: list[str]
    found: Found
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether everything ended as the file says."""
        return not self.unexpected and all(verdict.ok for verdict in self.verdicts)


@dataclass(kw_only=True)
class _Run:
    """Everything that the steps use."""

    options: Options
    stack: Stack
    settings: Settings
    quiet: IdleCheck
    story: EventLog
    people: People
    voice: Progress

    async def until_quiet(self, but: Iterable[str] = ()) -> None:
        def carrier() -> list[str]:
            count = self.story.open_orders
            return [f"the carrier: {count} orders"] if count and not but else []

        await self.quiet.wait(more=carrier, but=but)


async def play(options: Options, tell: Callable[[str], None]) -> DemoResult:
    """Play the demo on a stack of its own; `tell` gets what happens, line by line.

    Raises what a stack raises, NotIdle, CallFailed.
    """
    voice = Progress(tell)
    wanted, late = options.wanted, options.late
    async with running(wanted, options.folder, tell=voice.step, port=0, late=late) as stack:
        voice.detail(f"HTTP {stack.base}, Kafka {stack.parts.kafka}")
        async with _scene(options, stack, voice) as scene:
            await _main_job(scene)
            found = await _found(scene)
    examples = options.examples
    verdicts, odd = judge(examples, found), unexpected(examples, found)
    return DemoResult(verdicts=verdicts, unexpected=odd, found=found, seconds=voice.seconds)


async def _main_job(scene: _Run) -> None:
    """Play the main job, step by step. Source: spec product, The main job."""
    say, people = scene.voice.step, scene.people
    say("entering identities and addresses, and making voice trunks, over HTTP")
    await people.enter_details()
    await people.create_trunks()
    say("an order system publishes purchases to Kafka")
    count = await order_system.publish(scene.settings, scene.options.examples.purchases)
    scene.voice.detail(f"{count} records published, repeats and a broken one among them")
    await _start_late(scene)
    killing = asyncio.create_task(_kill(scene))
    await scene.until_quiet()
    say("resellers set voice trunks and capacity")
    await people.set_routing()
    say("resellers assign end-user details")
    await people.assign_details(later=False)
    await scene.until_quiet()
    say("a reviewer decides what needs a person")
    approved, rejected = await people.review()
    scene.voice.detail(f"{approved} approved, {rejected} rejected")
    await scene.until_quiet()
    say("the same details for more numbers: nobody is asked again")
    await people.assign_details(later=True)
    await killing
    say("waiting until nothing is under way")
    await scene.until_quiet()


async def _start_late(scene: _Run) -> None:
    late = scene.options.late
    if late:
        await scene.until_quiet(but=late)
        scene.voice.step(f"only now starting {', '.join(sorted(late))}")
        await asyncio.gather(*(scene.stack.start_worker(name) for name in sorted(late)))


async def _kill(scene: _Run) -> None:
    """Kill workers at random moments; the supervisor starts them again."""
    for name in sorted(scene.options.killed):
        await asyncio.sleep(random.uniform(0, _KILL_WITHIN_S))  # noqa: S311 - chance, not secrecy
        scene.voice.detail(f"[bold]kill -9 of {name}'s worker[/]")
        scene.stack.supervisor.kill(name)


async def _found(scene: _Run) -> Found:
    token = scene.stack.issuer.token(role="operator", account="master")
    async with http_client(scene.stack.base, token) as api:
        numbers = {did["did_id"]: did for did in await api.pages("/v1/dids")}
    dsns = {name: dsn for name, dsn in scene.stack.parts.postgres.items() if name != ADMIN}
    return Found(
        numbers=numbers,
        refused=dict(scene.story.refused),
        charged=dict(scene.story.charged),
        automatic=frozenset(scene.story.automatic),
        dead_letters=await dead_letters.counted(dsns),
        repeats={name: await _repeats(scene.stack, name) for name in SERVICES},
    )


async def _repeats(stack: Stack, name: str) -> int | None:
    """Ask a worker how many repeats it has counted; None for one that began again meanwhile."""
    if stack.supervisor.starts(name) > 1:
        return None
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        metrics = (await client.get(f"{stack.supervisor.health[name]}/metrics")).content
    counted = REPEATS.search(metrics)
    return int(float(counted[1])) if counted else 0


@asynccontextmanager
async def _scene(options: Options, stack: Stack, voice: Progress) -> AsyncIterator[_Run]:
    """Open what the steps use, the listener to all topics among it."""
    settings = load(
        Settings,
        kafka=stack.parts.kafka,
        postgres=stack.parts.postgres[ADMIN],
        topic_prefix=stack.parts.topic_prefix,
        production=False,
    )
    story = EventLog(tell=voice.detail, prefix=settings.topic_prefix)
    async with (
        reading_topics(settings, TOPICS, from_start=True) as tail,
        idle_check(settings, stack.parts.postgres) as quiet,
        http_client(stack.base, "") as anybody,
    ):
        listening = asyncio.create_task(story.follow(tail))
        try:
            people = _people(options.examples, stack, anybody, voice.detail)
            yield _Run(
                options=options,
                stack=stack,
                settings=settings,
                quiet=quiet,
                story=story,
                people=people,
                voice=voice,
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
