"""Documents encrypted anew: those under another key than the current one, or lying elsewhere than configured.

One document at a time, each moved by the stage once its new bytes lie safely: it may be ended at any instant, run
again, or twice at once. What is left to do is told by the tables alone.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from didflow_chassis.decision import Caller, Decided
from didflow_chassis.stage.idempotency import Answer, IdempotencyKey
from didflow_verification.documents.cipher import Unopenable
from didflow_verification.documents.contents import Contents, Gone
from didflow_verification.documents.keys import KeyMissing
from didflow_verification.domain.details.commands import MoveContent

AT_ONCE: Final = 50
_BEHIND = """
FROM documents d JOIN document_contents c ON c.content_id = d.content_id WHERE (c.key_id <> $1 OR c.place <> $2)
"""
_COUNT = f"SELECT count(*) {_BEHIND}"
_NEXT = f"""
SELECT d.document_id, d.content_id, d.size, d.account {_BEHIND} AND d.document_id > $3
ORDER BY d.document_id LIMIT {AT_ONCE}
"""
_KEYS = """
SELECT c.key_id, count(*) FROM document_contents c JOIN documents d ON d.content_id = c.content_id
GROUP BY c.key_id ORDER BY c.key_id
"""


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A document that could not be encrypted anew, and the code of why."""

    document_id: UUID
    code: str


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """One run of it, over a stage and all documents' bytes."""

    stage: Any
    contents: Contents

    async def count(self) -> int:
        """Return how many documents there are to do."""
        rows = await self.contents.database.fetch(_COUNT, *self._wanted)
        found: int = rows[0][0]
        return found

    async def run(self, tell: Callable[[], None]) -> list[Unreadable]:
        """Do them, telling of each; then throw away bytes that nothing has. Returns those that failed."""
        failed = []
        async for row in self._behind():
            try:
                await self._move(row)
            except (KeyMissing, Unopenable) as error:
                failed.append(Unreadable(document_id=row["document_id"], code=error.code))
            except Gone:
                pass  # erased or moved by another run meanwhile
            tell()
        await self.contents.find_loose()
        await self.contents.sweep(limit=10_000)
        return failed

    async def keys(self) -> dict[str, int]:
        """Return how many documents lie under each key."""
        return {row[0]: row[1] for row in await self.contents.database.fetch(_KEYS)}

    @property
    def _wanted(self) -> tuple[str, str]:
        return self.contents.keyring.current, self.contents.place

    async def _behind(self) -> AsyncIterator[Any]:
        last = UUID(int=0)
        while rows := await self.contents.database.fetch(_NEXT, *self._wanted, last):
            for row in rows:
                yield row
            last = rows[-1]["document_id"]

    async def _move(self, row: Any) -> None:
        writing = await self.contents.begin(row["document_id"], row["account"])
        moved = False
        try:
            async for piece in self.contents.read(row["content_id"], row["size"]):
                await writing.add(piece)
            await writing.finish()
            moved = await self._decided(row, writing.content_id)
        finally:
            await self.contents.discard(row["content_id"] if moved else writing.content_id)
        await self.contents.keep(writing.content_id)

    async def _decided(self, row: Any, content_id: UUID) -> bool:
        command = MoveContent(
            entity_id=row["document_id"],
            subject="",
            caller=Caller(subject="rotate", account="", role="operator"),
            former=row["content_id"],
            content_id=content_id,
        )
        moved = False

        def note(results: Any) -> Answer:
            nonlocal moved
            moved = isinstance(results[0], Decided)
            return Answer(status=200, body=b"")

        key = IdempotencyKey(account="", route="documents rotate", value=None, digest=b"")
        await self.stage.command([command], key=key, actor="service:verification", answer=note)
        return moved
