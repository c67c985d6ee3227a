"""`didflow up`: runs everything on this machine until it is stopped."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from didflow.commands.options import Data, fail, folder_of, run
from didflow.console import Progress, Screen
from didflow.errors import StackRuns
from didflow.state import ADMIN, held
from didflow_contracts.topics import DEAD_LETTER_TOPICS

if TYPE_CHECKING:
    from didflow.movable_clock import Reading
    from didflow.servers import Wanted
    from didflow.stack import Stack

# ruff: noqa: PLC0415 - each command loads only what it runs

EMBEDDED_LIMITS = (
    "The embedded Kafka is for trying things out, not for load (to use a real one: --kafka). It loses all records",
    "when it stops, and a partition drops its oldest records beyond 5 MB. Each service can have one worker. A",
    "worker that was killed reads again after some seconds. Every topic has 4 partitions.",
)

_CLOCK_S = 2.0
"""How often `up` looks whether its clock was moved."""


def up(
    *,
    json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON when everything runs.")
    ] = False,
    kafka: Annotated[str | None, typer.Option(help="Use this Kafka: host:port, separated by commas.")] = None,
    postgres: Annotated[
        str | None,
        typer.Option(help="Use this PostgreSQL: DSN of a user that may create databases and roles."),
    ] = None,
    data: Data = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65_535, help="Port of the APIs; 0: a free one. Default: 8080, or a free port."
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start with an empty embedded database.")] = False,
) -> None:
    """Start everything on this machine and run until SIGTERM or Ctrl-C. Then everything stops."""
    folder = folder_of(data)
    try:
        with held(folder):
            # Fail before anything is imported. `running` takes the folder for the whole run.
            pass
    except StackRuns as error:
        raise fail(error) from None
    from didflow.servers import Wanted

    wanted = Wanted(kafka=kafka, postgres=postgres, fresh=fresh)
    run(_up(wanted, folder, port, json=json))


async def _up(wanted: "Wanted", folder: Path, port: int | None, *, json: bool) -> None:
    from didflow.stack import running

    screen = Screen(stderr=json)
    progress = Progress(screen.markup)
    try:
        async with running(wanted, folder, tell=progress.step, port=port) as stack:
            clock = await _clock(stack)
            if json:
                Screen().line(summary(stack))
            for line in [] if json else overview(stack, clock):
                screen.markup(line)
            await _until_signaled(stack, clock, progress)
    except asyncio.CancelledError:
        # A signal cancelled the run: this is the normal end.
        return


async def _until_signaled(stack: "Stack", clock: "Reading", progress: "Progress") -> None:
    """Run until the command is cancelled. A clock that was moved meanwhile is reported."""
    from didflow_chassis.database import Outage

    try:
        while True:
            await asyncio.sleep(_CLOCK_S)
            try:
                present = await _clock(stack)
            except Outage:
                continue
            if present.shift != clock.shift:
                clock = present
                progress.step(f"the clock was moved: {_time(clock)}")
    finally:
        progress.step("stopping")


async def _clock(stack: "Stack") -> "Reading":
    """Return the time of the stack; all its services have the same one. Raises Outage."""
    from didflow import movable_clock

    name = next(name for name in stack.servers.postgres if name != ADMIN)
    (reading,) = await movable_clock.show({name: stack.servers.postgres[name]})
    return reading


def _time(clock: "Reading") -> str:
    from didflow.movable_clock import as_iso

    if not clock.is_shifted:
        return "that of this machine; `didflow now` prints it for events that you publish"
    return (
        f"{as_iso(clock.now)}, ahead of this machine by {clock.shift}. Events that you publish need this time: "
        "$(didflow now)"
    )


def summary(stack: "Stack") -> str:
    """Return what a program needs, as one line of JSON."""
    from didflow.issuer import tokens_of

    values = {
        "kafka": stack.servers.kafka,
        "http": stack.base,
        "postgres": dict(stack.servers.postgres),
        "tokens": tokens_of(stack.issuer),
        "data": str(stack.folder),
    }
    return orjson.dumps(values).decode()


def overview(stack: "Stack", clock: "Reading") -> list[str]:
    """Return the lines that show what runs where and which commands to try."""
    servers = stack.servers
    kinds = {True: "embedded", False: "given"}
    lines = [
        "",
        "[bold green]didflow is up[/]  (Ctrl-C stops it)",
        f"  HTTP        {stack.base}   e.g. /v1/dids, /openapi/inventory.json",
        f"  Kafka       {servers.kafka}   ({kinds[servers.embedded_kafka]})",
        *(f"  PostgreSQL  {dsn}" for name, dsn in servers.postgres.items() if name != ADMIN),
        f"  logs        {stack.folder / 'logs'}",
        f"  time        {_time(clock)}",
        "",
        "  token         didflow token --role reseller --account master/acme",
        "  events        didflow events --from-start",
        f"  dead letters  didflow dlq list   (also on {', '.join(DEAD_LETTER_TOPICS.values())})",
    ]
    if servers.embedded_postgres:
        lines.append("  move time     didflow clock advance P31D")
    return lines + (["", *EMBEDDED_LIMITS] if servers.embedded_kafka else [])
