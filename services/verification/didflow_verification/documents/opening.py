"""Opens what documents are kept in, as the settings say it."""

from typing import Any

from didflow_chassis.database import Database
from didflow_verification.documents.chunks import Chunks, DatabaseChunks, ObjectChunks, bucket
from didflow_verification.documents.contents import Contents
from didflow_verification.settings import VerificationSettings


def open_contents(settings: VerificationSettings, database: Database) -> Contents | None:
    """Make what documents are kept in; None where no key is configured."""
    keyring = settings.keyring()
    if keyring is None:
        return None
    stores: dict[str, Chunks] = {"database": DatabaseChunks(database)}
    if settings.s3_bucket:
        stores["s3"] = ObjectChunks(_bucket(settings), settings.s3_prefix)
    return Contents(database=database, keyring=keyring, stores=stores, place=settings.document_store)


def _bucket(settings: VerificationSettings) -> Any:
    secret = settings.s3_secret_access_key
    return bucket(
        name=settings.s3_bucket or "",
        region=settings.s3_region,
        endpoint=settings.s3_endpoint,
        access_key_id=settings.s3_access_key_id,
        secret_access_key=secret.get_secret_value() if secret else None,
    )
