"""Due timers and parked messages on PostgreSQL: what is locked is left alone, and workers share what is due."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import alarms
import asyncpg
import pytest
import toy
from harness.fixtures import DatabaseFor
from harness.processes import until
from harness.statements import statements_of
from toy_messages import added, opened
from toy_operator import Operator
from toy_records import named, raw, record

from didflow_chassis.database import hash64
from didflow_chassis.decision import Decided
from didflow_chassis.due import WINDOW
from didflow_chassis.pacing import CALM_CHUNK, MAX_CHUNK, Pacing
from didflow_chassis.service import Handler, Service
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.queues import QueueMetrics
from didflow_chassis.testing import ServiceOnPostgres
from didflow_chassis.timers import Timers, oldest_due

Locked = Callable[..., AbstractAsyncContextManager[None]]
"""`async with locked("a", "b")`: another writer holds these locks during the block."""

WAVE = 2_000


@pytest.fixture
async def dsn(database_for: DatabaseFor) -> str:
    return await database_for("counting", alarms.prepare)


@pytest.fixture(params=[True, False], ids=["found early", "found under the locks"])
async def worker(request: pytest.FixtureRequest, dsn: str) -> AsyncIterator[ServiceOnPostgres]:
    """The service. It finds what a stored state needs before it takes the locks, or under them."""
    async with opened_on(dsn, alarms.service(finds_early=request.param)) as found:
        yield found


def opened_on(dsn: str, service: Service) -> AbstractAsyncContextManager[ServiceOnPostgres]:
    return ServiceOnPostgres.open(service, dsn, migrate=False)


@pytest.fixture
def locked(dsn: str) -> Locked:
    @asynccontextmanager
    async def hold(*names: str) -> AsyncIterator[None]:
        connection = await asyncpg.connect(dsn)
        try:
            async with connection.transaction():
                for name in names:
                    await connection.execute("SELECT pg_advisory_xact_lock($1)", hash64(name))
                yield
        finally:
            await connection.close()

    return hold


def keys_of(counters: Iterable[toy.Counter]) -> list[tuple[Any, str]]:
    return [(counter.did_id, counter.number) for counter in counters]


async def rung(worker: ServiceOnPostgres) -> set[str]:
    """Return the numbers of the counters whose timers have run."""
    counters = await worker.states(toy.Counter)
    assert all(counter.total == (counter.rings_at is None) for counter in counters)
    return {counter.number for counter in counters if counter.total}


async def test_a_locked_state_is_left_alone(worker: ServiceOnPostgres, locked: Locked) -> None:
    """The other timers of the chunk run. The one that was left runs the next time."""
    first, *others = due = alarms.due_counters(4)
    await worker.store(*due)
    async with locked(first.number):
        assert await worker.stage.due(toy.Counter, keys_of(due))
        assert await rung(worker) == {counter.number for counter in others}
    assert await worker.stage.due(toy.Counter, keys_of(due))
    assert await rung(worker) == {counter.number for counter in due}


async def test_a_locked_state_that_timers_need_leaves_only_these_timers(
    worker: ServiceOnPostgres, locked: Locked
) -> None:
    """Two limits are needed and one is locked. Timers with the other limit and without one run."""
    slow = alarms.due_counters(3, limit_name="slow")
    others = [*alarms.due_counters(3, limit_name="free", first=3), *alarms.due_counters(3, first=6)]
    await worker.store(*slow, *others)
    async with locked("limits:slow"):
        assert await worker.stage.due(toy.Counter, keys_of([*slow, *others]))
        assert await rung(worker) == {counter.number for counter in others}
        assert not await worker.stage.due(toy.Counter, keys_of(slow))
    await worker.run_due_timers()
    assert len(await rung(worker)) == 9


async def make_due(worker: ServiceOnPostgres) -> None:
    await worker.fetch("UPDATE parked SET due_at = clock_timestamp() WHERE reason = 'retry'")


async def test_a_locked_entity_leaves_only_its_own_parked_messages(
    worker: ServiceOnPostgres, locked: Locked
) -> None:
    """Of two messages under retry, the one whose number is locked keeps its attempts. The other is tried."""
    await worker.stage.records([record(opened(n), f"open {n}") for n in (1, 2)])
    await worker.stage.records([record(added(n, toy.POISONED), f"add {n}") for n in (1, 2)])
    await make_due(worker)
    async with locked(named(1)[1]):
        await worker.timers.run_due()
    assert [row.attempts for row in await worker.parked()] == [1, 2]


async def test_a_locked_state_that_parked_messages_need_leaves_them(
    worker: ServiceOnPostgres, locked: Locked
) -> None:
    """The message under retry needs a limit that someone else changes. It is tried after that."""
    await worker.stage.records([record(opened(1), "open"), record(added(1, toy.POISONED), "add")])
    await make_due(worker)
    async with locked("limits:default"):
        await worker.timers.run_due()
        assert [row.attempts for row in await worker.parked()] == [1]
    await worker.timers.run_due()
    assert [row.attempts for row in await worker.parked()] == [2]


async def test_a_timer_is_left_together_with_the_early_message_that_waits_for_it(
    worker: ServiceOnPostgres, locked: Locked
) -> None:
    """After the timer nobody would try the early message again. So both wait for the limit that only it needs."""
    await worker.stage.records([record(added(1, 5), "early")])
    assert [row.reason for row in await worker.parked()] == ["early"]
    await worker.store(*alarms.due_counters(1, first=1))
    async with locked("limits:default"):
        await worker.timers.run_due()
        assert await rung(worker) == set()
    await worker.timers.run_due()
    (counter,) = await worker.states(toy.Counter)
    assert (counter.additions, counter.rings_at, await worker.parked()) == ((5,), None, [])


async def test_a_retried_dead_letter_whose_number_is_locked_stays_parked(
    worker: ServiceOnPostgres, locked: Locked
) -> None:
    """It is neither lost nor given up, and is decided when the lock is free."""
    good = record(added(1, 5), "add")
    await worker.stage.records([record(opened(1), "open"), raw(b"{", key=good.key)])
    await worker.fetch("UPDATE dead_letters SET value = $1", good.value)
    operator = Operator(worker.database)
    (letter,) = await operator.oldest()
    await operator.retry([letter.id])
    async with locked(named(1)[1]):
        assert not await worker.timers.run_due()
        assert await worker.count("parked") == 1
    await worker.timers.run_due()
    (counter,) = await worker.states(toy.Counter)
    assert (counter.additions, await worker.count("parked")) == ((5,), 0)


async def test_a_full_chunk_of_locked_states_waits_for_the_next_interval(
    worker: ServiceOnPostgres, locked: Locked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of a chunk is locked, so more is due. The next round comes after the interval, not at once."""
    due = alarms.due_counters(MAX_CHUNK)
    await worker.store(*due)
    log: list[str] = []
    stage_due, sleep, tasks = worker.stage.due, asyncio.sleep, set()

    async def counted(model: type, keys: Sequence[Any]) -> bool:
        if model is toy.Counter:
            tasks.add(asyncio.current_task())
            log.append("chunk" if keys else "nothing")
        return await stage_due(model, keys)

    async def slept(seconds: float) -> None:
        if asyncio.current_task() in tasks:
            log.append(f"sleep {seconds:g}")
        if len(log) >= 8:
            raise asyncio.CancelledError
        await sleep(0)

    monkeypatch.setattr(worker.stage, "due", counted)
    monkeypatch.setattr(asyncio, "sleep", slept)
    async with locked(*(counter.number for counter in due)):
        await run_timers(worker)
    assert log == ["chunk", "sleep 1"] * 4
    assert await rung(worker) == set()


