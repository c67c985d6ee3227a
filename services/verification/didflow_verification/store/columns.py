"""The columns that tables are described with, and where the descriptions are gathered."""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

METADATA: Final = sa.MetaData()
"""The tables."""

VIEWS: Final = sa.MetaData()
"""Views: loaded like tables, never written."""


def identifier(
    name: str, *, key: bool = False, nullable: bool = False, comment: str | None = None
) -> sa.Column[Any]:
    """Describe an id, the primary key where `key` says so."""
    return sa.Column(name, PG_UUID(as_uuid=True), primary_key=key, nullable=nullable, comment=comment)


def text(
    name: str, *, key: bool = False, nullable: bool = False, comment: str | None = None
) -> sa.Column[Any]:
    """Describe a text."""
    return sa.Column(name, sa.Text, primary_key=key, nullable=nullable, comment=comment)


def instant(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    """Describe an instant."""
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def json(name: str, *, nullable: bool = False, comment: str | None = None) -> sa.Column[Any]:
    """Describe values inside a state."""
    return sa.Column(name, JSONB, nullable=nullable, comment=comment)


def count(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    """Describe a number of things."""
    return sa.Column(name, sa.Integer, nullable=nullable)
