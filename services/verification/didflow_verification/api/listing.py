"""What bodies and query strings have in common: strict about what they do not know; what lists take."""

from collections.abc import Iterator
from typing import Annotated, Self
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, model_validator

from didflow_contracts.accounts import AccountPath

MAX_IDS = 1_000
Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
Number = Annotated[str, Field(pattern=r"^[+ ]?[0-9]{7,15}$")]
Ids = Annotated[list[UUID], Field(max_length=50)]


class Strict(BaseModel):
    """What takes no field that it does not know."""

    model_config = ConfigDict(extra="forbid")


def _ids(text: str) -> list[UUID]:
    ids = [UUID(part) for part in text.split(",") if part]
    if len(ids) > MAX_IDS:
        raise ValueError(f"at most {MAX_IDS} ids")
    return ids


class Listing(Strict):
    """What every list takes; the chassis reads it."""

    limit: str | None = None
    cursor: str | None = None
    sort: str | None = None


class EntriesQuery(Listing):
    """Which identities or addresses to list."""

    ids: Annotated[str | None, Field(description="Up to 1,000 ids, separated by commas.")] = None
    identity_id: UUID | None = None
    account: AccountPath | None = None

    def named(self) -> list[UUID] | None:
        """Return the ids asked for, or None. Raises ValueError."""
        return None if self.ids is None else _ids(self.ids)

    @model_validator(mode="after")
    def _ids_are_ids(self) -> Self:
        self.named()
        return self

    def conditions(self, table: sa.Table, key: str) -> Iterator[sa.ColumnElement[bool]]:
        """Yield what the rows of a table must satisfy."""
        named = self.named()
        if named is not None:
            yield table.c[key].in_(named)
        if self.identity_id is not None:
            yield table.c.identity_id == self.identity_id
        if self.account is not None:
            yield table.c.account == self.account
