"""How requests for additional services lie in their table."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from didflow_chassis.states import Kind, state_table
from didflow_verification.domain.axes.service_request import ServiceRequest

METADATA = sa.MetaData()


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _id(name: str, *, key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, PG_UUID(as_uuid=True), primary_key=key, nullable=False)


def _instant(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


service_requests = state_table(
    "service_requests",
    METADATA,
    _id("request_id", key=True),
    _id("did_id"),
    _text("number"),
    _text("account"),
    _text("service"),
    _text("state"),
    _id("identity_id"),
    sa.Column("identity_revision", sa.Integer),
    _text("identity_account"),
    sa.Column("data", JSONB, comment="personal data: nowhere else; null once closed"),
    sa.Column("reasons", JSONB, nullable=False),
    _instant("requested_at", nullable=False),
    _text("requested_by"),
    _instant("decided_at"),
    _text("decided_by", nullable=True),
    sa.Index("service_requests_did", "did_id", "requested_at"),
    sa.Index("service_requests_account", sa.text('account COLLATE "C"'), "requested_at", "request_id"),
    sa.Index(
        "service_requests_open",
        "requested_at",
        "request_id",
        postgresql_where=sa.text("state <> 'not_configured'"),
    ),
)

REQUESTS = Kind(model=ServiceRequest, table=service_requests, key="request_id", subject="number")
