"""The measures by name: the runs of each measure and the figures that follow from them."""

import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from bench import balances as all_balances
from bench import due_terms, growth, relays, stages
from bench import flow as whole_flow
from bench import jobs as all_jobs
from bench import latency as latencies
from bench import memory as memories
from bench import noisy as noisy_account
from bench import rebuild as rebuilds
from bench import reverify as reverified_dids
from bench.large_tables import GROUP
from bench.machine import Machine
from bench.report import Figure, Report
from bench.rounds import Tell, median_rate
from bench.variant import Took

NAIVE_MESSAGES: Final = 300
RELAY_ROWS: Final = 100_000
FLOW_PURCHASES: Final = 1_000
LATENCY_SECONDS: Final = 8
GROWTH_MESSAGES: Final = 50_000
"""Enough purchases to change pages of a large index several times. The first change after a checkpoint logs the
whole page."""
SHARED_MESSAGES: Final = 10_000
MEMORY_PIECES: Final = 10
IDLE_S: Final = 60.0
"""At 5 purchases a second, 300 of them."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The size of a measurement."""

    rounds: int
    messages: int
    rows: int
    terms: int
    items: int
    services: Sequence[str]
    seed: int
    minutes: float


Measure = Callable[[Machine, Options, Report, Tell], Awaitable[None]]


async def stage(machine: Machine, options: Options, report: Report, tell: Tell) -> None:
    """One stage: the mean of billing and inventory against the mean of the floors that write the same.

    The naive application does the same as billing and is compared with billing.
    """
    names = (*stages.FLOORS_OF_PURCHASES, *stages.OF_PURCHASES)
    took = await stages.measure(
        machine, names, messages=options.messages, naive=NAIVE_MESSAGES, rounds=options.rounds, tell=tell
    )
    report.detail["stage"] = {name: _summary(each) for name, each in took.items()}
    rate = {name: median_rate(each) for name, each in took.items()}
    for batch, aim in ((500, 0.8), (100, 0.7)):
        ours = statistics.fmean(rate[f"{name}_{batch}"] for name in stages.OF_PURCHASES)
        floor = statistics.fmean(rate[f"{name}-floor_{batch}"] for name in stages.OF_PURCHASES)
        report.figures.append(_rates(f"stage_{batch}", f"stage, batch {batch}", ours, floor, "floor", aim))
    ours, naive = rate["billing_500"], rate["naive_500"]
    report.figures.append(_rates("naive_500", "billing, batch 500", ours, naive, "naive application", 60))


async def provisioning(machine: Machine, options: Options, report: Report, tell: Tell) -> None:
    """The stage of provisioning, from a holding to the command, against the floor that writes the same."""
    names = ("provisioning-floor", "provisioning")
    took = await stages.measure(machine, names, messages=options.messages, rounds=options.rounds, tell=tell)
    report.detail["provisioning"] = {name: _summary(each) for name, each in took.items()}
    for batch, aim in ((500, 0.8), (100, 0.7)):
        floor, ours = (median_rate(took[f"{name}_{batch}"]) for name in names)
        what = f"provisioning, batch {batch}"
        report.figures.append(_rates(f"provisioning_{batch}", what, ours, floor, "floor", aim))


async def relay(machine: Machine, options: Options, report: Report, tell: Tell) -> None:
    """The relay alone, and its statements for each row."""
    took = await relays.measure(machine, rows=RELAY_ROWS, rounds=options.rounds, tell=tell)
    report.detail["relay"] = {name: _summary(each) for name, each in took.items()}
    ours, bare = median_rate(took["relay"]), median_rate(took["bare_producer"])
    report.figures.append(_rates("relay", "relay", ours, bare, "bare producer", 0.7))
    report.about["relay_statements_per_row"] = took["relay"][-1].statements / RELAY_ROWS


async def flow(machine: Machine, options: Options, report: Report, tell: Tell) -> None:
    """The whole flow: messages that the four stages took each second, and DIDs."""
    took = await whole_flow.measure(
        machine, purchases=FLOW_PURCHASES, messages=options.messages, rounds=options.rounds, tell=tell
    )
    report.detail["flow"] = {name: _summary(each) for name, each in took.items()}
    floor = statistics.fmean(median_rate(took[f"{name}-floor"]) for name in stages.OF_PURCHASES)
    report.figures.append(
        _rates("flow", "whole flow, four services", median_rate(took["flow"]), floor, "one-stage floor", 0.6)
    )
    report.about["dids_per_second"] = round(
        statistics.median(each.published / each.seconds for each in took["flow"]), 1
    )
    report.about["messages_per_did"] = round(took["flow"][-1].messages / FLOW_PURCHASES, 1)


