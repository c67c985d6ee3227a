"""How requests for additional services lie in their table."""

import sqlalchemy as sa

from didflow_chassis.states import Kind, state_table
from didflow_verification.domain.axes.service_request import ServiceRequest
from didflow_verification.store.columns import METADATA, count, identifier, instant, json, text

service_requests = state_table(
    "service_requests",
    METADATA,
    identifier("request_id", key=True),
    identifier("did_id"),
    text("number"),
    text("account"),
    text("service"),
    text("state"),
    identifier("identity_id"),
    count("identity_revision", nullable=True),
    text("identity_account"),
    json("data", nullable=True, comment="personal data: nowhere else; null once closed"),
    json("reasons"),
    instant("requested_at", nullable=False),
    text("requested_by"),
    instant("decided_at"),
    text("decided_by", nullable=True),
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
