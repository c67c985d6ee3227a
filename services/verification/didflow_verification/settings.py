"""What verification is told besides what every service is told: the keys of documents and where they lie."""

from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import SettingsConfigDict

from didflow_chassis.settings import PREFIX, Settings, SettingsError, Told, Url
from didflow_verification.documents.keys import Keyring, read_keys


class DocumentSettings(Told):
    """Keys and places of documents. Without keys no document is taken or given."""

    document_keys: SecretStr | None = Field(
        default=None,
        description="AES-256 keys of documents, `id:base64` each, the one for new documents first; none: no uploads",
    )
    document_store: Literal["database", "s3"] = Field(
        default="database", description="where new documents lie; those elsewhere stay readable"
    )
    s3_endpoint: Url | None = Field(default=None, description="address of the S3-compatible store; none: AWS")
    s3_bucket: str | None = Field(default=None, description="bucket of documents")
    s3_region: str = Field(default="us-east-1", description="region of the bucket")
    s3_prefix: str = Field(default="documents/", description="put before the name of every object")
    s3_access_key_id: str | None = Field(
        default=None, description="user of the store; none: the machine's role"
    )
    s3_secret_access_key: SecretStr | None = Field(default=None, description="password of that user")

    @model_validator(mode="after")
    def _documents_can_be_kept(self) -> Self:
        if self.document_keys is not None:
            try:
                read_keys(self.document_keys.get_secret_value())
            except ValueError as error:
                raise ValueError(f"{PREFIX}DOCUMENT_KEYS {error}") from None
        if self.document_store == "s3" and not self.s3_bucket:
            raise ValueError(f"{PREFIX}S3_BUCKET is needed with {PREFIX}DOCUMENT_STORE=s3")
        return self

    def keyring(self) -> Keyring | None:
        """Return the keys, or None where none are configured."""
        return read_keys(self.document_keys.get_secret_value()) if self.document_keys else None


class VerificationSettings(Settings, DocumentSettings):
    """The chassis' settings, and verification's own."""

    model_config = SettingsConfigDict(extra="forbid")


def document_settings() -> DocumentSettings:
    """Read what the environment says of documents alone. Raises SettingsError, with no value in it."""
    try:
        return DocumentSettings()
    except ValidationError as error:
        raise SettingsError(*(e["msg"].removeprefix("Value error, ") for e in error.errors())) from None
    except ValueError as error:
        raise SettingsError(str(error)) from None
