"""The last step of an erasure: it deletes the contents of the documents, which no document has any more.

A content that was begun within the last hour may be a copy that a rotation is still writing. Its chunks are deleted
now, and its row is left to the sweep, which deletes the chunks that are written after that.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from didflow_chassis.decision import Refused, Unchanged
from didflow_chassis.jobs.kinds import Item, Statement, Work
from didflow_verification.erasure.step import Tools

if TYPE_CHECKING:
    from didflow_verification.documents.contents import StoredContents

# ruff: noqa: PLC0415 - a worker loads the libraries of object stores with the first job that needs them

_OF_IDENTITY: Final = """
FROM document_contents c JOIN documents d ON d.document_id = c.document_id WHERE d.identity_id = $1
"""
_COUNT: Final = f"SELECT count(*) {_OF_IDENTITY}"
_STORES: Final = f"SELECT DISTINCT c.store {_OF_IDENTITY}"
_PAGE: Final = f"""
SELECT c.content_id, c.store, coalesce(c.unused_since < clock_timestamp() - $3::interval, true) AS is_written
{_OF_IDENTITY} AND c.content_id > $2 ORDER BY c.content_id LIMIT $4
"""
_DELETE: Final = """
DELETE FROM document_contents c
WHERE content_id = $1 AND NOT EXISTS (SELECT FROM documents d WHERE d.content_id = c.content_id)
"""


async def missing_stores(tools: Tools) -> set[str]:
    """Return the stores of the person's documents that this process does not know."""
    rows = await tools.database.fetch(_STORES, tools.parameters.identity_id)
    return {row["store"] for row in rows} - set(_stored(tools).stores)


class DeleteContents:
    """Deletes contents. Refused `unavailable` if this process does not know the store of a content."""

    name: Final = "contents"

    async def count(self, tools: Tools) -> int:
        """Return the number of contents."""
        rows = await tools.database.fetch(_COUNT, tools.parameters.identity_id)
        found: int = rows[0][0]
        return found

    async def page(self, tools: Tools, after: str | None, limit: int) -> Sequence[Item]:
        """Return contents by their ids."""
        from didflow_verification.documents.contents import UNUSED_FOR

        last = UUID(after) if after else UUID(int=0)
        rows = await tools.database.fetch(_PAGE, tools.parameters.identity_id, last, UNUSED_FOR, limit)
        return [Item(str(row["content_id"]), str(row["content_id"]), row) for row in rows]

    async def work(self, tools: Tools, items: Sequence[Item]) -> Sequence[Work]:
        """Delete the chunks, and return the statement that deletes the row. Raises Outage."""
        stored = _stored(tools)
        works: list[Work] = []
        for item in items:
            row = item.data
            if row["store"] not in stored.stores:
                works.append(Refused("unavailable", f"The store {row['store']} is not configured."))
                continue
            await stored.stores[row["store"]].delete(row["content_id"])
            works.append(Statement(_DELETE, (row["content_id"],)) if row["is_written"] else Unchanged())
        return works


def _stored(tools: Tools) -> "StoredContents":
    from didflow_verification.documents.contents import open_stored

    return open_stored(tools.service.settings, tools.database)
