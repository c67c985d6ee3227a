"""`make bench`: start the servers, measure, print a table and write `bench/latest.json`."""

import asyncio
import logging
import os
import platform
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from bench import measures
from bench.machine import Machine, machine
from bench.report import LATEST, Report
from didflow_contracts.topics import SERVICES

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def bench(  # noqa: PLR0917 - each is an option of the command
    only: Annotated[
        list[str] | None,
        typer.Argument(help=f"Measures to run: {', '.join(measures.ALL)}. Default: the first seven."),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of each measure. The table shows medians.")] = 5,
    messages: Annotated[
        int, typer.Option(min=1_000, help="Number of purchases in one run of a stage.")
    ] = 30_000,
    rows: Annotated[int, typer.Option(min=10_000, help="Number of rows of a large state table.")] = 1_000_000,
    terms: Annotated[int, typer.Option(min=1_000, help="Number of terms that are due at once.")] = 100_000,
    items: Annotated[
        int, typer.Option(min=1_000, help="Number of items of a job, or of purchases of a noisy account.")
    ] = 100_000,
    service: Annotated[
        list[str] | None, typer.Option(help="The services that run a job. Default: all.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Chooses the order of the faults of jobs.")] = 1,
    minutes: Annotated[
        float, typer.Option(min=1, help="`reverify` stops its phases so that it ends after so many.")
    ] = 600.0,
    save: Annotated[bool, typer.Option(help="Write bench/latest.json.")] = True,
) -> None:
    """Measure didflow against minimal references on a real Kafka and a real, durable PostgreSQL."""
    chosen = only or list(measures.USUAL)
    unknown = set(chosen) - measures.ALL.keys()
    if unknown:
        raise typer.BadParameter(
            f"Unknown measure: {', '.join(sorted(unknown))}. Use {', '.join(measures.ALL)}."
        )
    logging.basicConfig(level=logging.CRITICAL)
    console = Console(width=None if os.isatty(1) else 150)
    options = measures.Options(
        rounds=rounds,
        messages=messages,
        rows=rows,
        terms=terms,
        items=items,
        services=service or SERVICES,
        seed=seed,
        minutes=minutes,
    )
    report = asyncio.run(_measure(chosen, options, console))
    report.show(console)
    if save:
        report.write()
        console.print(f"written to {LATEST}")


async def _measure(chosen: list[str], options: measures.Options, console: Console) -> Report:
    report = Report()
    async with machine() as servers:
        report.about.update(_about(servers, options))
        console.print(report.about)
        for name in chosen:
            console.rule(name)
            await measures.ALL[name](servers, options, report, lambda text: console.print(text, style="dim"))
    return report


def _about(servers: Machine, options: measures.Options) -> dict[str, object]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "durable_commit_ms": round(servers.commit_s * 1000, 2),
        "rounds": options.rounds,
    }


app()
