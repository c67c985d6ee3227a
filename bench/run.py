"""One run of one variant: a process of its own that is told what to do in one argument and prints what it took.

The clock starts at the first batch and stops when the last offset is committed and the last row is published.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from typing import Any

import uvloop

from didflow_chassis import garbage_collection

PATIENCE_S = 300.0
"""How long one run may take."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a variant is told: where the servers are, what to read, and how much of it."""

    kafka: str
    dsn: str
    prefix: str
    messages: int
    batch: int = 500
    service: str = "billing"
    profile: str = ""
    extra: int = 0


@dataclass(frozen=True, kw_only=True)
class Took:
    """What a run took: messages taken in, from the first to the last, in so many batches; rows published.

    `cpu_s` is the processor time of the variant's own process: it says what waiting and neighbours hide.
    """

    messages: int
    seconds: float
    batches: int = 0
    published: int = 0
    statements: int = 0
    cpu_s: float = 0.0

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds


class RunFailedError(RuntimeError):
    """A variant ended with an error; the message is the end of what it said."""

    code = "run-failed"


class Stopwatch:
    """Counts batches from the first on."""

    def __init__(self) -> None:
        self.started = self.cpu = 0.0
        self.messages = self.batches = self.done = 0

    def batch(self, size: int) -> None:
        """Note that a batch has come; the first one starts the clock."""
        if not self.started:
            self.started, self.cpu = time.perf_counter(), time.process_time()
        self.messages += size
        self.batches += 1

    def took(self, *, published: int = 0, statements: int = 0) -> Took:
        """Stop."""
        seconds = time.perf_counter() - self.started
        return Took(
            messages=self.messages,
            seconds=seconds,
            batches=self.batches,
            published=published,
            statements=statements,
            cpu_s=time.process_time() - self.cpu,
        )


async def in_process(module: str, run: Run) -> Took:
    """Run a variant in a process of its own. Raises RunFailedError."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"bench.{module}",
        json.dumps(asdict(run)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            out, err = await process.communicate()
    except TimeoutError:
        raise RunFailedError(f"{module}: not done after {PATIENCE_S:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        raise RunFailedError(f"{module}: {(out + err).decode(errors='replace')[-3000:]}")
    return Took(**json.loads(out.splitlines()[-1]))


def main(work: Callable[[Run], Coroutine[Any, Any, Took]]) -> None:
    """Be a variant's process."""
    run = Run(**json.loads(sys.argv[1]))
    # What was imported is no garbage, and batches make no cycles: every variant is spared looking, as workers are.
    garbage_collection.tune()

    async def measured() -> Took:
        return await work(run)

    took = _profiled(measured, run.profile) if run.profile else uvloop.run(measured())
    print(json.dumps(asdict(took)))


def _profiled(work: Callable[[], Coroutine[Any, Any, Took]], file: str) -> Took:
    from bench.profiler import profiled  # noqa: PLC0415 - only there when the group `bench` is installed

    took: Took = profiled(work, file)
    return took
