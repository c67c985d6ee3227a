"""`didflow up`: everything on this machine, until it is told to stop."""

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
    "The embedded Kafka is a stand-in, for idle_check and not for load (see --kafka). What it holds is gone when it",
    "stops (--fresh begins anew), and a partition forgets its oldest records beyond 5 MB. One worker for each",
    "service; one that was killed reads again after some seconds. didflow's topics have 12 partitions, any other 4.",
)


def up(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when all is up.")] = False,
    kafka: Annotated[str | None, typer.Option(help="Use this Kafka: host:port, more by commas.")] = None,
    postgres: Annotated[
        str | None, typer.Option(help="Use this PostgreSQL: DSN of a user that may make databases and roles.")
    ] = None,
    data: Data = None,
    port: Annotated[int | None, typer.Option(help="Port of the APIs; else 8080, or a free one.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin with an empty embedded database.")] = False,
) -> None:
    """Start everything on this machine and stay until SIGTERM or Ctrl-C; all of it ends with this."""
    folder = folder_of(data)
    try:
        with held(folder):
            # Said before anything is loaded; `running` holds the folder for good.
            pass
    except StackRuns as error:
        raise fail(error) from None
    from didflow.servers import Wanted

    wanted = Wanted(kafka=kafka, postgres=postgres, fresh=fresh)
    run(_up(wanted, folder, port, json=json))


async def _up(wanted: "Wanted", folder: Path, port: int | None, *, json: bool) -> None:
    from didflow.console import Progress, console
    from didflow.stack import running

    said = console(stderr=json)
    voice = Progress(said.print)
    try:
        async with running(wanted, folder, tell=voice.step, port=port) as stack:
            if json:
                typer.echo(summary(stack))
            else:
                for line in screen(stack):
                    said.print(line)
            await _until_signaled(voice)
    except asyncio.CancelledError:
        # Told to stop: that is how it should end.
        return


async def _until_signaled(voice: "Progress") -> None:
    try:
        await asyncio.Event().wait()
    finally:
        voice.step("stopping")


def summary(stack: "Stack") -> str:
    """Put on one line what a program needs."""
    from didflow.issuer import tokens_of

    said = {
        "kafka": stack.parts.kafka,
        "http": stack.base,
        "postgres": dict(stack.parts.postgres),
        "tokens": tokens_of(stack.issuer),
        "data": str(stack.folder),
    }
    return orjson.dumps(said).decode()


def screen(stack: "Stack") -> list[str]:
    """Say what runs where, and what to try next."""
    parts = stack.parts
    kinds = {True: "embedded", False: "given"}
    lines = [
        "",
        "[bold green]didflow is up[/]  (Ctrl-C ends it)",
        f"  HTTP        {stack.base}   e.g. /v1/dids, /openapi/inventory.json",
        f"  Kafka       {parts.kafka}   ({kinds[parts.embedded_kafka]})",
        *(f"  PostgreSQL  {dsn}" for name, dsn in parts.postgres.items() if name != ADMIN),
        f"  logs        {stack.folder / 'logs'}",
        "",
        "  a token     didflow token --role reseller --account master/acme",
        "  watch       didflow events --from-start",
        f"  dead        didflow dlq list   (also on {', '.join(DEAD_LETTER_TOPICS.values())})",
    ]
    if parts.embedded_postgres:
        lines.append("  time        didflow clock advance P31D")
    return lines + (["", *EMBEDDED_LIMITS] if parts.embedded_kafka else [])
