"""`didflow up`: runs everything on this machine until it is stopped."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from didflow.commands.options import Data, fail, folder_of, run
from didflow.errors import StackRuns
from didflow.state import ADMIN, held
from didflow_contracts.topics import DEAD_LETTER_TOPICS

if TYPE_CHECKING:
    from didflow.console import Progress
    from didflow.servers import Wanted
    from didflow.stack import Stack

# ruff: noqa: PLC0415 - each command loads only what it runs

EMBEDDED_LIMITS = (
    "The embedded Kafka is for trying things out, not for load (to use a real one: --kafka). It loses all records",
    "when it stops, and a partition drops its oldest records beyond 5 MB. Each service can have one worker. A",
    "worker that was killed reads again after some seconds. Every topic has 4 partitions.",
)


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
    port: Annotated[int | None, typer.Option(help="Port of the APIs. Default: 8080, or a free port.")] = None,
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
    from didflow.console import Progress, console
    from didflow.stack import running

    screen = console(stderr=json)
    progress = Progress(screen.print)
    try:
        async with running(wanted, folder, tell=progress.step, port=port) as stack:
            if json:
                typer.echo(summary(stack))
            else:
                for line in overview(stack):
                    screen.print(line)
            await _until_signaled(progress)
    except asyncio.CancelledError:
        # A signal cancelled the run: this is the normal end.
        return


async def _until_signaled(progress: "Progress") -> None:
    try:
        await asyncio.Event().wait()
    finally:
        progress.step("stopping")


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


def overview(stack: "Stack") -> list[str]:
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
        "",
        "  token         didflow token --role reseller --account master/acme",
        "  events        didflow events --from-start",
        f"  dead letters  didflow dlq list   (also on {', '.join(DEAD_LETTER_TOPICS.values())})",
    ]
    if servers.embedded_postgres:
        lines.append("  time          didflow clock advance P31D")
    return lines + (["", *EMBEDDED_LIMITS] if servers.embedded_kafka else [])
