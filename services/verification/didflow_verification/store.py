"""How verification's states lie in tables, and what can be read of them.

Every query that serves a caller carries the condition of its tenancy.
"""

from collections.abc import Iterable
from typing import Any, TypeVar, get_args
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from didflow_chassis import tables
from didflow_chassis.decision import Caller
from didflow_chassis.http import within
from didflow_chassis.states import Kind, state_table
from didflow_contracts.vocabulary import NumberType
from didflow_verification import personal, rechecks, service_requests
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.catalogue.rules import CountryRules
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.verifications.approvals import Approval

METADATA = sa.MetaData()

S = TypeVar("S")
Select = sa.Select[Any]


def _instant(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def _id(name: str, *, key: bool = False, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, PG_UUID(as_uuid=True), primary_key=key, nullable=nullable)


def _text(name: str, *, nullable: bool = False, comment: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=nullable, comment=comment)


def _json(name: str, *, nullable: bool = False, comment: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, JSONB, nullable=nullable, comment=comment)


def _count(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=nullable)


catalogue = state_table(
    "catalogue",
    METADATA,
    sa.Column("country", sa.Text, primary_key=True, comment="ISO-2; * for anywhere else"),
    _json("languages"),
    _json("places"),
    _json("requirements", comment="all rows in all versions"),
)

identities = state_table(
    "identities",
    METADATA,
    _id("identity_id", key=True),
    _text("account", comment="the account that it serves, with those below"),
    _text("type"),
    _json("person", comment="personal data: nowhere else"),
    _count("revision"),
    _instant("created_at", nullable=False),
    _text("created_by"),
    _instant("erased_at"),
    sa.Index("identities_account", sa.text('account COLLATE "C"'), "created_at", "identity_id"),
)

addresses = state_table(
    "addresses",
    METADATA,
    _id("address_id", key=True),
    _id("identity_id"),
    _text("account", comment="its identity's"),
    _json("place", comment="personal data: nowhere else"),
    _count("revision"),
    _instant("created_at", nullable=False),
    _text("created_by"),
    _instant("erased_at"),
    sa.Index("addresses_account", sa.text('account COLLATE "C"'), "created_at", "address_id"),
    sa.Index("addresses_identity", "identity_id"),
)

registrations = state_table(
    "registrations",
    METADATA,
    _id("did_id", key=True),
    _text("number"),
    _text("country"),
    _text("number_type"),
    _text("end_user_type", nullable=True, comment="as ordered: only says what is shown first"),
    _text("account", comment="who holds the DID, as last heard"),
    _json("holders", comment="who held it since when"),
    _text("state"),
    _text("requirement"),
    _count("requirement_version"),
    _json("approved", nullable=True),
    _json("assigned", nullable=True),
    sa.Column("open", sa.Boolean, nullable=False, comment="the last attempt is not decided"),
    _count("attempt"),
    _json("reasons"),
    _instant("assigned_at"),
    _instant("grace_until"),
    _instant("started_at", nullable=False),
    _text("ended", nullable=True, comment="removed or refused: frozen"),
    _json("seen"),
    _json("features", nullable=True, comment="what the number can do, as far as heard"),
    _json("services", comment="the open request of each additional service"),
    _json("lapse", nullable=True, comment="the known end of what is approved"),
    _instant("due_at"),
    sa.Index("registrations_live_number", "number", postgresql_where=sa.text("ended IS NULL")),
    sa.Index(
        "registrations_rests_on",
        sa.text("((approved ->> 'rests_on')::uuid)"),
        postgresql_where=sa.text("ended IS NULL AND (approved ->> 'rests_on') IS NOT NULL"),
    ),
    sa.Index("registrations_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    emits=True,
)

verifications = state_table(
    "verifications",
    METADATA,
    _id("verification_id", key=True),
    _text("reference"),
    _id("did_id"),
    _text("number"),
    _text("account"),
    _text("country"),
    _text("number_type"),
    _text("end_user_type", nullable=True),
    _count("attempt"),
    _text("status"),
    _text("requirement"),
    _count("requirement_version"),
    _text("prefix", comment="the number's, where the area matters; else empty"),
    _id("identity_id"),
    _count("identity_revision", nullable=True),
    _id("address_id", nullable=True),
    _count("address_revision", nullable=True),
    _json("document_ids"),
    _json("findings"),
    _json("reasons"),
    sa.Column("automatic", sa.Boolean, nullable=False),
    _id("rests_on", nullable=True),
    _instant("submitted_at", nullable=False),
    _text("submitted_by", nullable=True),
    _instant("decided_at"),
    _text("decided_by", nullable=True),
    _text("claimed_by", nullable=True),
    _instant("claimed_until"),
    sa.Index("verifications_identity", "identity_id"),
    sa.Index("verifications_did", "did_id", "attempt", unique=True),
    sa.Index(
        "verifications_queue",
        "submitted_at",
        "verification_id",
        postgresql_where=sa.text("status = 'pending'"),
    ),
    sa.Index("verifications_account", sa.text('account COLLATE "C"'), "submitted_at", "verification_id"),
    sa.Index("verifications_reference", "reference"),
)

approvals = state_table(
    "approvals",
    METADATA,
    sa.Column("approval_key", sa.Text, primary_key=True),
    _id("verification_id"),
    _text("requirement"),
    _count("requirement_version"),
    _count("identity_revision", nullable=True),
    _count("address_revision", nullable=True),
    _json("document_ids"),
    _instant("valid_until"),
    _instant("approved_at", nullable=False),
    sa.Index("approvals_verification", "verification_id"),
)

RULES = Kind(model=CountryRules, table=catalogue, key="country")
IDENTITIES = Kind(model=Identity, table=identities, key="identity_id")
ADDRESSES = Kind(model=Address, table=addresses, key="address_id")
REGISTRATIONS = Kind(model=Registration, table=registrations, key="did_id", subject="number", due="due_at")
VERIFICATIONS = Kind(model=Verification, table=verifications, key="verification_id", subject="number")
APPROVALS = Kind(model=Approval, table=approvals, key="approval_key")
KINDS: tuple[Kind[Any], ...] = (
    RULES,
    IDENTITIES,
    ADDRESSES,
    REGISTRATIONS,
    VERIFICATIONS,
    APPROVALS,
    *personal.KINDS,
    *rechecks.KINDS,
    service_requests.REQUESTS,
)

NUMBER_TYPES: tuple[str, ...] = get_args(NumberType)

NOW: Select = sa.select(
    (sa.func.clock_timestamp() + sa.select(tables.clock.c.shift).scalar_subquery()).label("now")
)
"""The service's time, for reads that judge by it."""


def state_in(kind: Kind[S], row: Any) -> S:
    """Read the state out of a row that one of the queries here selected."""
    return kind.from_row([row[name] for name in kind.columns]).state


def _whole(kind: Kind[Any], *conditions: sa.ColumnElement[bool]) -> Select:
    return sa.select(*(kind.table.c[name] for name in kind.columns)).where(*conditions)


def by_keys(kind: Kind[Any], keys: Iterable[Any]) -> Select:
    """Select states by their keys, whoever they belong to: for judging, never for showing."""
    return _whole(kind, kind.table.c[kind.key].in_(list(keys)))


def owned(kind: Kind[Any], caller: Caller, *conditions: sa.ColumnElement[bool]) -> Select:
    """Select states whose account lies in the caller's subtree; what was erased is not there."""
    if "erased_at" in kind.table.c:
        conditions = (*conditions, kind.table.c.erased_at.is_(None))
    return _whole(kind, within(kind.table.c.account, caller), *conditions)


def registrations_named(names: Iterable[UUID | str], caller: Caller) -> Select:
    """Select the registrations of living DIDs by `did_id` or number, the one that began last first."""
    names = list(names)
    by_id = registrations.c.did_id.in_([name for name in names if isinstance(name, UUID)])
    by_number = registrations.c.number.in_([name for name in names if isinstance(name, str)])
    living = registrations.c.ended.is_(None)
    order = (registrations.c.started_at.desc(), registrations.c.did_id)
    return owned(REGISTRATIONS, caller, sa.or_(by_id, by_number), living).order_by(*order)


def earlier_attempts(attempt: Verification, caller: Caller) -> Select:
    """Select the attempts before this one of its DID that lie in the caller's subtree, the latest first."""
    same_did = verifications.c.did_id == attempt.did_id
    before = verifications.c.attempt < attempt.attempt
    return owned(VERIFICATIONS, caller, same_did, before).order_by(verifications.c.attempt.desc())


def living_by_kind(countries: Iterable[str], keys: Iterable[str]) -> Select:
    """Count the living DIDs of countries, or under these requirements, by all that a rule tells apart."""
    approved = registrations.c.approved
    requirement = sa.func.coalesce(approved["requirement"].astext, registrations.c.requirement)
    kind = (
        registrations.c.country,
        registrations.c.number_type,
        sa.func.coalesce(approved["end_user_type"].astext, registrations.c.end_user_type).label(
            "end_user_type"
        ),
        requirement.label("requirement"),
        registrations.c.state,
    )
    concerned = sa.or_(registrations.c.country.in_(list(countries)), requirement.in_(list(keys)))
    counted = sa.select(*kind, sa.func.count().label("dids")).where(
        registrations.c.ended.is_(None), concerned
    )
    return counted.group_by(*kind).order_by(*kind)


def all_rules() -> Select:
    """Select the whole catalogue, by country."""
    return _whole(RULES).order_by(catalogue.c.country)