async def latency(machine: Machine, options: Options, report: Report, tell: Tell) -> None:
    """From publishing to activation at 50 purchases a second, against as many bare hops."""
    found = await latencies.measure(machine, seconds=LATENCY_SECONDS, rounds=options.rounds, tell=tell)
    report.about["hops"] = found.hops
    report.detail["latency"] = {
        name: {which: statistics.median(getattr(each, which) for each in rounds) for which in ("p50", "p99")}
        for name, rounds in (("ours", found.ours), ("bare hops", found.bare))
    }
    for which, aim in (("p50", 2.0), ("p99", 4.0)):
        ours, bare = (report.detail["latency"][name][which] for name in ("ours", "bare hops"))
        report.figures.append(
            Figure(
                key=f"latency_{which}",
                what=f"latency {which}, {latencies.PER_SECOND} purchases/s",
                unit="ms",
                ours=ours,
                reference=bare,
                against=f"{found.hops} bare hops",
                aim=aim,
                at_most=True,
            )
        )


async def rows(machine: Machine, options: Options, report: Report, tell: Tell) -> None:
    """Throughput with large state tables against ten thousand rows."""
    took = await growth.by_rows(
        machine, rows=options.rows, messages=GROWTH_MESSAGES, rounds=options.rounds, tell=tell
    )
    report.detail["rows"] = {name: _summary(each) for name, each in took.items()}
    small, large = (median_rate(each) for each in took.values())
    what = f"stage on {options.rows:,} rows"
    report.figures.append(_rates("growth_10m", what, large, small, f"{growth.SMALL:,} rows", 0.8))
    report.about["growth_rows"] = options.rows


async def clock(machine: Machine, options: Options, report: Report, tell: Tell) -> None:
    """Terms that a worker renews each second against the purchases that it takes, on the same large tables."""
    took = await growth.of_due_terms(machine, rows=options.rows, rounds=options.rounds, tell=tell)
    report.detail["clock"] = {name: _summary(each) for name, each in took.items()}
    purchases, due = (median_rate(each) for each in took.values())
    what = f"{GROUP:,} due terms of {options.rows:,}"
    report.figures.append(_rates("clock", what, due, purchases, "purchases, batch 500", 1.0))
    report.about["clock_rows"] = options.rows


async def batches(machine: Machine, options: Options, report: Report, tell: Tell) -> None:
    """Throughput by batch size."""
    took = await growth.by_batch(machine, rounds=min(options.rounds, 3), tell=tell)
    report.detail["batches"] = {name: _summary(each) for name, each in took.items()}


async def workers(machine: Machine, options: Options, report: Report, tell: Tell) -> None:
    """Throughput by number of workers."""
    took = await growth.by_workers(
        machine, messages=SHARED_MESSAGES, rounds=min(options.rounds, 3), tell=tell
    )
    report.detail["workers"] = {name: _summary(each) for name, each in took.items()}


async def memory(machine: Machine, options: Options, report: Report, tell: Tell) -> None:  # noqa: ARG001
    """Memory of a worker after a hundred thousand messages, and until one million."""
    held = await memories.measure(machine, pieces=MEMORY_PIECES, tell=tell)
    report.figures.append(
        Figure(
            key="memory_1m",
            what="resident memory, to 1,000,000 messages",
            unit="MB",
            ours=held.later,
            reference=held.first,
            against="to 100,000",
            aim=1.1,
            at_most=True,
        )
    )


async def timers(machine: Machine, options: Options, report: Report, tell: Tell) -> None:
    """The latency of purchases while many terms are due, against the same with nothing due."""
    waves = await due_terms.measure(machine, terms=options.terms, idle_s=IDLE_S, tell=tell)
    report.about["due_terms"] = options.terms
    report.detail["timers"] = {f"{wave.workers} workers": _rounded(asdict(wave)) for wave in waves}
    report.figures.extend(
        Figure(
            key=f"timers_{wave.workers}",
            what=f"latency p95, {options.terms:,} terms due, {wave.workers} workers",
            unit="ms",
            ours=wave.p95,
            reference=wave.idle_p95,
            against="nothing due",
            aim=3.0,
            at_most=True,
        )
        for wave in waves
    )


async def rebuild(machine: Machine, options: Options, report: Report, tell: Tell) -> None:
    """The latency of purchases beside a rebuild of My Numbers, against the same without one."""
    found = await rebuilds.measure(machine, rows=options.rows, idle_s=IDLE_S, tell=tell)
    tell(str(found))
    report.detail["rebuild"] = {f"{rebuilds.WORKERS} workers": asdict(found)}
    report.figures.append(
        Figure(
            key="rebuild",
            what=f"latency p95 beside a rebuild of {options.rows:,} rows",
            unit="ms",
            ours=found.p95,
            reference=found.idle_p95,
            against="no rebuild",
            aim=3.0,
            at_most=True,
        )
    )


