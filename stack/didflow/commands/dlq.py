"""`didflow dlq`: lists, shows, retries and drops the dead letters of all services."""

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from didflow.commands.options import Data, Json, OneService, Postgres, confirm, databases_of, fail, run
from didflow.console import Screen
from didflow.errors import BadInput
from didflow.id_prefix import parse_id
from didflow.tables import Column

if TYPE_CHECKING:
    from didflow.dead_letters import DeadRecord, Found, Handled
    from didflow_chassis.dead_letters import Outcome

# ruff: noqa: PLC0415 - each command loads only what it runs

app = typer.Typer(help="Dead letters: records that a service has given up.", no_args_is_help=True)

Reason = Annotated[
    str | None, typer.Option(help="Only dead letters with this reason, such as not_json or defect.")
]
_ID_HELP = "as listed. The beginning of an id is enough if no other record has it."
Id = Annotated[str, typer.Argument(help=f"Id of a dead letter, {_ID_HELP}")]
Ids = Annotated[list[str] | None, typer.Argument(help=f"Ids of dead letters, {_ID_HELP}")]
Every = Annotated[bool, typer.Option("--all", help="All dead letters, or all of --service and --reason.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="With --all: do not ask.")]
_TABLE = (
    Column(name="id"),
    Column(name="services"),
    Column(name="at (UTC)"),
    Column(name="reason"),
    Column(name="from"),
    Column(name="waiting"),
    Column(name="detail", least=20),
)
_OUTCOMES = (Column(name="id"), Column(name=""), Column(name="", least=40), Column(name="new id"))


@app.command("list")
def list_letters(
    *,
    service: OneService = None,
    reason: Reason = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
    json: Json = False,
    data: Data = None,
    postgres: Postgres = None,
) -> None:
    """List dead records, oldest first. A record that several services gave up is one row."""
    from didflow import dead_letters

    databases = databases_of(data, postgres, service)
    found = run(dead_letters.records(databases, reason=reason, limit=limit))
    screen = Screen()
    if json:
        for record in found:
            screen.json(_values(record))
    elif found:
        screen.table(_TABLE, map(_row, found))
    else:
        screen.line(_none(run(dead_letters.counted(databases)), reason))


@app.command()
def show(letter_id: Id, service: OneService = None, data: Data = None, postgres: Postgres = None) -> None:
    """Print one dead record with its content as JSON."""
    values = run(_shown(databases_of(data, postgres, service), letter_id))
    Screen().json(values, indent=True)


async def _shown(databases: Mapping[str, str], given: str) -> dict[str, Any]:
    from didflow import dead_letters

    record = await dead_letters.matching(databases, parse_id(given))
    whole = await dead_letters.content(databases, record) if record else None
    if record is None or whole is None:
        raise BadInput(f"There is no dead letter {given}.")
    headers = {name: _text(value) for name, value in whole.headers}
    return _values(record) | {"headers": headers, "value": _text(whole.value)}


@app.command()
def retry(
    ids: Ids = None,
    *,
    every: Every = False,
    yes: Yes = False,
    wait: Annotated[
        bool, typer.Option(help="Wait up to 40 s for the outcomes. A failing decision is tried four times.")
    ] = True,
    service: OneService = None,
    reason: Reason = None,
    data: Data = None,
    postgres: Postgres = None,
) -> None:
    """Decide records again, before the messages that wait behind them. A second retry does nothing.

    The exit code is 1 if a record is dead again or cannot be retried.
    """
    from didflow import dead_letters

    databases = databases_of(data, postgres, service)
    chosen = _chosen("retry", databases, ids, every=every, yes=yes, reason=reason)
    handled = run(dead_letters.retry(databases, list(chosen)))
    _report(handled, run(_outcomes(databases, chosen, handled)) if wait else {})


@app.command()
def drop(
    ids: Ids = None,
    *,
    every: Every = False,
    yes: Yes = False,
    service: OneService = None,
    reason: Reason = None,
    data: Data = None,
    postgres: Postgres = None,
) -> None:
    """Drop records for good. Messages that were waiting behind them are processed."""
    from didflow import dead_letters

    databases = databases_of(data, postgres, service)
    chosen = _chosen("drop", databases, ids, every=every, yes=yes, reason=reason)
    _report(run(dead_letters.drop(databases, list(chosen))), {})


Chosen = Mapping[UUID, "Found | None"]
"""The dead letters to handle, by their ids. None: there is no such dead letter, perhaps no longer."""


def _chosen(
    verb: str,
    databases: Mapping[str, str],
    ids: Sequence[str] | None,
    *,
    every: bool,
    yes: bool,
    reason: str | None,
) -> Chosen:
    from didflow import dead_letters

    if bool(ids) == every:
        raise fail(BadInput("Give the ids of dead letters, or use --all."))
    if not every:
        return run(_named(databases, ids or ()))
    found = run(dead_letters.listed(databases, reason=reason, limit=dead_letters.MOST))
    if not found:
        Screen().line("no dead letters")
        raise typer.Exit(0)
    if not yes:
        services = sorted({one.service for one in found})
        confirm(verb, f"{len(found)} dead letters of {', '.join(services)}")
    return {one.letter.id: one for one in found}


async def _named(databases: Mapping[str, str], ids: Sequence[str]) -> Chosen:
    from didflow import dead_letters

    chosen: dict[UUID, Found | None] = {}
    for prefix in [parse_id(given) for given in ids]:
        record = await dead_letters.matching(databases, prefix)
        if record is None and prefix.whole is None:
            raise BadInput(f"No id of a dead letter begins with {prefix.text}.")
        if record is None:
            chosen[prefix.first] = None
        else:
            chosen |= {one.letter.id: one for one in record.letters}
    return chosen


async def _outcomes(
    databases: Mapping[str, str], chosen: Chosen, handled: Sequence["Handled"]
) -> Mapping[UUID, "Outcome"]:
    from didflow import retries

    retried = [found for one in handled if one.outcome == "retried" and (found := chosen[one.id])]
    if retried and sys.stderr.isatty():
        Screen(stderr=True).line(
            f"waiting for the outcome, at most {retries.WAIT_S:.0f} s (--no-wait: not at all)"
        )
    return await retries.outcomes(databases, retried)


def _report(handled: Sequence["Handled"], outcomes: Mapping[UUID, "Outcome"]) -> None:
    from didflow.commands.outcomes import is_bad, outcome_row

    rows = [outcome_row(one, outcomes.get(one.id)) for one in handled]
    Screen().table(_OUTCOMES, rows, header=False)
    if any(is_bad(one, outcomes.get(one.id)) for one in handled):
        raise typer.Exit(1)


def _none(counts: Mapping[str, Mapping[str, int]], reason: str | None) -> str:
    """Return that there are no dead letters; with a reason that none has, also the reasons that some have."""
    there = sorted({name for reasons in counts.values() for name in reasons})
    if reason is None or not there:
        return "no dead letters"
    return f"no dead letters with the reason {reason}; there are: {', '.join(there)}"


def _row(record: "DeadRecord") -> tuple[str, ...]:
    letter = record.first
    place = f"{letter.topic}/{letter.partition}@{letter.offset}" if letter.topic else "timer"
    who = (str(record.id), ", ".join(record.services), f"{letter.at:%Y-%m-%d %H:%M:%S}")
    return (*who, ", ".join(record.reasons), place, str(record.waiting or ""), letter.detail)


def _values(record: "DeadRecord") -> dict[str, Any]:
    first = record.first
    return {
        "id": str(record.id),
        "at": first.at,
        "services": record.services,
        "topic": first.topic,
        "partition": first.partition,
        "offset": first.offset,
        "key": _text(first.key),
        "number": first.subject,
        "letters": [
            {
                "id": str(one.letter.id),
                "service": one.service,
                "at": one.letter.at,
                "reason": one.letter.reason,
                "detail": one.letter.detail,
                "truncated": one.letter.truncated,
                "held_back": one.letter.entity,
                "waiting": one.letter.waiting,
            }
            for one in record.letters
        ],
    }


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")
