"""`didflow check`: checks of a whole installation. Nothing is changed."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer

from didflow.commands.options import Data, Json, Postgres, databases_of, run
from didflow.console import Screen
from didflow.tables import Column

if TYPE_CHECKING:
    from didflow.consistency.check import Result

# ruff: noqa: PLC0415 - each command loads only what it runs

app = typer.Typer(help="Checks of the whole installation. They only read.", no_args_is_help=True)

COULD_NOT_RUN: Final = 2
"""The exit code if a database could not be read."""

_TABLE: Final = (
    Column(name="code"),
    Column(name="number"),
    Column(name="did_id"),
    Column(name="service"),
    Column(name="what", least=20),
)


@app.callback()
def check() -> None:
    """Checks of the whole installation. They only read."""


@app.command()
def consistency(
    *,
    wait: Annotated[
        float,
        typer.Option(
            min=0, max=3600, help="Seconds that events on their way have to arrive. Use more under load."
        ),
    ] = 10.0,
    final: Annotated[
        bool,
        typer.Option("--final", help="Nothing is on its way: every difference is a disagreement at once."),
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The most disagreements to print.")] = 1000,
    json: Json = False,
    data: Data = None,
    postgres: Postgres = None,
) -> None:
    """Check that the four databases agree: who holds what, the axes as received, the ledger and the terms.

    The exit code is 0 without disagreements, 1 with disagreements, 2 if a database could not be read.
    """
    from didflow.consistency.check import check

    databases = databases_of(data, postgres, None, failed=COULD_NOT_RUN)
    result = run(check(databases, wait=0 if final else wait), failed=COULD_NOT_RUN)
    (_print_json if json else _print)(result, limit)
    if result.disagreements:
        raise typer.Exit(1)


def _print(result: "Result", limit: int) -> None:
    screen = Screen()
    shown = result.disagreements[:limit]
    if shown:
        rows = [(one.code, one.number, str(one.did_id or ""), one.service, one.detail) for one in shown]
        screen.table(_TABLE, rows)
        screen.line("")
    if len(result.disagreements) > limit:
        screen.line(f"{len(result.disagreements) - limit} more disagreements are not shown (--limit)")
    for code, count in sorted(result.counts.items()):
        screen.line(f"{code}: {count}")
    for service, rows_waiting in result.backlog.items():
        waits = ", ".join(f"{name} {count}" for name, count in asdict(rows_waiting).items() if count)
        if waits:
            screen.line(f"waiting in {service}: {waits}")
    moving = f", {result.moving} that still change" if result.moving else ""
    disagreements = (
        f"{len(result.disagreements)} disagreements" if result.disagreements else "no disagreements"
    )
    screen.line(f"{disagreements} about {result.dids} DIDs{moving}, in {result.seconds:.1f} s")


def _print_json(result: "Result", limit: int) -> None:
    screen = Screen()
    for disagreement in result.disagreements[:limit]:
        did_id = None if disagreement.did_id is None else str(disagreement.did_id)
        screen.json({"kind": "disagreement"} | asdict(disagreement) | {"did_id": did_id})
    counted = {"dids": result.dids, "disagreements": len(result.disagreements), "moving": result.moving}
    waits = {service: asdict(rows) for service, rows in result.backlog.items()}
    about = {"counts": dict(result.counts), "backlog": waits, "seconds": round(result.seconds, 3)}
    screen.json({"kind": "summary"} | counted | about)
