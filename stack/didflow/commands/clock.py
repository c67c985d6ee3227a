"""`didflow clock`: the embedded stack's movable clock."""

from typing import TYPE_CHECKING, Annotated

import typer

from didflow.commands.options import Data, Postgres, installation_of, run
from didflow.console import Screen
from didflow.durations import parse_duration
from didflow.installation import Installation

if TYPE_CHECKING:
    from didflow.movable_clock import Reading

# ruff: noqa: PLC0415 - each command loads only what it runs

app = typer.Typer(help="Show or move the clock of the embedded stack.", no_args_is_help=True)


@app.command()
def advance(
    by: Annotated[str, typer.Argument(help="ISO 8601 duration, such as P31D or PT36H.")],
    data: Data = None,
    postgres: Postgres = None,
) -> None:
    """Move the clock of all services forward. Only the embedded stack allows it (else: clock_not_movable)."""
    screen = Screen()
    for reading in run(_advance(installation_of(data, postgres=postgres), by)):
        screen.line(_line(reading))
    screen.line("Events that you publish need this time: $(didflow now)")


@app.command()
def show(data: Data = None, postgres: Postgres = None) -> None:
    """Print the time of each service."""
    for reading in run(_show(installation_of(data, postgres=postgres))):
        Screen().line(_line(reading))


async def _advance(installation: Installation, by: str) -> "list[Reading]":
    from didflow import movable_clock

    duration = parse_duration(by)
    movable_clock.require_movable(installation)
    return await movable_clock.advance(installation.databases(), duration)


async def _show(installation: Installation) -> "list[Reading]":
    from didflow import movable_clock

    return await movable_clock.show(installation.databases())


def _line(reading: "Reading") -> str:
    return f"{reading.service:<13}{reading.now:%Y-%m-%d %H:%M:%S} UTC  (machine + {reading.shift})"
