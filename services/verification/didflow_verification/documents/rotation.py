"""Encrypts documents again: those under another key than the current one, and those in another store than configured.

Documents are moved one at a time. The stage replaces the content of a document once the new content is stored. A run
may be stopped at any instant, repeated, or run twice at once, because only the tables say what is left to do.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from didflow_chassis.decision import Caller, Decided
from didflow_chassis.stage.call import HttpCall
from didflow_chassis.stage.idempotency import Answer, IdempotencyKey
from didflow_verification.documents.cipher import DecryptionError
from didflow_verification.documents.contents import ContentGone, Contents
from didflow_verification.documents.keys import KeyMissing
from didflow_verification.domain.commands import MoveContent

PAGE: Final = 50
_OUTDATED = """
FROM documents d JOIN document_contents c ON c.content_id = d.content_id WHERE (c.key_id <> $1 OR c.store <> $2)
"""
_COUNT = f"SELECT count(*) {_OUTDATED}"
_NEXT = f"""
SELECT d.document_id, d.content_id, d.size, d.account {_OUTDATED} AND d.document_id > $3
ORDER BY d.document_id LIMIT {PAGE}
"""
_COUNT_BY_KEY = """
SELECT c.key_id, count(*) FROM document_contents c JOIN documents d ON d.content_id = c.content_id
GROUP BY c.key_id ORDER BY c.key_id
"""


@dataclass(frozen=True, kw_only=True)
class FailedDocument:
    """A document that could not be encrypted again, and the code of the reason."""

    document_id: UUID
    code: str


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """One run, with the stage and the contents that it works on."""

    stage: Any
    contents: Contents

    async def count(self) -> int:
        """Return how many documents are left to do."""
        rows = await self.contents.database.fetch(_COUNT, *self._target)
        found: int = rows[0][0]
        return found

    async def run(self, on_done: Callable[[], None]) -> list[FailedDocument]:
        """Encrypt the documents again, call `on_done` after each, then delete unused contents. Return the failures."""
        failed = []
        async for row in self._outdated():
            try:
                await self._move(row)
            except (KeyMissing, DecryptionError) as error:
                failed.append(FailedDocument(document_id=row["document_id"], code=error.code))
            except ContentGone:
                pass  # erased, or moved by another run, in the meantime
            on_done()
        await self.contents.find_unused()
        await self.contents.sweep(limit=10_000)
        return failed

    async def count_by_key(self) -> dict[str, int]:
        """Return the number of documents under each key."""
        return {row[0]: row[1] for row in await self.contents.database.fetch(_COUNT_BY_KEY)}

    @property
    def _target(self) -> tuple[str, str]:
        return self.contents.keyring.current, self.contents.store

    async def _outdated(self) -> AsyncIterator[Any]:
        last = UUID(int=0)
        while rows := await self.contents.database.fetch(_NEXT, *self._target, last):
            for row in rows:
                yield row
            last = rows[-1]["document_id"]

    async def _move(self, row: Any) -> None:
        writer = await self.contents.begin(row["document_id"], row["account"])
        moved = False
        try:
            async for piece in self.contents.read(row["content_id"], row["size"]):
                await writer.add(piece)
            await writer.finish()
            moved = await self._replace_content(row, writer.content_id)
        finally:
            await self.contents.discard(row["content_id"] if moved else writer.content_id)
        await self.contents.mark_used(writer.content_id)

    async def _replace_content(self, row: Any, content_id: UUID) -> bool:
        command = MoveContent(
            entity_id=row["document_id"],
            subject="",
            caller=Caller(subject="rotate", account="", role="operator"),
            former=row["content_id"],
            content_id=content_id,
        )
        moved = False

        def answer(results: Any) -> Answer:
            nonlocal moved
            moved = isinstance(results[0], Decided)
            return Answer(status=200, body=b"")

        key = IdempotencyKey(account="", route="documents rotate", value=None, digest=b"")
        await self.stage.command([command], HttpCall(key=key, actor="service:verification", answer=answer))
        return moved
