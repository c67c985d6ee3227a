"""`didflow parked`: lists the parked messages of all services. It never shows their content."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import orjson
import typer

from didflow.commands.options import Data, Json, OneService, Postgres, databases_of, fail, run
from didflow.errors import BadInput

if TYPE_CHECKING:
    from rich.table import Table

    from didflow.parked import Waiting

# ruff: noqa: PLC0415 - each command loads only what it runs

app = typer.Typer(
    help="Parked messages: they wait for another message, for a retry or for an operator.",
    no_args_is_help=True,
)

Reason = Annotated[
    str | None, typer.Option(help="Only messages with this reason: early, retry, behind or dead.")
]
Did = Annotated[UUID | None, typer.Option("--did", help="Only messages of the DID with this id.")]
Number = Annotated[str | None, typer.Option(help="Only messages of this number, such as +442079460018.")]


@app.callback()
def parked() -> None:
    """Parked messages: they wait for another message, for a retry or for an operator."""


@app.command("list")
def list_parked(
    *,
    service: OneService = None,
    reason: Reason = None,
    did: Did = None,
    number: Number = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
    json: Json = False,
    data: Data = None,
    postgres: Postgres = None,
) -> None:
    """List parked messages, the longest parked first."""
    from didflow import parked as parked_messages
    from didflow.console import console

    if reason not in (None, *parked_messages.REASONS):
        raise fail(BadInput(f"Unknown reason {reason!r}. Use one of {', '.join(parked_messages.REASONS)}."))
    subject = number and "+" + number.removeprefix("+")
    wanted = parked_messages.Wanted(reason=reason, did_id=did, number=subject)
    found = run(parked_messages.listed(databases_of(data, postgres, service), wanted, limit=limit))
    if json:
        for one in found:
            typer.echo(_json(one))
        return
    console().print(_table(found) if found else "no parked messages")


def _table(found: "list[Waiting]") -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("service", "reason", "age", "entity", "number", "event", "missing", "attempts", "due"):
        table.add_column(name, no_wrap=True, overflow="fold" if name == "entity" else "ellipsis")
    for one in found:
        due = f"{one.due_at:%Y-%m-%d %H:%M:%S}" if one.due_at else ""
        event = one.type.removeprefix("didflow.") or one.topic or "timer"
        whose = (one.service, one.reason, _age(one.age), one.entity, one.number)
        table.add_row(*whose, event, one.missing, str(one.attempts), due)
    return table


def _age(age: timedelta) -> str:
    """Return an age as text, in its two largest units."""
    minutes, seconds = divmod(max(0, int(age.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _json(one: "Waiting") -> str:
    values = {
        "service": one.service,
        "id": one.id,
        "reason": one.reason,
        "entity": one.entity,
        "number": one.number,
        "topic": one.topic,
        "type": one.type,
        "missing": one.missing,
        "attempts": one.attempts,
        "due_at": one.due_at,
        "since": one.since,
        "age_seconds": round(one.age.total_seconds(), 1),
    }
    return orjson.dumps(values).decode()
