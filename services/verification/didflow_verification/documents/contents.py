"""The encrypted contents of documents. They are encrypted and decrypted as streams, never whole in memory.

A content is stored before the document that has it, and deleted after that document. A crash at any instant can leave
a content without a document, never a document without its content. A content that no document has is unused, and the
sweep deletes it. It is marked as doomed first, so that no document gets it meanwhile.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from didflow_chassis.database import Database
from didflow_chassis.encryption import Keyring
from didflow_verification.documents.chunks import ChunkStore, DatabaseChunks, ObjectChunks, bucket
from didflow_verification.documents.cipher import CHUNK, Cipher
from didflow_verification.documents.errors import ContentGone, StoreMissing
from didflow_verification.settings import VerificationSettings

UNUSED_FOR: Final = timedelta(hours=1)
"""After this time an unused content is deleted. A younger one can belong to an upload that is still running."""

_BEGIN = """
INSERT INTO document_contents (content_id, document_id, account, key_id, store, unused_since)
VALUES ($1, $2, $3, $4, $5, clock_timestamp())
"""
_FIND = "SELECT content_id, document_id, account, key_id, store FROM document_contents WHERE content_id = $1"
_MARK_USED = """
UPDATE document_contents c SET unused_since = NULL
WHERE content_id = ANY($1::uuid[]) AND EXISTS (SELECT FROM documents d WHERE d.content_id = c.content_id)
"""
_MARK_UNUSED = (
    "UPDATE document_contents SET unused_since = clock_timestamp() WHERE content_id = ANY($1::uuid[])"
)
_MARK_LEFT_UNUSED = """
UPDATE document_contents c SET unused_since = clock_timestamp() FROM documents d
WHERE c.document_id = d.document_id AND (d.document_id = $1 OR d.identity_id = $1) AND d.content_id IS NULL
AND c.unused_since IS NULL
RETURNING c.content_id
"""
_HOLD = """
UPDATE document_contents SET unused_since = clock_timestamp()
WHERE content_id = $1 AND unused_since > '-infinity' RETURNING content_id
"""
_MARK_OLD_USED = """
UPDATE document_contents c SET unused_since = NULL
WHERE unused_since < clock_timestamp() - $1::interval
AND EXISTS (SELECT FROM documents d WHERE d.content_id = c.content_id)
"""
_MARK_ALL_UNUSED = """
UPDATE document_contents c SET unused_since = clock_timestamp()
WHERE unused_since IS NULL AND NOT EXISTS (SELECT FROM documents d WHERE d.content_id = c.content_id)
"""
_DOOM = """
UPDATE document_contents c SET unused_since = '-infinity'
WHERE content_id = ANY($1::uuid[]) AND store = ANY($2::text[])
AND NOT EXISTS (SELECT FROM documents d WHERE d.content_id = c.content_id)
RETURNING content_id, store
"""
_DOOM_OLD = """
UPDATE document_contents c SET unused_since = '-infinity'
WHERE content_id = ANY (ARRAY(SELECT content_id FROM document_contents
                              WHERE unused_since < clock_timestamp() - $1::interval AND store = ANY($3::text[])
                              ORDER BY unused_since LIMIT $2))
