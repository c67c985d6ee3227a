"""The bytes of documents: sealed while they come, opened while they go, never whole in memory.

Bytes are stored before the document that has them, and deleted after it: what no document has is `loose` and
swept (doomed first, so that nothing takes them meanwhile). So a crash at any instant leaves at most loose bytes,
never a document without its bytes.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from didflow_chassis.database import Database
from didflow_verification.documents.chunks import Chunks
from didflow_verification.documents.cipher import CHUNK, Cipher
from didflow_verification.documents.keys import Keyring

LOOSE_FOR: Final = timedelta(hours=1)
"""Loose bytes may be an upload's that still goes on; older ones are nobody's."""

_BEGIN = """
INSERT INTO document_contents (content_id, document_id, account, key_id, place, loose_since)
VALUES ($1, $2, $3, $4, $5, clock_timestamp())
"""
_FIND = "SELECT content_id, document_id, account, key_id, place FROM document_contents WHERE content_id = $1"
_KEPT = "UPDATE document_contents SET loose_since = NULL WHERE content_id = $1"
_LOOSEN = "UPDATE document_contents SET loose_since = clock_timestamp() WHERE content_id = ANY($1::uuid[])"
_STILL_MINE = """
UPDATE document_contents SET loose_since = clock_timestamp()
WHERE content_id = $1 AND loose_since > '-infinity' RETURNING content_id
"""
_SETTLE = """
UPDATE document_contents c SET loose_since = NULL
WHERE loose_since IS NOT NULL AND EXISTS (SELECT FROM documents d WHERE d.content_id = c.content_id)
"""
_UNSETTLE = """
UPDATE document_contents c SET loose_since = clock_timestamp()
WHERE loose_since IS NULL AND NOT EXISTS (SELECT FROM documents d WHERE d.content_id = c.content_id)
"""
_DOOM = """
UPDATE document_contents c SET loose_since = '-infinity'
WHERE content_id = ANY($1::uuid[]) AND NOT EXISTS (SELECT FROM documents d WHERE d.content_id = c.content_id)
RETURNING content_id, place
"""
_DOOM_OLD = """
UPDATE document_contents c SET loose_since = '-infinity'
WHERE content_id = ANY (ARRAY(SELECT content_id FROM document_contents
                              WHERE loose_since < clock_timestamp() - $1::interval ORDER BY loose_since LIMIT $2))
AND NOT EXISTS (SELECT FROM documents d WHERE d.content_id = c.content_id)
RETURNING content_id, place
"""
_FORGET = "DELETE FROM document_contents WHERE content_id = $1"


class Gone(Exception):
    """The bytes asked for do not lie there any more: the document was erased, or encrypted anew meanwhile."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """All documents' bytes. `stores` has every place that chunks may lie in, `place` is the one for new ones."""

    database: Database
    keyring: Keyring
    stores: Mapping[str, Chunks]
    place: str = "database"

    async def begin(self, document_id: UUID, account: str) -> "Writing":
        """Begin the bytes of a document; they are loose until `keep`."""
        content_id = uuid4()
        key_id = self.keyring.current
        await self.database.fetch(_BEGIN, content_id, document_id, account, key_id, self.place)
        cipher = Cipher(
            key=self.keyring.key(key_id), content_id=content_id, document_id=document_id, account=account
        )
        return Writing(cipher=cipher, chunks=self.stores[self.place])

    async def keep(self, content_id: UUID) -> None:
        """Say that a document has these bytes now."""
        await self.database.fetch(_KEPT, content_id)

    async def loosen(self, *content_ids: UUID) -> None:
        """Say that perhaps no document has these bytes soon."""
        await self.database.fetch(_LOOSEN, list(content_ids))

    async def read(self, content_id: UUID, size: int, *, first: int = 0) -> AsyncIterator[bytes]:
        """Open the chunks of a content in order, from the `first` on; `size` is the whole's, in clear.

        Raises Gone where one is not there, Unopenable, KeyMissing, Outage.
        """
        rows = await self.database.fetch(_FIND, content_id)
        if not rows:
            raise Gone(str(content_id))
        row: Any = rows[0]
        cipher = Cipher(
            key=self.keyring.key(row["key_id"]),
            content_id=content_id,
            document_id=row["document_id"],
            account=row["account"],
        )
        chunks, count = self.stores[row["place"]], -(-size // CHUNK)
        for place in range(first, count):
            sealed = await chunks.get(content_id, place)
            if sealed is None:
                raise Gone(str(content_id))
            yield cipher.open(place, sealed, last=place == count - 1)

    async def hold(self, content_id: UUID) -> bool:
        """Keep loose bytes from being swept for a while; False where they are about to go."""
        return bool(await self.database.fetch(_STILL_MINE, content_id))

    async def discard(self, *content_ids: UUID) -> None:
        """Delete bytes, unless a document has them."""
        await self._delete(await self.database.fetch(_DOOM, list(content_ids)))

    async def sweep(self, limit: int = 100, loose_for: timedelta = LOOSE_FOR) -> int:
        """Delete bytes that no document has for so long; return how many contents were deleted."""
        await self.database.fetch(_SETTLE)
        return await self._delete(await self.database.fetch(_DOOM_OLD, loose_for, limit))

    async def find_loose(self) -> None:
        """Look through all bytes for those that no document has, as an end at a bad moment may leave them."""
        await self.database.fetch(_UNSETTLE)

    async def _delete(self, doomed: list[Any]) -> int:
        for row in doomed:
            await self.stores[row["place"]].delete(row["content_id"])
            await self.database.fetch(_FORGET, row["content_id"])
        return len(doomed)


@dataclass(kw_only=True)
class Writing:
    """Bytes on their way in: sealed and stored a chunk at a time. `size` counts them in clear."""

    cipher: Cipher
    chunks: Chunks
    size: int = 0
    _rest: bytearray = field(default_factory=bytearray)
    _place: int = 0

    @property
    def content_id(self) -> UUID:
        """What the bytes lie under."""
        return self.cipher.content_id

    async def add(self, piece: bytes) -> None:
        """Take the next bytes; a chunk is stored when more than it has come."""
        self.size += len(piece)
        self._rest += piece
        while len(self._rest) > CHUNK:
            await self._store(last=False)

    async def finish(self) -> None:
        """Store what is left."""
        await self._store(last=True)

    async def _store(self, *, last: bool) -> None:
        clear = bytes(self._rest[:CHUNK])
        del self._rest[:CHUNK]
        await self.chunks.put(self.content_id, self._place, self.cipher.seal(self._place, clear, last=last))
        self._place += 1
