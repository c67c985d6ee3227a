"""Where the time of a run goes: samples of its processor time, or pyinstrument's tree of its wall time.

There is a sample for each millisecond of processor time. The time of the database and of Kafka is not included.
"""

import signal
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import uvloop
from pyinstrument import Profiler

INTERVAL_S = 0.001
SHOWN = 60


@dataclass(slots=True)
class Samples:
    """How often each function was running, by itself or in a function that it called."""

    own: Counter[str] = field(default_factory=Counter)
    inclusive: Counter[str] = field(default_factory=Counter)

    def take(self, _signal: int, frame: FrameType | None) -> None:
        """Record the stack. This is the handler of SIGPROF."""
        seen: set[str] = set()
        leaf = True
        while frame is not None:
            name = _name(frame)
            if leaf:
                self.own[name] += 1
                leaf = False
            seen.add(name)
            frame = frame.f_back
        self.inclusive.update(seen)

    def lines(self) -> Iterator[str]:
        """Return the result in percent."""
        total = self.own.total()
        yield f"{total * INTERVAL_S:.2f} s of work"
        for title, found in (("with what they call", self.inclusive), ("themselves", self.own)):
            yield f"\n{title}:"
            yield from (f"{100 * count / total:6.1f} %  {name}" for name, count in found.most_common(SHOWN))


@contextmanager
def sampled() -> Iterator[Samples]:
    """Sample this process for the duration of the block."""
    samples = Samples()
    before = signal.signal(signal.SIGPROF, samples.take)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)
    try:
        yield samples
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def profiled(work: Callable[[], Coroutine[Any, Any, Any]], file: str) -> Any:
    """Run a function under a profiler. `<file>.txt` gets the costliest functions; for `.html`, pyinstrument's tree."""
    if file.endswith(".html"):
        profiler = Profiler(async_mode="disabled")
        with profiler:
            done = uvloop.run(work())
        Path(file).write_text(profiler.output_html())
    else:
        with sampled() as samples:
            done = uvloop.run(work())
        Path(file).write_text("\n".join(samples.lines()) + "\n")
    return done


def _name(frame: FrameType) -> str:
    place = "/".join(Path(frame.f_code.co_filename).parts[-2:])
    return f"{frame.f_code.co_qualname}  {place}"
