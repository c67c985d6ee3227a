"""What operators see and do over HTTP, in every service: dead letters, parked messages and registered sources.

Bytes of records are shown as escaped text, because any producer can write anything into them. The values of parked
messages are never shown. Source: spec http, last rows of the table.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from didflow_chassis import dead_letters, parked, tables
from didflow_chassis.dead_letter_operations import NOT_FOUND, Action, HandleLetters
from didflow_chassis.dead_letters import DeadLetter, WholeLetter, letter_in, whole_letter_in
from didflow_chassis.decision import Unchanged
from didflow_chassis.http.batch import BatchAnswer, NamedEntity
from didflow_chassis.http.context import Http, HttpContext
from didflow_chassis.http.lists import Page
from didflow_chassis.http.parameters import Number
from didflow_chassis.http.routes import Router
from didflow_chassis.records import printable, readable
from didflow_chassis.service import Service
from didflow_contracts.names import DidNames, parse_id
from didflow_contracts.vocabulary import Name


class DeadLettersQuery(BaseModel):
    """Filters of dead letters. A letter must satisfy all that are given."""

    reason: Name | None = Field(default=None, description="The code of the reason, such as `defect`.")
    topic: Name | None = Field(default=None, description="The topic of the record.")
    number: Number | None = Field(default=None, description="The number of the message.")


class ParkedQuery(BaseModel):
    """Filters of parked messages. A message must satisfy all that are given."""

    reason: Literal["early", "retry", "behind", "dead"] | None = Field(
        default=None, description="Why the message is parked."
    )
    number: Number | None = Field(default=None, description="The number of the message.")
    entity: Name | None = Field(
        default=None, description="What the message is about, such as a DID by its id."
    )


class DeadLettersBody(BaseModel):
    """The dead letters to retry or to drop."""

    model_config = ConfigDict(extra="forbid")

    dead_letters: DidNames = Field(description="1 to 1,000 ids of dead letters.")


class DeadLetterResponse(BaseModel):
    """A dead letter without the content of its record."""

    id: UUID
    at: datetime = Field(description="When the record was given up, in the service's time.")
    reason: str = Field(description="Stable code.")
    detail: str
    topic: str | None = Field(description="Null for a timer, which has no position in Kafka.")
    partition: int | None
    offset: int | None
    key: str | None = Field(description="As escaped text.")
    number: str | None = Field(
        description="The number of the message. If the record cannot be read: its key, if that is a number."
    )
    truncated: bool = Field(description="Whether only a part of the record is stored.")
    waiting: int = Field(description="How many messages are parked behind it.")


class HeaderResponse(BaseModel):
    """One header of a record, as escaped text."""

    name: str
    value: str | None


class WholeLetterResponse(DeadLetterResponse):
    """A dead letter with the content of its record, as escaped text."""

    headers: list[HeaderResponse]
    value: str | None


class HandledResponse(BaseModel):
    """The result for one dead letter."""

    dead_letter: UUID
    outcome: Literal["done", "unchanged"] = Field(
        description="`unchanged`: the same was done with it before."
    )


class ParkedResponse(BaseModel):
    """A parked message without its content."""

    id: int
    reason: Literal["early", "retry", "behind", "dead"]
    entity: str | None = Field(
        description="What the message is about. Null before a retried record is decoded."
    )
    number: str | None
    type: str | None = Field(description="The type of the event; null for a timer.")
    missing: str | None = Field(description="What an early message needs.")
    attempts: int
    due_at: datetime | None = Field(description="When it is tried again.")
    since: datetime


def operator_router(service: Service) -> Router:
    """Return the routes for operators, which every service has."""
    router = Router(prefix=f"/v1/{service.name}", tags=["operators"])
    router.get("/dead-letters", action="operate")(list_dead_letters)
    router.batch("/dead-letters/batch/retry", action="operate", item="dead_letter")(retry_dead_letters)
    router.batch("/dead-letters/batch/drop", action="operate", item="dead_letter")(drop_dead_letters)
    one = "/dead-letters/{dead_letter_id}"
    router.get(one, action="operate")(show_dead_letter)
    router.post(f"{one}/retry", action="operate", response_model=HandledResponse)(retry_dead_letter)
    router.post(f"{one}/drop", action="operate", response_model=HandledResponse)(drop_dead_letter)
    router.get("/parked", action="operate")(list_parked)
    router.get("/sources", action="operate")(list_sources)
    return router


async def list_dead_letters(http: Http, query: Annotated[DeadLettersQuery, Query()]) -> Page:
    """List the dead letters of this service, oldest first."""
    statement = dead_letters.select(reason=query.reason, topic=query.topic, subject=query.number)
    return await http.page(statement, sort={"at": tables.dead_letters.c.at}, render=_letter_json)


async def show_dead_letter(http: Http, dead_letter_id: UUID) -> WholeLetterResponse:
    """Show one dead letter with the content of its record."""
    rows = await http.rows(dead_letters.select_one(dead_letter_id))
    if not rows:
        raise http.problem(404, NOT_FOUND.code, NOT_FOUND.message)
    letter = whole_letter_in(rows[0])
    headers = [HeaderResponse(name=printable(name), value=readable(value)) for name, value in letter.headers]
    return WholeLetterResponse(**_fields(letter), headers=headers, value=readable(letter.value))


async def retry_dead_letter(http: Http, dead_letter_id: UUID) -> Response:
    """Let the record be decided again, before the messages that are parked behind it."""
    return await _handle(http, "retry", dead_letter_id)


async def drop_dead_letter(http: Http, dead_letter_id: UUID) -> Response:
    """Remove the record for good. The messages that are parked behind it are then processed."""
    return await _handle(http, "drop", dead_letter_id)


async def retry_dead_letters(http: Http, body: DeadLettersBody) -> BatchAnswer:
    """Let records be decided again, each before the messages that are parked behind it."""
    return await _handle_all(http, "retry", body.dead_letters)


async def drop_dead_letters(http: Http, body: DeadLettersBody) -> BatchAnswer:
    """Remove records for good. The messages that are parked behind them are then processed."""
    return await _handle_all(http, "drop", body.dead_letters)


async def list_parked(http: Http, query: Annotated[ParkedQuery, Query()]) -> Page:
    """List the parked messages of this service, in the order in which they were parked."""
    statement = parked.select(reason=query.reason, entity=query.entity, subject=query.number)
    return await http.page(statement, sort={"id": tables.parked.c.id}, render=_parked_json)


async def list_sources(http: Http) -> Page:
    """List the registered sources in force, by prefix."""
    sources = http.runtime.sources()
    return http.page_of_items(
        sources.registered,
        sort="prefix",
        key=lambda source: source.prefix,
        render=lambda source: source.model_dump(mode="json"),
    )


async def _handle(http: HttpContext, action: Action, letter_id: UUID) -> Response:
    operation = HandleLetters(action=action, ids=[letter_id], actor=http.caller.actor)
    return await http.operate(
        operation,
        render=lambda result: HandledResponse(
            dead_letter=letter_id, outcome="unchanged" if isinstance(result, Unchanged) else "done"
        ),
    )


async def _handle_all(http: HttpContext, action: Action, names: list[str]) -> BatchAnswer:
    """Handle the letters that are named by ids. A name that is not an id is `not_found`."""
    ids = {name: parse_id(name) for name in names}
    return await http.operate_batch(
        names,
        {name: NamedEntity(entity_id=one, subject="") for name, one in ids.items() if one is not None},
        lambda keys: HandleLetters(action=action, ids=keys, actor=http.caller.actor),
        absent=NOT_FOUND,
    )


def _letter_json(row: Any) -> Mapping[str, Any]:
    return DeadLetterResponse(**_fields(letter_in(row))).model_dump(mode="json")


def _fields(letter: DeadLetter | WholeLetter) -> dict[str, Any]:
    names = ("id", "at", "reason", "topic", "partition", "offset", "truncated", "waiting")
    texts = {"detail": printable(letter.detail), "key": readable(letter.key), "number": letter.subject}
    return {name: getattr(letter, name) for name in names} | texts


def _parked_json(row: Any) -> Mapping[str, Any]:
    names = ("id", "reason", "type", "missing", "attempts", "due_at", "since")
    about = {"entity": row["entity"] or None, "number": row["subject"] or None}
    return ParkedResponse(**{name: row[name] for name in names}, **about).model_dump(mode="json")
