"""Routes of the numbers in stock."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from fastapi import Query
from starlette.responses import Response, StreamingResponse

from didflow_chassis.decision import Command
from didflow_chassis.http import BatchAnswer, Http, HttpContext, JobResponse, NamedEntity, Page, Router
from didflow_chassis.http.batch import MAX_ITEMS
from didflow_chassis.http.csv_export import CSV_ANSWER, csv_response
from didflow_chassis.row_pages import pages
from didflow_contracts import areas
from didflow_contracts.ids import uuid7
from didflow_contracts.names import parse_number
from didflow_inventory.api.did_lookup import numbers_of
from didflow_inventory.api.history import history_page
from didflow_inventory.api.stock.bodies import (
    AvailableQuery,
    EditStockBody,
    HandOutBody,
    NumbersBody,
    StockBody,
    StockQuery,
)
from didflow_inventory.api.stock.responses import COLUMNS, available_of_row, stock_of_row, stock_row
from didflow_inventory.domain.stock.availability import NO_NUMBER
from didflow_inventory.domain.stock.commands import (
    AddManyNumbers,
    AddNumber,
    DeleteNumber,
    EditNumber,
    MoveNumber,
)
from didflow_inventory.domain.stock.handout import HandOut
from didflow_inventory.domain.stock.ranges import expanded
from didflow_inventory.domain.stock.transitions import NOT_FOUND
from didflow_inventory.store import stock
from didflow_inventory.store.queries import history_of_thing
from didflow_inventory.store.tables import numbers

router = Router(tags=["stock"])

ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": JobResponse, "description": "More than 1,000 numbers: a job adds them."}
}


@router.batch("/stock", action="upload", item="number", responses=ACCEPTED)
async def add_numbers(http: Http, body: StockBody) -> Response:
    """Add numbers to the stock of your account: single numbers or ranges, at most 10,000.

    Up to 1,000 numbers have one result each. For more, the answer is 202 with a job.
    """
    ranges, fields = body.ranges(), body.fields()
    names = list(expanded(ranges))
    if len(names) > MAX_ITEMS:
        return await http.start_job(
            AddManyNumbers(
                entity_id=http.caller.account,
                subject="",
                caller=http.caller,
                job_id=uuid7(),
                ranges=ranges,
                fields=fields,
            )
        )

    def command_for(entity: NamedEntity) -> AddNumber:
        return AddNumber(
            entity_id=entity.entity_id, subject=entity.subject, caller=http.caller, fields=fields
        )

    await asyncio.to_thread(areas.load)
    return await http.batch(names, numbers_of, command_for, absent=NO_NUMBER)


@router.get("/stock", action="read_stock")
async def list_stock(http: Http, query: Annotated[StockQuery, Query()]) -> Page:
    """List the numbers in the stock of your account and of the accounts below it."""
    statement = stock.stock(http.caller, *query.conditions())
    return await http.page(statement, sort=stock.SORTS, render=stock_of_row)


@router.get("/stock.csv", action="read_stock", response_class=StreamingResponse, responses=CSV_ANSWER)
async def export_stock(http: Http, query: Annotated[StockQuery, Query()]) -> StreamingResponse:
    """Return the same as a file, in the order of the numbers."""
    statement = stock.stock(http.caller, *query.conditions())
    found = pages(http.rows, statement, numbers.c.number)
    return await csv_response(COLUMNS, found, "stock.csv", render=_cells_of_row)


@router.get("/available", action="purchase")
async def list_available(http: Http, query: Annotated[AvailableQuery, Query()]) -> Page:
    """List the free numbers in the stock of your account and of the accounts above it: to purchase or to reserve."""
    statement = stock.available(http.caller, *query.conditions())
    return await http.page(statement, sort={"number": stock.SORTS["number"]}, render=available_of_row)


@router.delete("/stock/{number}", action="delete_stock", status_code=204)
async def delete_number(http: Http, number: str) -> Response:
    """Take a number out of the stock. Only the account that added it may do that, and only while it is no DID."""
    found = parse_number(number)
    if found is None:
        raise http.problem(404, NOT_FOUND.code, NOT_FOUND.message)
    command = DeleteNumber(entity_id=found, subject=found, caller=http.caller)
    return await http.run(command, status=204)


@router.get("/stock/{number}/history", action="read_stock")
async def list_history(http: Http, number: str) -> Page:
    """List what happened to a number while it was in the stock of your accounts, also while it was a DID from it."""
    statement = history_of_thing(http.caller, "stock", parse_number(number) or "")
    if not await http.rows(statement.limit(1)):
        raise http.problem(404, NOT_FOUND.code, NOT_FOUND.message)
    return await history_page(http, statement)


@router.batch("/stock/batch/delete", action="delete_stock", item="number")
async def delete_numbers(http: Http, body: NumbersBody) -> BatchAnswer:
    """Take numbers out of the stock. Only the account that added a number may do that, and only while it is no DID."""
    return await _batch(
        http, body, lambda name: DeleteNumber(entity_id=name, subject=name, caller=http.caller)
    )


@router.batch("/stock/batch/edit", action="upload", item="number")
async def edit_numbers(http: Http, body: EditStockBody) -> BatchAnswer:
    """Set fields of numbers in stock."""
    changes = body.changes()
    return await _batch(
        http,
        body,
        lambda name: EditNumber(entity_id=name, subject=name, caller=http.caller, changes=changes),
    )


@router.batch("/stock/batch/archive", action="upload", item="number")
async def archive_numbers(http: Http, body: NumbersBody) -> BatchAnswer:
    """Archive numbers in stock. Nobody can have them until they are released."""
    return await _batch(
        http, body, lambda name: MoveNumber(entity_id=name, subject=name, caller=http.caller, to="archived")
    )


@router.batch("/stock/batch/reserve", action="upload", item="number")
async def reserve_numbers(http: Http, body: NumbersBody) -> BatchAnswer:
    """Set numbers in stock aside, without an end. Nobody can have them until they are released."""
    return await _batch(
        http, body, lambda name: MoveNumber(entity_id=name, subject=name, caller=http.caller, to="reserved")
    )


@router.batch("/stock/batch/release", action="upload", item="number")
async def release_numbers(http: Http, body: NumbersBody) -> BatchAnswer:
    """Put reserved and archived numbers into the stock again."""
    return await _batch(
        http, body, lambda name: MoveNumber(entity_id=name, subject=name, caller=http.caller, to="in_stock")
    )


@router.batch("/stock/batch/hand-out", action="hand_out", item="number")
async def hand_out_numbers(http: Http, body: HandOutBody) -> BatchAnswer:
    """Make numbers in stock DIDs of an account below yours, or of a user. They have no price and no term."""
    account = body.account or http.caller.account

    def command_for(number: str) -> HandOut:
        return HandOut(
            entity_id=uuid7(),
            subject=number,
            caller=http.caller,
            account=account,
            user_id=body.user_id,
        )

    return await _batch(http, body, command_for)


async def _batch(http: HttpContext, body: NumbersBody, command_for: Callable[[str], Command]) -> BatchAnswer:
    """Decide one command for each number. A number that nobody added is not found by its decision."""
    return await http.batch(
        body.numbers, numbers_of, lambda entity: command_for(entity.subject), absent=NOT_FOUND
    )


def _cells_of_row(row: Any) -> Mapping[str, Any]:
    return stock_row(stock.number_of_row(row))
