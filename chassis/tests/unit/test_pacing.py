"""Background work pauses longer than it works beside live work, takes turns, and waits while the outbox is full."""

import asyncio
import math
import time
from collections.abc import Iterable
from types import SimpleNamespace

import pytest

from didflow_chassis import pacing
from didflow_chassis.pacing import (
    CALM_CHUNK,
    CALM_LONG_S,
    CALM_PAUSE,
    IDLE_PAUSE,
    LONG_S,
    MAX_CHUNK,
    MAX_OUTBOX,
    MIN_CHUNK,
    PAUSE,
    Pace,
    Pacing,
)

WORK_S = 0.02
FULL = MAX_OUTBOX + 1
OFTEN = 20


class Outbox:
    """An outbox whose reads return these (rows, oldest id), the last one again and again."""

    def __init__(self, *reads: tuple[int, int | None]) -> None:
        self._reads = list(reads)
        self.asked = 0
        self.asked_often = asyncio.Event()

    async def fetch(self, _statement: str, _limit: int) -> list[tuple[int, int | None]]:
        self.asked += 1
        if self.asked == OFTEN:
            self.asked_often.set()
        return [self._reads.pop(0) if len(self._reads) > 1 else self._reads[0]]


def paces(*reads: tuple[int, int | None]) -> tuple[Pacing, Outbox]:
    outbox = Outbox(*(reads or ((0, None),)))
    return Pacing(outbox), outbox  # type: ignore[arg-type]


async def chunk_of(pace: Pace, seconds: float) -> tuple[float, float]:
    """Run one chunk of this length. Return when it began and ended."""
    async with pace.chunk():
        began = time.monotonic()
        await asyncio.sleep(seconds)
        return began, time.monotonic()


async def test_the_first_chunk_begins_at_once() -> None:
    """A single due timer does not wait."""
    turns, _ = paces()
    asked = time.monotonic()
    began, _ = await chunk_of(turns.pace(), 0)
    assert began - asked < WORK_S


async def test_after_a_chunk_all_work_pauses() -> None:
    """Another kind of work waits for the same pause, so four fifths of the worker's time stay free."""
    turns, _ = paces()
    began, ended = await chunk_of(turns.pace(), WORK_S)
    next_began, _ = await chunk_of(turns.pace(), 0)
    assert next_began - ended >= PAUSE * (ended - began)


