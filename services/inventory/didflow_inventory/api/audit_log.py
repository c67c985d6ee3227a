"""The audit log over HTTP."""

from typing import Annotated

from fastapi import Query

from didflow_chassis.http import Http, Page, Router
from didflow_inventory.api.bodies import AuditLogQuery
from didflow_inventory.api.history import history_page
from didflow_inventory.store import queries

router = Router(tags=["history"])


@router.get("/history", action="read_audit_log")
async def list_audit_log(http: Http, query: Annotated[AuditLogQuery, Query()]) -> Page:
    """List what happened to all things of your accounts, in the order of the commits.

    A reader that pages by cursor while others write never misses an entry. To follow the log, repeat the last cursor:
    its page has the entries that were added meanwhile. An entry appears when every transaction that began before it
    has ended.
    """
    statement = queries.audit_log(http.caller, query.account, *query.conditions())
    return await history_page(http, statement, queries.AUDIT_LOG_SORTS)
