"""A page of a history over HTTP."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import sqlalchemy as sa

from didflow_chassis.http import HttpContext, Page
from didflow_inventory.api.responses import entry_json
from didflow_inventory.store.queries import HISTORY_KEY, HISTORY_SORTS


async def history_page(
    http: HttpContext, statement: sa.Select[Any], sort: Mapping[str, Any] = HISTORY_SORTS
) -> Page:
    """Return a page of entries as the caller may see them, by default in the order in which they were recorded."""
    return await http.page(
        statement, sort=sort, key=HISTORY_KEY, render=partial(entry_json, caller=http.caller)
    )
