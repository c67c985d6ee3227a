"""What the application keeps documents in, for every route that lets some go."""

from typing import Any
from uuid import UUID

from didflow_chassis.http import HttpContext
from didflow_chassis.http.problems import Problem
from didflow_verification import store
from didflow_verification.api.documents.intake import Intake
from didflow_verification.documents.opening import open_contents


async def contents_of(http: HttpContext, condition: Any) -> list[UUID]:
    """Return what lies under the documents that a command is about to erase, and say that it may be loose."""
    rows = await http.rows(store.owned(store.DOCUMENTS, http.caller, condition))
    found = [row["content_id"] for row in rows]
    if found:
        await intake_of(http).contents.loosen(*found)
    return found


async def forget(http: HttpContext, content_ids: list[UUID]) -> None:
    """Delete bytes that no document has any more; those that one still has stay."""
    if content_ids:
        await intake_of(http).contents.discard(*content_ids)


def intake_of(http: HttpContext) -> Intake:
    """Return what this application keeps documents in, opened with first use. Raises Problem `unavailable`."""
    state = http.request.app.state
    if getattr(state, "intake", None) is None:
        database: Any = http.runtime.database
        contents = open_contents(http.runtime.service.settings, database)
        if contents is None:
            raise Problem("unavailable", "No key for documents is configured.")
        state.intake = Intake(contents=contents)
    intake: Intake = state.intake
    return intake
