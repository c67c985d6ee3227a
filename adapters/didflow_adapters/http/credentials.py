"""Secrets: the file of configuration names where they are, and never contains them."""

import base64
import os
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class Strict(BaseModel):
    """A part of the configuration. Unknown fields are errors, and errors do not show values."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class MissingSecret(Exception):
    """An environment variable or a file that should have a secret is missing or empty."""


class SecretPlace(Strict):
    """Where a secret is: an environment variable, or a file whose surrounding blanks are ignored."""

    env: str | None = Field(default=None, min_length=1)
    file: Path | None = None

    @model_validator(mode="after")
    def _one_place(self) -> "SecretPlace":
        if (self.env is None) == (self.file is None):
            raise ValueError("Give either env or file.")
        return self

    def read(self) -> SecretStr:
        """Read the secret. Raises MissingSecret."""
        if self.file is not None:
            try:
                value = self.file.read_text()
            except (OSError, UnicodeDecodeError):
                raise MissingSecret(f"The file {self.file} cannot be read.") from None
        else:
            value = os.environ.get(self.env or "", "")
        if not value.strip():
            raise MissingSecret(f"The secret in {self.file or self.env} is missing or empty.")
        return SecretStr(value.strip())


class NoAuth(Strict):
    """The carrier asks for nothing."""

    kind: Literal["none"] = "none"

    def headers(self) -> dict[str, str]:
        """Return no headers."""
        return {}


class BearerAuth(Strict):
    """`Authorization: Bearer`."""

    kind: Literal["bearer"]
    token: SecretPlace

    def headers(self) -> dict[str, str]:
        """Return the header. Raises MissingSecret."""
        return {"Authorization": f"Bearer {self.token.read().get_secret_value()}"}


class BasicAuth(Strict):
    """`Authorization: Basic`."""

    kind: Literal["basic"]
    user: str
    password: SecretPlace

    def headers(self) -> dict[str, str]:
        """Return the header. Raises MissingSecret."""
        pair = f"{self.user}:{self.password.read().get_secret_value()}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


class HeaderAuth(Strict):
    """A header with any name."""

    kind: Literal["header"]
    name: str = Field(pattern=r"^[A-Za-z0-9-]+$")
    value: SecretPlace

    def headers(self) -> dict[str, str]:
        """Return the header. Raises MissingSecret."""
        return {self.name: self.value.read().get_secret_value()}


Auth: TypeAlias = Annotated[NoAuth | BearerAuth | BasicAuth | HeaderAuth, Field(discriminator="kind")]
