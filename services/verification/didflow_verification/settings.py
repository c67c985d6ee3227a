"""The settings of verification: the keys of documents and former details, and where documents are stored."""

from collections.abc import Iterable
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from didflow_chassis.encryption import Keyring, read_keys
from didflow_chassis.setting_types import Url
from didflow_chassis.settings import PREFIX, Settings


class VerificationSettings(Settings):
    """The settings of every service, and those of verification."""

    document_keys: SecretStr | None = Field(
        default=None,
        description="AES-256 keys of documents and of former details, each written `id:base64`. The first encrypts. "
        "Without keys, documents can be neither uploaded nor read, judged details cannot be changed, and former "
        "details cannot be shown.",
    )
    document_store: Literal["database", "s3"] = Field(
        default="database",
        description="Where new documents are stored. Documents in the other store stay readable.",
    )
    s3_endpoint: Url | None = Field(
        default=None, description="URL of the S3-compatible store. The default is AWS."
    )
    s3_bucket: str | None = Field(default=None, description="Bucket of documents. Required with `s3`.")
    s3_region: str = Field(default="us-east-1", description="Region of the bucket.")
    s3_prefix: str = Field(default="documents/", description="Prefix of the name of every object.")
    s3_access_key_id: str | None = Field(
        default=None, description="Access key id of the store. Without it, the machine's role is used."
    )
    s3_secret_access_key: SecretStr | None = Field(default=None, description="Secret of the access key.")

    @model_validator(mode="after")
    def _documents_can_be_stored(self) -> Self:
        if self.document_keys is not None:
            try:
                read_keys(self.document_keys.get_secret_value())
            except ValueError as error:
                raise ValueError(f"{PREFIX}DOCUMENT_KEYS {error}") from None
        if self.document_store == "s3" and not self.s3_bucket:
            raise ValueError(f"{PREFIX}S3_BUCKET is required with {PREFIX}DOCUMENT_STORE=s3")
        return self

    def keyring(self) -> Keyring | None:
        """Return the keys, or None if none are configured."""
        return read_keys(self.document_keys.get_secret_value()) if self.document_keys else None

    def warnings(self) -> Iterable[str]:
        """Return one sentence for each setting that is allowed but dangerous in production."""
        yield from super().warnings()
        if self.document_keys is None:
            yield (
                f"{PREFIX}DOCUMENT_KEYS is not set: documents can be neither uploaded nor read, "
                "judged details cannot be changed, and former details cannot be shown."
            )
