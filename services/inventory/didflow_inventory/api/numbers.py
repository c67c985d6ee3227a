"""My Numbers over HTTP: the list, its summary, one DID with its history, and actions on many DIDs."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final

from fastapi import Query
from starlette.responses import StreamingResponse

from didflow_chassis.decision import Caller
from didflow_chassis.http import BatchAnswer, Http, NamedEntity, Page, Router
from didflow_chassis.http.csv_export import CSV_ANSWER, csv_response
from didflow_chassis.row_pages import pages
from didflow_inventory.api.bodies import AssignEndUserBody, DidQuery, DidSearchBody, SummaryQuery
from didflow_inventory.api.did_lookup import entities, row_of
from didflow_inventory.api.export import COLUMNS, cells_of
from didflow_inventory.api.history import history_page
from didflow_inventory.api.responses import did_json, places_of
from didflow_inventory.domain.commands import AssignEndUser
from didflow_inventory.domain.did import DidAt
from didflow_inventory.domain.holding.rules import NOT_FOUND
from didflow_inventory.domain.my_numbers.answer import DidAnswer
from didflow_inventory.domain.my_numbers.listing import FILTERS
from didflow_inventory.store import queries
from didflow_inventory.store.tables import dids

router = Router(tags=["numbers"])

PAGE: Final = 250
"""DIDs that become text at once. Other requests of the process wait meanwhile."""


@router.get("/dids", action="see_numbers")
async def list_dids(http: Http, query: Annotated[DidQuery, Query()]) -> Page:
    """List the live DIDs in your accounts that match a quick filter and all other parameters."""
    statement = queries.my_numbers(http.caller, query.filter, *query.conditions())
    return await http.page(statement, sort=queries.DID_SORTS, render=partial(_did_of_row, caller=http.caller))


@router.get("/dids.csv", action="see_numbers", response_class=StreamingResponse, responses=CSV_ANSWER)
async def export_dids(http: Http, query: Annotated[DidQuery, Query()]) -> StreamingResponse:
    """Return the DIDs of `GET /v1/dids` as a CSV file, in the order of the numbers.

    `cycles_left` is Unlimited for a term that renews without end, and empty without a term.
    """
    statement = queries.my_numbers(http.caller, query.filter, *query.conditions())
    found = pages(http.rows, statement, dids.c.number, dids.c.did_id, size=PAGE)
    return await csv_response(COLUMNS, found, "dids.csv", render=partial(_cells_of_row, caller=http.caller))


@router.post("/dids/search", action="see_numbers")
async def search_dids(http: Http, body: DidSearchBody) -> Page:
    """List DIDs as `GET /v1/dids` does, with its parameters in the body. It is for long lists of numbers."""
    statement = queries.my_numbers(http.caller, body.filter, *body.conditions())
    render = partial(_did_of_row, caller=http.caller)
    return await http.page(statement, sort=queries.DID_SORTS, render=render, body=body)


@router.get("/dids/summary", action="see_numbers")
async def summarize_dids(http: Http, query: Annotated[SummaryQuery, Query()]) -> dict[str, int]:
    """Count the DIDs that match each quick filter. Filters without a match are absent."""
    counts = (await http.rows(queries.summary(http.caller, query.account)))[0]
    return {name: counts[name] for name in FILTERS if counts[name]}


@router.get("/dids/places", action="see_numbers")
async def list_places(http: Http) -> Page:
    """Count the DIDs in your accounts by country and by region. A region without a name is null."""
    places = places_of(await http.rows(queries.places(http.caller)))
    return http.page_of_items(
        places, sort="country", key=lambda place: place["country"] or "", render=lambda place: place
    )


@router.get("/dids/{did}", action="see_numbers", response_model=DidAnswer)
async def show_did(http: Http, did: str) -> Mapping[str, Any]:
    """Show one DID: a live DID by its number or its id, a former DID by its id."""
    return _did_of_row(await row_of(http, did), http.caller)


@router.get("/dids/{did}/history", action="see_numbers")
async def list_history(http: Http, did: str) -> Page:
    """List every message about one DID, from all services, in the order in which inventory recorded it.

    What happened while an account outside yours held the DID is not listed.
    """
    row = await row_of(http, did)
    return await history_page(http, queries.history_of(http.caller, row["did_id"]))


@router.batch("/dids/batch/assign-end-user", action="assign_end_user", item="did")
async def assign_end_user(http: Http, body: AssignEndUserBody) -> BatchAnswer:
    """Assign end-user details to DIDs. Verification then evaluates each DID."""

    def command_for(entity: NamedEntity) -> AssignEndUser:
        return AssignEndUser(
            entity_id=entity.entity_id,
            subject=entity.subject,
            caller=http.caller,
            identity_id=body.identity_id,
            address_id=body.address_id,
            document_ids=tuple(body.document_ids),
        )

    return await http.batch(body.dids, entities, command_for, absent=NOT_FOUND)


def _cells_of_row(row: Any, caller: Caller) -> Mapping[str, Any]:
    return cells_of(DidAt(queries.did_of_row(row), row["now"]), caller)


def _did_of_row(row: Any, caller: Caller) -> Mapping[str, Any]:
    return did_json(DidAt(queries.did_of_row(row), row["now"]), caller)