async def run_timers(worker: ServiceOnPostgres) -> None:
    """Run the loops of the timers until one of them ends."""
    ready = asyncio.Event()
    ready.set()
    await worker.timers.run(ready)


async def test_a_wave_does_not_run_faster_than_the_limit_of_the_worker(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One timer in 2 seconds: after each full chunk of 50, the next one comes 100 seconds later."""
    long: list[float] = []
    sleep = asyncio.sleep

    async def slept(seconds: float) -> None:
        long.extend([seconds] if seconds > 1 else [])
        await sleep(0 if seconds > 1 else seconds)

    async with opened_on(dsn, alarms.service()) as worker:
        await worker.store(*alarms.due_counters(3 * MAX_CHUNK))
        worker.timers = limited(worker, per_s=0.5)
        monkeypatch.setattr(asyncio, "sleep", slept)
        running = asyncio.create_task(run_timers(worker))
        await until(lambda: nothing_rings(worker), within=20, what="the end of the wave")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert sum(long) > 2 * 90


def limited(worker: ServiceOnPostgres, per_s: float) -> Timers:
    queues = QueueMetrics(Metrics(), worker.database)
    pacing = Pacing(worker.database)
    options = {"interval_s": 0.01, "days": 30, "per_s": per_s}
    return Timers(worker.service, worker.stage, worker.database, queues, pacing, **options)


def with_slow_alarms(log: list[str]) -> Service:
    """Return the service. Its decisions are logged, and those about alarms take 5 ms each."""
    service = alarms.service()

    def on_alarm(alarm: alarms.Alarm, at: datetime) -> Decided[alarms.Alarm]:
        time.sleep(0.005)
        log.append("slow")
        return alarms.on_alarm(alarm, at)

    def on_ring(counter: toy.Counter, at: datetime) -> Decided[toy.Counter]:
        log.append("quick")
        return Decided(state=replace(counter, total=1, rings_at=None))

    return replace(
        service, due={toy.Counter: Handler(decide=on_ring), alarms.Alarm: Handler(decide=on_alarm)}
    )


async def test_a_kind_with_slow_decisions_does_not_delay_another(dsn: str) -> None:
    """Both kinds have as many due timers. The quick kind ends when the slow one has done less than its part."""
    log: list[str] = []
    async with opened_on(dsn, with_slow_alarms(log)) as worker:
        await worker.store(*alarms.due_counters(3 * MAX_CHUNK), *alarms.due_alarms(3 * MAX_CHUNK))
        running = asyncio.create_task(run_timers(worker))
        await until(lambda: nothing_rings(worker), within=20, what="the quick kind")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert log.count("quick") == 3 * MAX_CHUNK
    assert log.count("slow") < 3 * MAX_CHUNK


async def nothing_rings(worker: ServiceOnPostgres) -> bool:
    return await worker.count("counters", "rings_at IS NOT NULL") == 0


async def test_two_workers_take_mostly_different_states_of_one_wave(dsn: str) -> None:
    """Each state is decided once. Both workers take part, and few states are taken up by both.

    How much each does depends on the machine: the slower one pauses for longer.
    """
    taken: list[int] = []
    async with (
        opened_on(dsn, alarms.service()) as first,
        opened_on(dsn, alarms.service()) as second,
    ):
        for worker in (second, first):
            await worker.store(*alarms.due_alarms(1))
            await worker.timers.run_due()
            note_chunks(worker, taken)
        await first.store(*alarms.due_counters(WAVE))
        await asyncio.gather(run_wave(first), run_wave(second))
        assert len(await rung(first)) == WAVE
        parts = [counters_decided(worker) for worker in (first, second)]
    assert sum(parts) == WAVE
    assert min(parts) > WAVE / 20
    assert sum(taken) < 1.3 * WAVE


async def test_a_timer_that_becomes_due_during_a_wave_does_not_wait_for_its_end(dsn: str) -> None:
    """It is in the next chunk although thousands are due for longer. The wave goes on in the same chunk."""
    async with opened_on(dsn, alarms.service()) as worker:
        wave = alarms.due_counters(WAVE)
        later = alarms.due_counters(3, first=2 * WAVE)
        await worker.store(*(replace(counter, rings_at=alarms.PAST) for counter in wave), *later)
        await worker.timers.run_due()
        found = await rung(worker)
        assert {counter.number for counter in later} <= found
        assert len(found) == MAX_CHUNK


async def test_an_operator_sees_how_late_the_timers_of_a_wave_are(dsn: str) -> None:
    """The metric of each table is the age of its oldest due timer, and 0 when nothing is due any more."""
    async with opened_on(dsn, alarms.service()) as worker:
        metrics = Metrics()
        watch = QueueMetrics(metrics, worker.database, oldest_due(worker.service))
        counters, alarms_ = (metrics.due_oldest_seconds.labels(table) for table in ("counters", "alarms"))
        await worker.store(*alarms.due_counters(2))
        await watch.measure()
        now = await worker.now()
        late = (now - alarms.PAST).total_seconds()
        assert abs(counters._value.get() - late) < 60
        assert alarms_._value.get() == 0
        await worker.run_due_timers()
        await watch.measure()
        assert counters._value.get() == 0


async def test_the_oldest_timers_are_not_delayed_by_many_newer_ones(dsn: str) -> None:
    """At least half of each chunk is of the oldest, however many follow them."""
    async with opened_on(dsn, alarms.service()) as worker:
        await worker.store(*alarms.due_counters(2 * WAVE))
        await worker.timers.run_due()
        oldest = {counter.number for counter in alarms.due_counters(WINDOW * MAX_CHUNK)}
        assert len(await rung(worker) & oldest) >= MAX_CHUNK / 2


async def test_a_large_chunk_has_as_many_statements_as_a_small_one(dsn: str) -> None:
    """So a due timer of a calm worker costs less. Both are one transaction."""
    async with opened_on(dsn, alarms.service()) as worker:
        found = []
        for size in (MAX_CHUNK, CALM_CHUNK):
            await worker.store(*alarms.due_counters(size, first=size))
            async with statements_of(worker.database) as statements:
                await worker.timers.run_due(size)
            found.append([statement.split()[0] for statement in statements])
            assert await nothing_rings(worker)
    assert found[0] == found[1]
    assert found[0].count("BEGIN;") == 1


def counters_decided(worker: ServiceOnPostgres) -> int:
    states = (entry.decision.state for entry in worker.decisions() if isinstance(entry.decision, Decided))
    return sum(isinstance(state, toy.Counter) for state in states)


def note_chunks(worker: ServiceOnPostgres, taken: list[int]) -> None:
    """Append the size of each chunk that this worker takes up."""
    due = worker.stage.due

    async def noted(model: type, keys: Sequence[Any]) -> bool:
        taken.append(len(keys))
        return await due(model, keys)

    worker.stage.due = noted  # type: ignore[method-assign]


async def run_wave(worker: ServiceOnPostgres) -> None:
    """Run chunk after chunk until nothing is due."""
    while not await nothing_rings(worker):
        await worker.timers.run_due()
