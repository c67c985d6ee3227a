"""The job that encrypts documents again: those under another key than the wanted one, and those in the other store.

A document is copied outside of the transaction: its content is read, encrypted and stored under a new content id. In
the transaction of the chunk, the command MoveContent gives the new content to the document, unless the document was
erased or has another content by then. The content that no document has afterwards is deleted.

A new content is unused from its first byte on, and an old one is marked as unused before the transaction. So whatever
dies in between, the sweep finds what is left over.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from msgspec import Struct

from didflow_chassis.database import Database
from didflow_chassis.decision import Caller, Refused, Unchanged
from didflow_chassis.jobs.kinds import Item, JobKind, JobTools, Work
from didflow_chassis.jobs.results import ItemOutcome
from didflow_verification.documents.errors import ContentGone, ContentUnreadable, KeyMissing
from didflow_verification.domain.commands import MoveContent

if TYPE_CHECKING:
    from didflow_verification.documents.contents import Contents

# ruff: noqa: PLC0415 - a worker loads the libraries for encryption and object stores with the first job that needs them

CHUNK: Final = 5
"""The documents that are copied before each transaction. Each has up to 10 MiB."""

SWEPT: Final = 10_000
"""How many unused contents are deleted at the end."""

_OUTDATED = """
FROM documents d JOIN document_contents c ON c.content_id = d.content_id WHERE (c.key_id <> $1 OR c.store <> $2)
"""
_COUNT = f"SELECT count(*) {_OUTDATED}"
_PAGE = f"""
SELECT d.document_id, d.content_id, d.size, d.account {_OUTDATED} AND d.document_id > $3
ORDER BY d.document_id LIMIT $4
"""
_COUNT_BY_KEY = """
SELECT c.key_id, count(*) FROM document_contents c JOIN documents d ON d.content_id = c.content_id
GROUP BY c.key_id ORDER BY c.key_id
"""


class RotateDocuments(Struct, frozen=True, kw_only=True):
    """The parameters: the key and the store that every document shall have."""

    key_id: str
    store: str


class Move(Struct, frozen=True, kw_only=True):
    """A document with its present content `former`, and the id that its next content will have."""

    document_id: UUID
    account: str
    size: int
    former: UUID
    content_id: UUID


Tools = JobTools[RotateDocuments]


async def _count(tools: Tools) -> int:
    rows = await tools.database.fetch(_COUNT, tools.parameters.key_id, tools.parameters.store)
    found: int = rows[0][0]
    return found


async def _page(tools: Tools, after: str | None, limit: int) -> Sequence[Item]:
    target = tools.parameters
    last = UUID(after) if after else UUID(int=0)
    rows = await tools.database.fetch(_PAGE, target.key_id, target.store, last, limit)
    return [Item(str(row["document_id"]), str(row["document_id"]), _move(row)) for row in rows]


def _move(row: Any) -> Move:
    return Move(
        document_id=row["document_id"],
        account=row["account"],
        size=row["size"],
        former=row["content_id"],
        content_id=uuid4(),
    )


async def _work(tools: Tools, items: Sequence[Item]) -> Sequence[Work]:
    """Copy the contents, and mark the old ones as unused."""
    try:
        contents = _contents(tools)
    except ContentUnreadable as error:
        return [Refused(error.code, str(error))] * len(items)
    works = [await _copied(contents, item.data, tools.caller) for item in items]
    moves = [work for work in works if isinstance(work, MoveContent)]
    await contents.mark_unused(*(move.former for move in moves))
    return works


def _contents(tools: Tools) -> "Contents":
    """Return the contents with the key and the store of the job. Raises KeyMissing, StoreMissing."""
    from didflow_verification.documents.contents import open_contents

    contents = open_contents(tools.service.settings, tools.database)
    if contents is None:
        raise KeyMissing("no key for documents is configured")
    return contents.aimed_at(tools.parameters.key_id, tools.parameters.store)


async def _copied(contents: "Contents", move: Move, caller: Caller) -> Work:
    """Copy one content and return the command that gives the copy to the document. Raises Outage."""
    try:
        writer = await contents.begin(move.document_id, move.account, move.content_id)
        async for piece in contents.read(move.former, move.size):
            await writer.add(piece)
        await writer.finish()
    except ContentGone:
        return Unchanged()  # erased, or moved by another job, in the meantime
    except ContentUnreadable as error:
        return Refused(error.code, str(error))
    return MoveContent(
        entity_id=move.document_id,
        subject="",
        caller=caller,
        former=move.former,
        content_id=move.content_id,
    )


async def _after(tools: Tools, items: Sequence[Item], _outcomes: Sequence[ItemOutcome]) -> None:
    """Delete the contents that no document has now, the old ones or the copies. After the last page, sweep."""
    from didflow_verification.documents.contents import open_stored

    stored = open_stored(tools.service.settings, tools.database)
    both = [key for item in items for key in (item.data.former, item.data.content_id)]
    await stored.mark_used(*both)
    await stored.discard(*both)
    if ROTATION.is_last(items):
        await stored.find_unused()
        await stored.sweep(limit=SWEPT)


ROTATION: Final[JobKind[RotateDocuments]] = JobKind(
    action="operate",
    parameters=RotateDocuments,
    count=_count,
    page=_page,
    work=_work,
    after=_after,
    chunk=CHUNK,
)


async def count_by_key(database: Database) -> dict[str, int]:
    """Return the number of documents under each key. Raises Outage."""
    return {row[0]: row[1] for row in await database.fetch(_COUNT_BY_KEY)}
