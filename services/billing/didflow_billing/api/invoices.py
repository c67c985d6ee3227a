"""Invoices over HTTP: the entries that were recorded in a month, as a file that is the same each time."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import StreamingResponse

from didflow_billing import store
from didflow_billing.api import ledger_examples as examples
from didflow_billing.api.bodies import InvoicesQuery
from didflow_billing.api.responses import ENTRY_COLUMNS, entry_cells, entry_of_row
from didflow_billing.domain.invoice import closed_at, month_span
from didflow_chassis.http import Http, HttpContext, Router
from didflow_chassis.http.csv_export import CSV_ANSWER, csv_response
from didflow_chassis.http.jsonl_export import JSONL_ANSWER, jsonl_response
from didflow_chassis.row_pages import pages

router = Router(tags=["ledger"])


@router.get(
    "/invoices.csv",
    action="read_billing",
    summary="Download the invoice of a month as a CSV file",
    response_class=StreamingResponse,
    responses=CSV_ANSWER,
    **examples.INVOICE_CSV,
)
async def export_invoice(http: Http, query: Annotated[InvoicesQuery, Query()]) -> StreamingResponse:
    """Return the entries that were recorded in a month, in the order of `recorded_at`. The file never changes.

    A month is closed one hour after its end, in UTC. Before that the answer is 409 `not_closed`. An entry that is
    written later is on the invoice of a later month, whatever its `posted_at` is. So each entry is on one invoice, and
    a refund can reverse a charge of an earlier one.
    """
    found = await _pages(http, query)
    return await csv_response(ENTRY_COLUMNS, found, f"invoice-{query.month}.csv", render=entry_cells)


@router.get(
    "/invoices.jsonl",
    action="read_billing",
    summary="Download the invoice of a month as lines of JSON",
    response_class=StreamingResponse,
    responses=JSONL_ANSWER,
    **examples.INVOICE_LINES,
)
async def export_invoice_lines(http: Http, query: Annotated[InvoicesQuery, Query()]) -> StreamingResponse:
    """Return the same entries as the CSV file, each as a JSON value on a line of its own."""
    found = await _pages(http, query)
    return await jsonl_response(found, f"invoice-{query.month}.jsonl", render=entry_of_row)


async def _pages(http: HttpContext, query: InvoicesQuery) -> AsyncIterator[Sequence[Any]]:
    """Return the pages of the invoice. Raises Problem `not_closed`."""
    begin, end = month_span(query.month)
    if await http.now() < closed_at(end):
        detail = f"The month closes at {closed_at(end):%Y-%m-%dT%H:%M:%SZ}."
        raise http.problem(409, "not_closed", detail)
    conditions = store.recorded_in(begin, end, query.account)
    entries = store.ledger_entries(http.caller, *conditions)
    return pages(http.rows, entries, store.ledger.c.recorded_at, store.ledger.c.entry_id)
