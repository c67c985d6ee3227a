"""`didflow dlq`: lists, retries and drops the dead letters of all services."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import orjson
import typer

from didflow.commands.options import Data, Json, OneService, Postgres, databases_of, fail, run
from didflow.errors import BadInput

if TYPE_CHECKING:
    from rich.table import Table

    from didflow.dead_letters import Found, Handled
    from didflow_chassis.dead_letters import DeadLetter

# ruff: noqa: PLC0415 - each command loads only what it runs

app = typer.Typer(help="Dead letters: records that a service has given up.", no_args_is_help=True)

Reason = Annotated[
    str | None, typer.Option(help="Only dead letters with this reason, such as not_json or defect.")
]
Ids = Annotated[list[UUID] | None, typer.Argument(help="Ids of dead letters, as listed.")]
Every = Annotated[bool, typer.Option("--all", help="All dead letters, or all of --service and --reason.")]
_MOST = 100_000
_SHOWN = 60


@app.command("list")
def list_letters(
    *,
    service: OneService = None,
    reason: Reason = None,
    limit: Annotated[int, typer.Option(min=1, max=_MOST)] = 100,
    json: Json = False,
    data: Data = None,
    postgres: Postgres = None,
) -> None:
    """List dead letters, oldest first."""
    from didflow import dead_letters
    from didflow.console import console

    databases = databases_of(data, postgres, service)
    found = run(dead_letters.listed(databases, reason=reason, limit=limit))
    if json:
        for one in found:
            typer.echo(orjson.dumps(_values(one.service, one.letter)).decode())
        return
    console().print(_table(found) if found else "no dead letters")


@app.command()
def show(letter_id: UUID, data: Data = None, postgres: Postgres = None) -> None:
    """Print one whole dead letter as JSON."""
    from didflow import dead_letters

    found = run(dead_letters.found(databases_of(data, postgres, None), letter_id))
    if found is None:
        raise fail(BadInput(f"There is no dead letter {letter_id}."))
    service, letter = found
    headers = {name: _text(value) for name, value in letter.headers}
    values = _values(service, letter) | {"headers": headers, "value": _text(letter.value)}
    typer.echo(orjson.dumps(values, option=orjson.OPT_INDENT_2).decode())


@app.command()
def retry(
    ids: Ids = None,
    *,
    every: Every = False,
    service: OneService = None,
    reason: Reason = None,
    data: Data = None,
    postgres: Postgres = None,
) -> None:
    """Decide records again, before the messages that wait behind them. A second retry does nothing."""
    from didflow import dead_letters

    _handle(dead_letters.retry, ids, every, databases_of(data, postgres, service), reason)


@app.command()
def drop(
    ids: Ids = None,
    *,
    every: Every = False,
    service: OneService = None,
    reason: Reason = None,
    data: Data = None,
    postgres: Postgres = None,
) -> None:
    """Drop records for good. Messages that were waiting behind them are processed."""
    from didflow import dead_letters

    _handle(dead_letters.drop, ids, every, databases_of(data, postgres, service), reason)


Work = Callable[[Mapping[str, str], Sequence[UUID]], Awaitable["list[Handled]"]]
_OUTCOMES = {
    "retried": "retried",
    "dropped": "dropped",
    "absent": "nothing to do: there is no such dead letter, or it was retried or dropped before",
    "truncated": "refused (truncated): only a part of the record was stored, so it cannot be retried",
}


def _handle(
    work: Work, ids: list[UUID] | None, every: bool, databases: dict[str, str], reason: str | None
) -> None:
    if bool(ids) == every:
        raise fail(BadInput("Give the ids of dead letters, or use --all."))
    handled = run(_all_or_these(work, ids, databases, reason))
    for one in handled:
        typer.echo(f"{one.id}  {one.service:<13}{_OUTCOMES[one.outcome]}")
    if not handled:
        typer.echo("no dead letters")
    if any(one.outcome == "truncated" for one in handled):
        raise typer.Exit(1)


async def _all_or_these(
    work: Work, ids: list[UUID] | None, databases: dict[str, str], reason: str | None
) -> "list[Handled]":

    if not ids:
        from didflow import dead_letters

        ids = [one.letter.id for one in await dead_letters.listed(databases, reason=reason, limit=_MOST)]
    return await work(databases, ids)


def _table(found: "list[Found]") -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("id", "service", "at", "reason", "from", "detail"):
        table.add_column(name, no_wrap=True, overflow="fold" if name == "id" else "ellipsis")
    for one in found:
        letter = one.letter
        place = f"{letter.topic}/{letter.partition}@{letter.offset}" if letter.topic else "timer"
        row = (str(letter.id), one.service, f"{letter.at:%Y-%m-%d %H:%M:%S}", letter.reason, place)
        table.add_row(*row, letter.detail[:_SHOWN])
    return table


def _values(service: str, letter: "DeadLetter") -> dict[str, Any]:
    return {
        "id": str(letter.id),
        "service": service,
        "at": letter.at,
        "reason": letter.reason,
        "detail": letter.detail,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "key": _text(letter.key),
        "truncated": letter.truncated,
        "held_back": letter.entity,
    }


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")
