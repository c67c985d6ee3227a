"""`didflow parked`: lists the parked messages of all services. It never shows their content."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from didflow.commands.options import (
    Data,
    Json,
    OneService,
    Postgres,
    confirm,
    databases_of,
    fail,
    number_of,
    run,
)
from didflow.console import Screen
from didflow.errors import BadInput, StackError
from didflow.id_prefix import parse_id
from didflow.tables import Column

if TYPE_CHECKING:
    from didflow.parked import Waiting

# ruff: noqa: PLC0415 - each command loads only what it runs

app = typer.Typer(
    help="Parked messages: they wait for another message, for a retry or for an operator.",
    no_args_is_help=True,
)

Reason = Annotated[
    str | None, typer.Option(help="Only messages with this reason: early, retry, behind or dead.")
]
Did = Annotated[
    str | None,
    typer.Option("--did", help="Only messages of the DID with this id. The beginning of an id is enough."),
]
Number = Annotated[str | None, typer.Option(help="Only messages of this number, such as +442079460018.")]
Topic = Annotated[str | None, typer.Option("--type", help="Only events of this type, such as did.purchased.")]
_TABLE = (
    Column(name="entity"),
    Column(name="number"),
    Column(name="service"),
    Column(name="reason"),
    Column(name="age"),
    Column(name="event", least=12),
    Column(name="missing", least=14),
    Column(name="attempts"),
    Column(name="due (UTC)"),
)


@app.callback()
def parked() -> None:
    """Parked messages: they wait for another message, for a retry or for an operator."""


@app.command("list")
def list_parked(
    *,
    service: OneService = None,
    reason: Reason = None,
    topic: Topic = None,
    did: Did = None,
    number: Number = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
    json: Json = False,
    data: Data = None,
    postgres: Postgres = None,
) -> None:
    """List parked messages, the longest parked first."""
    try:
        subject = number_of(number)
    except StackError as error:
        raise fail(error) from None
    databases = databases_of(data, postgres, service)
    found = run(_found(databases, reason=reason, topic=topic, did=did, subject=subject, limit=limit))
    screen = Screen()
    if json:
        for one in found:
            screen.json(_values(one))
    elif found:
        screen.table(_TABLE, map(_row, found))
    else:
        screen.line("no parked messages")


@app.command("give-up")
def give_up(
    *,
    service: OneService = None,
    topic: Topic = None,
    did: Did = None,
    number: Number = None,
    every: Annotated[bool, typer.Option("--all", help="All messages under retry.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data: Data = None,
    postgres: Postgres = None,
) -> None:
    """Give up messages under retry. Each is tried once more, and if it fails again, it is a dead letter.

    Use it for messages that must not wait for a release without the defect.
    """
    from didflow import parked as parked_messages

    if every == any((topic, did, number)):
        raise fail(BadInput("Say which messages: --type, --did, --number, or --all."))
    try:
        subject = number_of(number)
    except StackError as error:
        raise fail(error) from None
    databases = databases_of(data, postgres, service)
    found = run(
        _found(databases, reason="retry", topic=topic, did=did, subject=subject, limit=parked_messages.MOST)
    )
    screen = Screen()
    if not found:
        screen.line("no messages under retry")
        return
    if not yes:
        confirm("give up", f"{len(found)} messages of {', '.join(sorted({one.service for one in found}))}")
    given_up = run(parked_messages.give_up(databases, found))
    screen.line(
        f"{given_up} messages are tried once more. What fails again is a dead letter: didflow dlq list"
    )


async def _found(
    databases: Mapping[str, str],
    *,
    reason: str | None,
    topic: str | None,
    did: str | None,
    subject: str | None,
    limit: int,
) -> "list[Waiting]":
    from didflow import parked as parked_messages

    if reason not in (None, *parked_messages.REASONS):
        raise BadInput(f"Unknown reason {reason!r}. Use one of {', '.join(parked_messages.REASONS)}.")
    entity = await parked_messages.entity(databases, parse_id(did)) if did is not None else None
    if did is not None and entity is None:
        return []
    wanted = parked_messages.Wanted(
        reason=reason,
        entity=entity,
        number=subject,
        topic=topic and topic.removeprefix("didflow.").removesuffix(".v1"),
    )
    return await parked_messages.listed(databases, wanted, limit=limit)


def _row(one: "Waiting") -> tuple[str, ...]:
    due = f"{one.due_at:%Y-%m-%d %H:%M:%S}" if one.due_at else ""
    event = one.type.removeprefix("didflow.") or one.topic or "timer"
    whose = (one.entity, one.number, one.service, one.reason, _age(one.age))
    return (*whose, event, one.missing, str(one.attempts), due)


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


def _values(one: "Waiting") -> dict[str, Any]:
    return {
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
