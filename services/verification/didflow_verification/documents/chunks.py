"""Stores encrypted chunks: in the service's own database, or in an S3-compatible store.

Both stores know a chunk by its content id and its position. Neither knows keys or documents.
"""

from datetime import timedelta
from typing import Any, Final, Protocol
from uuid import UUID

from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from didflow_chassis.database import Database, Outage

_PUT = "INSERT INTO document_chunks (content_id, position, ciphertext) VALUES ($1, $2, $3)"
_GET = "SELECT ciphertext FROM document_chunks WHERE content_id = $1 AND position = $2"
_DELETE = "DELETE FROM document_chunks WHERE content_id = $1"

TIMEOUT: Final = timedelta(seconds=20)
"""The timeout of one request to the S3-compatible store."""


class ChunkStore(Protocol):
    """A store of chunks. Every method raises Outage if the store cannot be reached."""

    async def put(self, content_id: UUID, position: int, ciphertext: bytes) -> None:
        """Store a chunk. It is stored durably when this returns."""

    async def get(self, content_id: UUID, position: int) -> bytes | None:
        """Return a chunk, or None if there is none."""

    async def delete(self, content_id: UUID) -> None:
        """Delete all chunks of a content, however many there are."""


class DatabaseChunks:
    """Chunks as rows. Each is written and read by one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, content_id: UUID, position: int, ciphertext: bytes) -> None:
        """Store a chunk."""
        await self._database.fetch(_PUT, content_id, position, ciphertext)

    async def get(self, content_id: UUID, position: int) -> bytes | None:
        """Return a chunk, or None if there is none."""
        rows = await self._database.fetch(_GET, content_id, position)
        return rows[0]["ciphertext"] if rows else None

    async def delete(self, content_id: UUID) -> None:
        """Delete all chunks of a content."""
        await self._database.fetch(_DELETE, content_id)


class ObjectChunks:
    """Chunks as objects `<prefix><content id>/<position>` of a bucket."""

    def __init__(self, store: S3Store, prefix: str) -> None:
        self._store = store
        self._prefix = prefix

    async def put(self, content_id: UUID, position: int, ciphertext: bytes) -> None:
        """Store a chunk."""
        try:
            await self._store.put_async(self._path(content_id, position), ciphertext)
        except BaseError as error:
            raise _outage(error) from error

    async def get(self, content_id: UUID, position: int) -> bytes | None:
        """Return a chunk, or None if there is none."""
        try:
            found = await self._store.get_async(self._path(content_id, position))
            return bytes(await found.bytes_async())
        except (NotFoundError, FileNotFoundError):
            return None
        except BaseError as error:
            raise _outage(error) from error

    async def delete(self, content_id: UUID) -> None:
        """Delete all chunks of a content."""
        try:
            async for page in self._store.list(f"{self._prefix}{content_id}/"):
                await self._store.delete_async([each["path"] for each in page])
        except BaseError as error:
            raise _outage(error) from error

    def _path(self, content_id: UUID, position: int) -> str:
        return f"{self._prefix}{content_id}/{position:04d}"


def bucket(
    *,
    name: str,
    region: str,
    endpoint: str | None,
    access_key_id: str | None,
    secret_access_key: str | None,
    retries: int = 3,
) -> S3Store:
    """Return a client of a bucket. It makes no request yet. An endpoint that begins with `http://` is allowed."""
    named = {
        "endpoint": endpoint,
        "access_key_id": access_key_id,
        "secret_access_key": secret_access_key,
    }
    options: dict[str, Any] = {key: value for key, value in named.items() if value is not None}
    plain = endpoint is not None and endpoint.startswith("http://")
    return S3Store(
        name,
        region=region,
        virtual_hosted_style_request=False,
        client_options={"allow_http": plain, "timeout": TIMEOUT},
        retry_config={"max_retries": retries},
        **options,
    )


def _outage(error: BaseError) -> Outage:
    """Return an Outage without the text of the error, which can contain addresses and keys."""
    return Outage(f"the document store: {type(error).__name__}")
