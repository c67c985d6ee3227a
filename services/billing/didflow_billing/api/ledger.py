"""The ledger over HTTP."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query

from didflow_billing import store
from didflow_billing.api.bodies import LedgerQuery
from didflow_billing.api.responses import EntryResponse
from didflow_chassis.http import Http, Page, Router

router = Router(tags=["ledger"])


@router.get("/ledger", action="read_billing")
async def list_ledger(http: Http, query: Annotated[LedgerQuery, Query()]) -> Page:
    """List the charges and refunds that accounts in your reach pay. The newest come first with `sort=-posted_at`."""
    conditions = store.ledger_conditions(**query.model_dump())
    return await http.page(
        store.ledger_entries(http.caller, *conditions), sort=store.LEDGER_SORTS, render=_response
    )


def _response(row: Any) -> Mapping[str, Any]:
    return EntryResponse.of(store.entry_in(row)).model_dump(mode="json")
