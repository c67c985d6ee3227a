"""The ledger over HTTP: a list, and as a file."""

from typing import Annotated

from fastapi import Query
from starlette.responses import StreamingResponse

from didflow_billing import store
from didflow_billing.api import ledger_examples as examples
from didflow_billing.api.bodies import LedgerQuery
from didflow_billing.api.responses import ENTRY_COLUMNS, entry_cells, entry_of_row
from didflow_chassis.http import Http, Page, Router
from didflow_chassis.http.csv_export import CSV_ANSWER, csv_response
from didflow_chassis.row_pages import pages

router = Router(tags=["ledger"])


@router.get(
    "/ledger",
    action="read_billing",
    summary="List charges and refunds",
    **examples.LEDGER,
)
async def list_ledger(http: Http, query: Annotated[LedgerQuery, Query()]) -> Page:
    """List the charges and refunds that accounts in your reach pay. The newest come first with `sort=-posted_at`.

    - `setup`, `recurring` (the first period) and `renewal` are charges, zero or more.
    - A `refund` is the opposite of a whole charge, which `reverses` names. It has the period of the charge.
    - `posted_at` is the instant that an entry is for; `since` and `until` select by it. `recorded_at` is when it was
      written.

    The payer is the account that purchased the DID. Entries are never changed or deleted.
    """
    statement = store.ledger_entries(http.caller, *store.ledger_conditions(**query.model_dump()))
    return await http.page(statement, sort=store.LEDGER_SORTS, render=entry_of_row)


@router.get(
    "/ledger.csv",
    action="read_billing",
    summary="Download charges and refunds as a file",
    response_class=StreamingResponse,
    responses=CSV_ANSWER,
    **examples.LEDGER_CSV,
)
async def export_ledger(http: Http, query: Annotated[LedgerQuery, Query()]) -> StreamingResponse:
    """Return the same entries as `GET /v1/ledger` as a CSV file, in the order of `posted_at`."""
    statement = store.ledger_entries(http.caller, *store.ledger_conditions(**query.model_dump()))
    found = pages(http.rows, statement, store.ledger.c.posted_at, store.ledger.c.entry_id)
    return await csv_response(ENTRY_COLUMNS, found, "ledger.csv", render=entry_cells)
