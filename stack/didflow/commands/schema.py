"""`didflow schema`: prints the contracts as JSON Schemas or AsyncAPI, generated from the code."""

from typing import Annotated

import orjson
import typer

from didflow.commands.options import fail
from didflow.console import Screen
from didflow.errors import BadInput
from didflow.services import SERVICES, service
from didflow_contracts.topics import CARRIER_ADAPTERS, INVOICING, ORDER_SYSTEMS, PORTALS

# ruff: noqa: PLC0415 - each command loads only what it runs

PARTIES = (ORDER_SYSTEMS, CARRIER_ADAPTERS, PORTALS, INVOICING)


def schema(
    topic: Annotated[
        str | None, typer.Argument(help="Topic whose schema to print. Default: all topics.")
    ] = None,
    asyncapi_of: Annotated[
        str | None,
        typer.Option("--asyncapi", help=f"Print AsyncAPI for one of {', '.join((*SERVICES, *PARTIES))}."),
    ] = None,
) -> None:
    """Print JSON Schemas of the events, or an AsyncAPI document."""
    try:
        Screen().lines(_document(topic, asyncapi_of))
    except BadInput as error:
        raise fail(error) from None


def _document(topic: str | None, asyncapi_of: str | None) -> str:
    from didflow_contracts.schemas import as_text, current

    if asyncapi_of is not None:
        return _asyncapi(asyncapi_of)
    schemas = current()
    if topic is None:
        return orjson.dumps(schemas, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
    if topic not in schemas:
        raise BadInput(f"Unknown topic {topic!r}. Use one of {', '.join(schemas)}.")
    return as_text(schemas[topic]).decode()


def _asyncapi(party: str) -> str:
    from didflow_chassis import asyncapi

    if party in SERVICES:
        return asyncapi.as_json(asyncapi.of_service(service(party)))
    if party in PARTIES:
        return asyncapi.as_json(asyncapi.of_party(party))
    raise BadInput(f"Unknown party {party!r}. Use one of {', '.join((*SERVICES, *PARTIES))}.")