async def jobs(machine: Machine, options: Options, report: Report, tell: Tell) -> None:
    """The latency of purchases beside a job that survives all faults, against the same without a job."""
    found = await all_jobs.measure(
        machine,
        services=options.services,
        items=options.items,
        seed=options.seed,
        idle_s=IDLE_S,
        tell=tell,
    )
    for each in found:
        report.detail[f"jobs {each.service}"] = {each.kind: each.numbers}
        for key, what, p95 in (
            ("quiet", "without faults", each.quiet_p95),
            ("calm", "between faults", each.calm_p95),
        ):
            figure = Figure(
                key=f"jobs_{each.service}_{key}",
                what=f"latency p95 beside a job of {each.items:,} items in {each.service}, {what}",
                unit="ms",
                ours=p95,
                reference=each.idle_p95,
                against="no job",
                aim=3.0,
                at_most=True,
            )
            report.figures.append(figure)


async def reverify(machine: Machine, options: Options, report: Report, tell: Tell) -> None:
    """The latency of purchases while the requirement of many DIDs changes, against the same without a change."""
    found = await reverified_dids.measure(
        machine, items=options.items, idle_s=IDLE_S, tell=tell, minutes=options.minutes
    )
    tell(str(found.numbers()))
    report.detail["reverify"] = {"the change": found.numbers()} | {
        name: phase.numbers() for name, phase in found.phases.items()
    }
    for name, phase in found.phases.items():
        if phase.dids:
            figure = Figure(
                key=f"reverify_{name}",
                what=f"latency p95, {options.items:,} DIDs to verify again, {name}",
                unit="ms",
                ours=phase.p95,
                reference=phase.idle_p95,
                against="no change",
                aim=3.0,
                at_most=True,
            )
            report.figures.append(figure)


async def noisy(machine: Machine, options: Options, report: Report, tell: Tell) -> None:
    """How long the purchases of one account wait behind those of another, against how long the latter take."""
    found = await noisy_account.measure(machine, largest=options.items, tell=tell)
    report.detail["noisy (s)"] = {f"behind {each.before:,}": each.numbers for each in found}
    for each in found:
        if each.before == options.items and each.took["billing"] and "billing" in each.backlog:
            figure = Figure(
                key="noisy",
                what=f"billing's last decision on another account behind {each.before:,} purchases",
                unit="ms",
                ours=each.took["billing"][-1] * 1_000,
                reference=each.backlog["billing"] * 1_000,
                against="the last decision on these purchases",
                aim=1.2,
                at_most=True,
            )
            report.figures.append(figure)


async def balances(machine: Machine, options: Options, report: Report, tell: Tell) -> None:
    """The balances of a large ledger over HTTP, for an operator, a reseller and a leaf, against 20 ms."""
    found = await all_balances.measure(machine.databases, entries=options.rows, tell=tell)
    report.about["ledger_entries"] = options.rows
    report.detail["balances (ms)"] = {each.what: each.numbers for each in found}
    for by in ("account", "order", "did"):
        figure = Figure(
            key=f"balances_{by}",
            what=f"balances by {by} of {options.rows:,} entries, the slowest p95 of all callers",
            unit="ms",
            ours=max(each.numbers["p95"] for each in found if f"by {by}," in each.what),
            reference=all_balances.LIMIT_MS,
            against="the limit",
            aim=1.0,
            at_most=True,
        )
        report.figures.append(figure)


USUAL: Final[Mapping[str, Measure]] = {
    "stage": stage,
    "provisioning": provisioning,
    "relay": relay,
    "flow": flow,
    "latency": latency,
    "rows": rows,
    "clock": clock,
}
ALL: Final[Mapping[str, Measure]] = {
    **USUAL,
    "batches": batches,
    "workers": workers,
    "memory": memory,
    "timers": timers,
    "rebuild": rebuild,
    "jobs": jobs,
    "reverify": reverify,
    "noisy": noisy,
    "balances": balances,
}
"""All measures. A measure that is not usual runs only if it is named."""


def _rates(  # noqa: PLR0917 - a figure read in the order of its table
    key: str, what: str, ours: float, reference: float, against: str, aim: float
) -> Figure:
    return Figure(key=key, what=what, unit="/s", ours=ours, reference=reference, against=against, aim=aim)


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 1) for name, value in values.items()}


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