class Day:
    """Chunks of one second on a clock that only sleeps and chunks move. Live work begins and ends at given instants.

    The worker is calm from `calm_from` on.
    """

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        live: Iterable[tuple[float, float]] = (),
        calm_from: float = math.inf,
    ) -> None:
        self.now = 0.0
        self._live, self._calm_from = tuple(live), calm_from
        fake = SimpleNamespace(Lock=asyncio.Lock, sleep=self._sleep)
        monkeypatch.setattr(pacing, "asyncio", fake)
        monkeypatch.setattr(pacing, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.pacing = Pacing(Outbox((0, None)), self)  # type: ignore[arg-type]

    async def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def is_live(self) -> bool:
        return any(a <= self.now < b for a, b in self._live)

    def is_calm(self) -> bool:
        return self.now >= self._calm_from and not self.is_live()

    async def begins(self, count: int) -> list[float]:
        """Run chunks of different kinds of work, one after another. Return when each began."""
        found = []
        for _ in range(count):
            async with self.pacing.pace().chunk():
                found.append(self.now)
                self.now += 1
        return found


async def test_a_worker_without_live_work_gives_most_of_its_time_to_background_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A quarter of a chunk's time is its pause. With the long pause, ten chunks would take five times as long."""
    day = Day(monkeypatch)
    await day.begins(10)
    assert day.now == 10 + 9 * IDLE_PAUSE


async def test_a_calm_worker_gives_nearly_all_of_its_time_to_background_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It pauses for a tenth of a chunk's time. Live work that comes in this pause makes it long."""
    day = Day(monkeypatch, live=[(10 * (1 + CALM_PAUSE) - CALM_PAUSE / 2, 12)], calm_from=0)
    begins = await day.begins(11)
    assert begins[9] == pytest.approx(9 * (1 + CALM_PAUSE))
    assert begins[10] == pytest.approx(begins[9] + 1 + PAUSE)


async def test_live_work_that_comes_during_the_short_pause_makes_it_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The worker falls back to a fifth of its time at once, and takes most of it again after the live work."""
    day = Day(monkeypatch, live=[(1 + IDLE_PAUSE / 2, 2)])
    assert await day.begins(3) == [0, 1 + PAUSE, 2 + PAUSE + IDLE_PAUSE]


async def test_background_work_goes_on_beside_endless_live_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a fifth of the time, however much live work waits."""
    day = Day(monkeypatch, live=[(0, 1_000_000)])
    assert await day.begins(3) == [0, 1 + PAUSE, 2 * (1 + PAUSE)]


async def test_a_process_that_cannot_see_live_work_takes_a_fifth(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command line runs a job beside the workers of the service."""
    day = Day(monkeypatch)
    day.pacing = Pacing(Outbox((0, None)))  # type: ignore[arg-type]
    assert await day.begins(2) == [0, 1 + PAUSE]


async def test_work_takes_turns() -> None:
    """Two kinds of work with much to do alternate, and their chunks never overlap."""
    turns, _ = paces()
    done: list[str] = []

    async def work(name: str, pace: Pace) -> None:
        for _ in range(3):
            async with pace.chunk():
                done.append(f"{name} begins")
                await asyncio.sleep(0)
                done.append(f"{name} ends")

    await asyncio.gather(work("a", turns.pace()), work("b", turns.pace()))
    assert done == [f"{name} {what}" for name in "ababab" for what in ("begins", "ends")]


async def test_a_chunk_waits_while_the_outbox_is_full() -> None:
    """Nothing is added to the outbox before the relay has emptied it."""
    turns, outbox = paces((FULL, 1), (FULL, 1), (MAX_OUTBOX, 2))
    await chunk_of(turns.pace(), 0)
    assert outbox.asked == 3


async def test_with_a_relay_that_cannot_keep_up_background_work_goes_on_slowly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The outbox stays full although its oldest rows change. The chunk waits for a limited time."""
    monkeypatch.setattr(pacing, "PATIENCE_S", WORK_S)
    turns, _ = paces(*((FULL, n) for n in range(100)))
    asked = time.monotonic()
    began, _ = await chunk_of(turns.pace(), 0)
    assert began - asked >= WORK_S


async def test_without_a_relay_background_work_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """While Kafka is unavailable, the oldest row stays the same and no chunk begins."""
    monkeypatch.setattr(pacing, "PATIENCE_S", 0.001)
    turns, outbox = paces((FULL, 1))
    waiting = asyncio.create_task(chunk_of(turns.pace(), 0))
    await outbox.asked_often.wait()
    assert not waiting.done()
    waiting.cancel()


class Calm:
    """A load that is calm until it is told otherwise."""

    calm = True

    def is_live(self) -> bool:
        return not self.calm

    def is_calm(self) -> bool:
        return self.calm


def calm_pace(load: Calm | None = None, per_s: float = math.inf) -> Pace:
    return Pacing(Outbox((0, None)), load or Calm()).pace(per_s)  # type: ignore[arg-type]


def test_the_chunks_of_a_calm_worker_grow_while_they_stay_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large chunk has as many statements as a small one, so a due timer costs less."""
    assert sizes_after(calm_pace(), [0.01] * 5, monkeypatch) == [100, 200, 400, CALM_CHUNK, CALM_CHUNK]
    assert sizes_after(calm_pace(), [0.01, CALM_LONG_S * 0.6, CALM_LONG_S * 1.1], monkeypatch) == [
        100,
        100,
        50,
    ]


def test_a_record_makes_the_chunks_of_a_calm_worker_small_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next chunk has at most as many things as beside live work, and it grows again from there."""
    load = Calm()
    pace = calm_pace(load)
    assert sizes_after(pace, [0.01] * 4, monkeypatch)[-1] == CALM_CHUNK

    async def size() -> int:
        async with pace.measured() as size:
            return size

    load.calm = False
    assert asyncio.run(size()) == MAX_CHUNK
    load.calm = True
    assert asyncio.run(size()) == MAX_CHUNK


def test_a_limit_keeps_the_chunks_of_a_calm_worker_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 2,000 a second, a chunk of 500 would be followed by nothing for a quarter of a second."""
    for per_s, size in ((1, MAX_CHUNK), (500, MAX_CHUNK), (2_000, 200), (10_000, CALM_CHUNK)):
        assert sizes_after(calm_pace(per_s=per_s), [0.01] * 5, monkeypatch)[-1] == size


def sizes_after(pace: Pace, seconds: Iterable[float], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the size of the next chunk after each chunk of these lengths."""
    clock = [0.0]
    monkeypatch.setattr(pacing, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    async def run() -> list[int]:
        found = []
        for length in seconds:
            clock[0] += 1_000
            async with pace.chunk():
                clock[0] += length
            found.append(pace.size)
        return found

    return asyncio.run(run())


def test_slow_chunks_become_smaller_and_quick_ones_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    """The size is halved after a slow chunk and doubled after a quick one, within its limits."""
    turns, _ = paces()
    slow, quick = LONG_S * 2, LONG_S / 10
    sizes = sizes_after(turns.pace(), [slow, LONG_S * 0.6, quick, quick, *[slow] * 10], monkeypatch)
    assert sizes[:4] == [MAX_CHUNK // 2, MAX_CHUNK // 2, MAX_CHUNK, MAX_CHUNK]
    assert sizes[-1] == MIN_CHUNK
