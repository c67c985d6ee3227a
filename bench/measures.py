"""The measures by name: what is run for each, and which figures come out of it."""

import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench import relays, stages
from bench.machine import Machine
from bench.report import Figure, Report
from bench.rounds import Tell, median_rate
from bench.run import Took

NAIVE_MESSAGES: Final = 300
RELAY_ROWS: Final = 100_000


@dataclass(frozen=True, kw_only=True)
class Options:
    """How long to measure."""

    rounds: int
    messages: int
    rows: int


Measure = Callable[[Machine, Options, Report, Tell], Awaitable[None]]


async def stage(machine: Machine, options: Options, report: Report, tell: Tell) -> None:
    """One stage: ours is the mean of billing's and inventory's ratio to the floor that writes the same."""
    took = await stages.measure(
        machine, messages=options.messages, naive=NAIVE_MESSAGES, rounds=options.rounds, tell=tell
    )
    report.detail["stage"] = {name: _summary(each) for name, each in took.items()}
    rate = {name: median_rate(each) for name, each in took.items()}
    for batch, aim in ((500, 0.8), (100, 0.7)):
        ours = statistics.fmean(rate[f"{name}_{batch}"] for name in stages.OURS)
        floor = statistics.fmean(rate[f"{name}-floor_{batch}"] for name in stages.OURS)
        report.figures.append(_rates(f"stage_{batch}", f"stage, batch {batch}", ours, floor, "floor", aim))
    ours = statistics.fmean(rate[f"{name}_500"] for name in stages.OURS)
    naive = rate["naive_500"]
    report.figures.append(_rates("naive_500", "stage, batch 500", ours, naive, "naive application", 60))


async def relay(machine: Machine, options: Options, report: Report, tell: Tell) -> None:
    """The relay alone, and its statements for each row."""
    took = await relays.measure(machine, rows=RELAY_ROWS, rounds=options.rounds, tell=tell)
    report.detail["relay"] = {name: _summary(each) for name, each in took.items()}
    ours, bare = median_rate(took["relay"]), median_rate(took["bare_producer"])
    report.figures.append(_rates("relay", "relay", ours, bare, "bare producer", 0.7))
    report.about["relay_statements_per_row"] = took["relay"][-1].statements / RELAY_ROWS


ALL: Final[Mapping[str, Measure]] = {"stage": stage, "relay": relay}


def _rates(  # noqa: PLR0917 - a figure read in the order of its table
    key: str, what: str, ours: float, reference: float, against: str, aim: float
) -> Figure:
    return Figure(key=key, what=what, unit="/s", ours=ours, reference=reference, against=against, aim=aim)


def _summary(took: Sequence[Took]) -> dict[str, float]:
    rates = [each.rate for each in took]
    return {
        "rate": round(statistics.median(rates)),
        "slowest": round(min(rates)),
        "fastest": round(max(rates)),
        "cpu_us": round(statistics.median(each.cpu_s / each.messages for each in took) * 1e6, 1),
        "published": took[-1].published,
        "batches": took[-1].batches,
    }