AND NOT EXISTS (SELECT FROM documents d WHERE d.content_id = c.content_id)
RETURNING content_id, store
"""
_DELETE = "DELETE FROM document_contents WHERE content_id = $1"


@dataclass(frozen=True, kw_only=True)
class StoredContents:
    """All contents as they are stored. `stores` are the stores that chunks can be in. Nothing here needs a key.

    Contents in a store that this process does not know are left to a process that knows it.
    """

    database: Database
    stores: Mapping[str, ChunkStore]

    def chunks_in(self, store: str) -> ChunkStore:
        """Return a store of chunks. Raises StoreMissing."""
        if store not in self.stores:
            raise StoreMissing(f"the store {store} is not configured")
        return self.stores[store]

    async def mark_used(self, *content_ids: UUID) -> None:
        """Record that documents have these contents. Those that no document has stay unused."""
        await self.database.fetch(_MARK_USED, list(content_ids))

    async def mark_unused(self, *content_ids: UUID) -> None:
        """Record that possibly no document has these contents any more."""
        await self.database.fetch(_MARK_UNUSED, list(content_ids))

    async def mark_left_unused(self, detail_id: UUID) -> list[UUID]:
        """Record that erased documents have no content any more. Return the ids of the contents that they left.

        `detail_id` names one document, or the identity of the documents.
        """
        return [row["content_id"] for row in await self.database.fetch(_MARK_LEFT_UNUSED, detail_id)]

    async def hold(self, content_id: UUID) -> bool:
        """Keep an unused content from being swept for a while. Return False if it is already doomed."""
        return bool(await self.database.fetch(_HOLD, content_id))

    async def discard(self, *content_ids: UUID) -> None:
        """Delete contents, except those that a document has."""
        await self._delete(await self.database.fetch(_DOOM, list(content_ids), list(self.stores)))

    async def sweep(self, limit: int = 100, unused_for: timedelta = UNUSED_FOR) -> int:
        """Delete contents that have been unused for this time. Return how many were deleted."""
        await self.database.fetch(_MARK_OLD_USED, unused_for)
        return await self._delete(await self.database.fetch(_DOOM_OLD, unused_for, limit, list(self.stores)))

    async def find_unused(self) -> None:
        """Mark every content that no document has as unused. A crash can leave such contents unmarked."""
        await self.database.fetch(_MARK_ALL_UNUSED)

    async def _delete(self, doomed: Sequence[Any]) -> int:
        for row in doomed:
            await self.stores[row["store"]].delete(row["content_id"])
            await self.database.fetch(_DELETE, row["content_id"])
        return len(doomed)


@dataclass(frozen=True, kw_only=True)
class Contents(StoredContents):
    """All contents with the keys. `store` names the store for new contents."""

    keyring: Keyring
    store: str = "database"

    def aimed_at(self, key_id: str, store: str) -> "Contents":
        """Return these contents with another key and store for new contents. Raises KeyMissing, StoreMissing."""
        keyring = self.keyring.aimed_at(key_id)
        self.chunks_in(store)
        return replace(self, keyring=keyring, store=store)

    async def begin(self, document_id: UUID, account: str, content_id: UUID | None = None) -> "ContentWriter":
        """Begin the content of a document. It is unused until `mark_used`."""
        content_id = content_id or uuid4()
        key_id = self.keyring.current
        await self.database.fetch(_BEGIN, content_id, document_id, account, key_id, self.store)
        cipher = Cipher(
            key=self.keyring.key(key_id), content_id=content_id, document_id=document_id, account=account
        )
        return ContentWriter(cipher=cipher, chunks=self.stores[self.store])

    async def read(self, content_id: UUID, size: int, *, first: int = 0) -> AsyncIterator[bytes]:
        """Yield the decrypted chunks in order, from the chunk `first` on. `size` is the size of the whole document.

        Raises ContentGone if a chunk does not exist, ContentUnreadable, Outage.
        """
        rows = await self.database.fetch(_FIND, content_id)
        if not rows:
            raise ContentGone(str(content_id))
        row: Any = rows[0]
        cipher = Cipher(
            key=self.keyring.key(row["key_id"]),
            content_id=content_id,
            document_id=row["document_id"],
            account=row["account"],
        )
        chunks, count = self.chunks_in(row["store"]), -(-size // CHUNK)
        for position in range(first, count):
            ciphertext = await chunks.get(content_id, position)
            if ciphertext is None:
                raise ContentGone(str(content_id))
            yield cipher.decrypt(position, ciphertext, last=position == count - 1)


@dataclass(kw_only=True)
class ContentWriter:
    """Encrypts and stores a content chunk by chunk while its bytes arrive.

    `size` counts the bytes before encryption, and `sha256` is their hash in hex.
    """

    cipher: Cipher
    chunks: ChunkStore
    size: int = 0
    _hash: Any = field(default_factory=hashlib.sha256)
    _rest: bytearray = field(default_factory=bytearray)
    _position: int = 0

    @property
    def content_id(self) -> UUID:
        """The id of the content."""
        return self.cipher.content_id

    @property
    def sha256(self) -> str:
        """The SHA-256 of the bytes that were added."""
        digest: str = self._hash.hexdigest()
        return digest

    async def add(self, piece: bytes) -> None:
        """Add the next bytes. A chunk is stored as soon as it is known that another one follows."""
        self.size += len(piece)
        self._hash.update(piece)
        self._rest += piece
        while len(self._rest) > CHUNK:
            await self._store_chunk(last=False)

    async def finish(self) -> None:
        """Store the last chunk."""
        await self._store_chunk(last=True)

    async def _store_chunk(self, *, last: bool) -> None:
        chunk = bytes(self._rest[:CHUNK])
        del self._rest[:CHUNK]
        ciphertext = self.cipher.encrypt(self._position, chunk, last=last)
        await self.chunks.put(self.content_id, self._position, ciphertext)
        self._position += 1


def open_contents(settings: VerificationSettings, database: Database) -> Contents | None:
    """Return the contents that the settings describe, or None if no key is configured."""
    keyring = settings.keyring()
    if keyring is None:
        return None
    stored = open_stored(settings, database)
    return Contents(database=database, stores=stored.stores, keyring=keyring, store=settings.document_store)


def open_stored(settings: VerificationSettings, database: Database) -> StoredContents:
    """Return the stored contents that the settings describe. No key is needed."""
    stores: dict[str, ChunkStore] = {"database": DatabaseChunks(database)}
    if settings.s3_bucket:
        secret = settings.s3_secret_access_key
        objects = bucket(
            name=settings.s3_bucket,
            region=settings.s3_region,
            endpoint=settings.s3_endpoint,
            access_key_id=settings.s3_access_key_id,
            secret_access_key=secret.get_secret_value() if secret else None,
        )
        stores["s3"] = ObjectChunks(objects, settings.s3_prefix)
    return StoredContents(database=database, stores=stores)
