"""What can be read of the states. Every query that serves a caller carries the condition of its tenancy."""

from collections.abc import Iterable
from typing import Any, TypeVar, get_args
from uuid import UUID

import sqlalchemy as sa

from didflow_chassis import tables
from didflow_chassis.decision import Caller
from didflow_chassis.states import Kind
from didflow_chassis.tenancy import within
from didflow_contracts.vocabulary import NumberType
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.store.catalogue import RULES, catalogue
from didflow_verification.store.registrations import (
    REGISTRATIONS,
    VERIFICATIONS,
    registrations,
    verifications,
)

S = TypeVar("S")
Select = sa.Select[Any]

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
