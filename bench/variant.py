"""One run of one variant. It is a process that gets its task in one argument and prints its figures.

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
"""Time limit of one run, in seconds."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """The task of a variant: the servers, what to read, and how much of it."""

    kafka: str
    dsn: str
    prefix: str
    messages: int
    batch: int = 500
    service: str = "billing"
    topic: str = "did.purchased"
    profile: str = ""
    extra: int = 0


@dataclass(frozen=True, kw_only=True)
class Took:
    """The figures of a run: messages taken, seconds from the first to the last, batches, rows published.

    `cpu_s` is the processor time of the variant's own process. It is independent of waiting and of other processes.
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
    """A variant ended with an error. The message is the end of its output."""

    code = "run-failed"


class Stopwatch:
    """Counts batches from the first one on."""

    def __init__(self) -> None:
        self.started = self.cpu = 0.0
        self.messages = self.batches = self.done = 0

    def batch(self, size: int) -> None:
        """Count a batch. The first one starts the clock."""
        if not self.started:
            self.started, self.cpu = time.perf_counter(), time.process_time()
        self.messages += size
        self.batches += 1

    def took(self, *, published: int = 0, statements: int = 0) -> Took:
        """Stop the clock and return the figures."""
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
    """Run a variant in its own process. Raises RunFailedError."""
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
    """Run a variant in this process and print its figures."""
    run = Run(**json.loads(sys.argv[1]))
    # Batches create no reference cycles. Every variant disables most of the search for them, as workers do.
    garbage_collection.tune()

    async def measured() -> Took:
        return await work(run)

    took = _profiled(measured, run.profile) if run.profile else uvloop.run(measured())
    print(json.dumps(asdict(took)))


def _profiled(work: Callable[[], Coroutine[Any, Any, Took]], file: str) -> Took:
    from bench.profiler import profiled  # noqa: PLC0415 - only there when the group `bench` is installed

    took: Took = profiled(work, file)
    return took
