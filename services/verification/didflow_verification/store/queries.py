"""The reads of verification. Every query for a caller has the condition of the caller's reach."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, TypeVar, get_args
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY as PG_ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.dialects.postgresql import aggregate_order_by

from didflow_chassis.decision import Caller
from didflow_chassis.states import Kind
from didflow_chassis.tables import NOW
from didflow_chassis.tenancy import within
from didflow_contracts.vocabulary import NumberType
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.requirements import ANYWHERE
from didflow_verification.store.kinds import DOCUMENTS, FORMER_DETAILS, REGISTRATIONS, RULES, VERIFICATIONS
from didflow_verification.store.tables import (
    catalogue,
    documents,
    former_details,
    personal_reads,
    registrations,
    service_requests,
    verifications,
)

_IDS = PG_ARRAY(PG_UUID(as_uuid=True))

S = TypeVar("S")
Select = sa.Select[Any]

EARLIER: Final = 100
"""How many earlier verifications are shown with a verification. Nothing limits how often details are submitted."""

NUMBER_TYPES: tuple[str, ...] = get_args(NumberType)


def state_of(kind: Kind[S], row: Any) -> S:
    """Return the state in a row that one of these queries selected."""
    return kind.from_row([row[name] for name in kind.columns]).state


def _select(kind: Kind[Any], *conditions: sa.ColumnElement[bool]) -> Select:
    return sa.select(*(kind.table.c[name] for name in kind.columns)).where(*conditions)


def by_keys(kind: Kind[Any], keys: Iterable[Any]) -> Select:
    """Select states by their keys, in any account. MUST NOT be used to show a state to a caller."""
    return _select(kind, kind.table.c[kind.key].in_(list(keys)))


def of_identity(kind: Kind[Any], identity_id: UUID) -> Select:
    """Select the addresses or documents of an identity, in any account."""
    return _select(kind, kind.table.c.identity_id == identity_id)


def within_reach(kind: Kind[Any], caller: Caller, *conditions: sa.ColumnElement[bool]) -> Select:
    """Select states whose account is within the caller's reach. Erased states are left out."""
    if "erased_at" in kind.table.c:
        conditions = (*conditions, kind.table.c.erased_at.is_(None))
    return _select(kind, within(kind.table.c.account, caller), *conditions)


def visible_document(document_id: UUID, caller: Caller) -> Select:
    """Select a document if the caller may see it.

    A caller sees the documents of its subtree. An identity also serves the accounts below its own: a caller sees the
    documents that a verification in its subtree was judged by, and no other document of that identity.
    """
    serves = sa.or_(
        verifications.c.account == documents.c.account,
        sa.func.starts_with(verifications.c.account, documents.c.account + "/"),
    )
    judged = sa.exists().where(
        verifications.c.identity_id == documents.c.identity_id,
        verifications.c.document_ids.has_key(str(document_id)),
        within(verifications.c.account, caller),
        serves,
    )
    return by_keys(DOCUMENTS, [document_id]).where(
        documents.c.erased_at.is_(None), sa.or_(within(documents.c.account, caller), judged)
    )


def registrations_named(names: Iterable[UUID | str], caller: Caller) -> Select:
    """Select the registrations of live DIDs by `did_id` or number, the newest first."""
    names = list(names)
    by_id = registrations.c.did_id.in_([name for name in names if isinstance(name, UUID)])
    by_number = registrations.c.number.in_([name for name in names if isinstance(name, str)])
    live = registrations.c.ended.is_(None)
    order = (registrations.c.started_at.desc(), registrations.c.did_id)
    return within_reach(REGISTRATIONS, caller, sa.or_(by_id, by_number), live).order_by(*order)


def verifications_named(ids: Iterable[UUID], caller: Caller) -> Select:
    """Select the id, the DID and the number of verifications within the caller's reach."""
    v = verifications.c
    return sa.select(v.verification_id, v.did_id, v.number).where(
        v.verification_id.in_(list(ids)), within(v.account, caller)
    )


def earlier_verifications(verification: Verification, caller: Caller) -> Select:
    """Select the `EARLIER` latest verifications of the same DID before this one, within the caller's reach."""
    same_did = verifications.c.did_id == verification.did_id
    before = verifications.c.attempt < verification.attempt
    found = within_reach(VERIFICATIONS, caller, same_did, before)
    return found.order_by(verifications.c.attempt.desc()).limit(EARLIER)


def attempt_before(verification: Verification) -> Select:
    """Select the verification of the same DID before this one, in any account."""
    same_did = verifications.c.did_id == verification.did_id
    return _select(VERIFICATIONS, same_did, verifications.c.attempt == verification.attempt - 1)


def former_revisions(former_ids: Iterable[UUID], caller: Caller) -> Select:
    """Select former revisions of identities and addresses that the caller may see.

    A caller sees those of its subtree. An identity also serves the accounts below its own: a caller sees the revisions
    that a verification in its subtree judged.
    """
    former, v = former_details.c, verifications.c
    judged = sa.exists().where(
        v.identity_id == former.identity_id,
        sa.or_(
            sa.and_(v.identity_revision == former.revision, v.identity_id == former.detail_id),
            sa.and_(v.address_revision == former.revision, v.address_id == former.detail_id),
        ),
        within(v.account, caller),
        sa.func.starts_with(v.account + "/", former.account + "/"),
    )
    return by_keys(FORMER_DETAILS, former_ids).where(sa.or_(within(former.account, caller), judged))


def dids_named(identity_id: UUID, after: UUID, limit: int) -> Select:
    """Select the DIDs with verifications or service requests of an identity, and the ids of those, after a DID."""
    ids = PG_ARRAY(PG_UUID(as_uuid=True))
    about = _about(identity_id, after)
    found = (
        sa.func.coalesce(
            sa.func.array_agg(about.c[name]).filter(about.c[name].is_not(None)), sa.cast([], ids)
        )
        for name in ("verification_id", "request_id")
    )
    verification_ids, request_ids = found
    columns = (
        about.c.did_id,
        sa.func.min(about.c.number).label("number"),
        verification_ids.label("verification_ids"),
        request_ids.label("request_ids"),
    )
    return sa.select(*columns).group_by(about.c.did_id).order_by(about.c.did_id).limit(limit)


def number_of_dids_named(identity_id: UUID) -> Select:
    """Count the DIDs with verifications or service requests of an identity."""
    about = _about(identity_id, UUID(int=0))
    return sa.select(sa.func.count(about.c.did_id.distinct()))


def _about(identity_id: UUID, after: UUID) -> sa.Subquery:
    """Return the verifications and service requests of an identity, of the DIDs after a DID."""
    none = sa.cast(sa.null(), PG_UUID(as_uuid=True))
    parts = (
        (verifications, verifications.c.verification_id, none),
        (service_requests, none, service_requests.c.request_id),
    )
    selected = [
        sa.select(
            table.c.did_id,
            table.c.number,
            verification.label("verification_id"),
            request.label("request_id"),
        ).where(table.c.identity_id == identity_id, table.c.did_id > after)
        for table, verification, request in parts
    ]
    return sa.union_all(*selected).subquery()


def live_dids_by_kind(countries: Iterable[str], keys: Iterable[str]) -> Select:
    """Count the live DIDs of these countries, or under these requirements, by everything that a rule depends on."""
    approved = registrations.c.approved
    requirement = sa.func.coalesce(approved["requirement"].astext, registrations.c.requirement)
    end_user_type = sa.func.coalesce(approved["end_user_type"].astext, registrations.c.end_user_type)
    kind = (
        registrations.c.country,
        registrations.c.number_type,
        end_user_type.label("end_user_type"),
        requirement.label("requirement"),
        registrations.c.state,
    )
    affected = sa.or_(registrations.c.country.in_(list(countries)), requirement.in_(list(keys)))
    counted = sa.select(*kind, sa.func.count().label("dids")).where(registrations.c.ended.is_(None), affected)
    return counted.group_by(*kind).order_by(*kind)


def all_rules() -> Select:
    """Select the whole catalogue, by country."""
    return _select(RULES).order_by(catalogue.c.country)


def record_reads(caller: Caller, kind: str, entity_ids: Iterable[UUID]) -> sa.Insert:
    """Record in one statement that personal data is about to be shown to the caller."""
    shown = sa.func.unnest(
        sa.bindparam("entity_ids", list(entity_ids), sa.ARRAY(PG_UUID(as_uuid=True)))
    ).column_valued("entity")
    reader = (caller.subject, caller.account, caller.role, kind)
    values = sa.select(NOW, *(sa.literal(each) for each in reader), shown)
    columns = ["at", "subject", "account", "role", "kind", "entity_id"]
    return sa.insert(personal_reads).from_select(columns, values)


def reads_of(identity_id: UUID) -> Select:
    """Select who was shown an identity, its addresses or its documents, the latest first."""
    owned = sa.text(
        "entity_id IN (SELECT :key UNION ALL SELECT address_id FROM addresses WHERE identity_id = :key "
        "UNION ALL SELECT document_id FROM documents WHERE identity_id = :key)"
    ).bindparams(sa.bindparam("key", identity_id, PG_UUID(as_uuid=True)))
    latest_first = (personal_reads.c.at.desc(), personal_reads.c.id.desc())
    return sa.select(personal_reads).where(owned).order_by(*latest_first)


def dids_to_recheck(country: str) -> Select:
    """Select the live DIDs of a country, or of all countries, whose plan depends on the rules.

    The state of the others has no plan. Each of them gets one when its state changes.
    """
    planned = registrations.c.state.in_(("approved", "not_required", "awaiting"))
    here = () if country == ANYWHERE else (registrations.c.country == country,)
    return _live(registrations.c.country).where(planned, *here)


def dids_resting_on(verification_id: UUID) -> list[Select]:
    """Select the live DIDs whose approval is a verification, or rests on it, also if it has ended by its date."""
    did_id = sa.select(verifications.c.did_id).where(verifications.c.verification_id == verification_id)
    return [
        _live().where(registrations.c.rests_on == verification_id),
        _live().where(registrations.c.did_id == did_id.scalar_subquery()),
    ]


def dids_using(identity_id: UUID, address_id: UUID | None) -> list[Select]:
    """Select the live DIDs that use an identity, or one of its addresses. A DID can be in several of the results."""
    found = []
    r = registrations.c
    for identity, address in (
        (r.assigned_identity_id, r.assigned_address_id),
        (r.approved_identity_id, r.approved_address_id),
    ):
        of_identity = _live().where(identity == identity_id)
        found.append(of_identity.where(address == address_id) if address_id else of_identity)
    if address_id is not None:
        requested = sa.select(service_requests.c.did_id, service_requests.c.number)
        is_open: sa.ColumnElement[bool] = sa.literal_column("state <> 'not_configured'")
        found.append(requested.where(service_requests.c.address_id == address_id, is_open))
    return found


_FIRST_TWO = (verifications.c.submitted_at, verifications.c.verification_id)

OLDEST = sa.func.min(verifications.c.submitted_at)
"""When the first verification of a group was submitted."""

FIRST: sa.ColumnElement[UUID] = sa.type_coerce(
    sa.func.array_agg(aggregate_order_by(verifications.c.verification_id, *_FIRST_TWO), type_=_IDS)[1],
    PG_UUID(as_uuid=True),
)
"""The first verification of a group."""


def pending_groups(caller: Caller, *conditions: sa.ColumnElement[bool]) -> Select:
    """Select what waits within the caller's reach by its details: the count, the first one, and who has claimed one."""
    v = verifications.c
    claimed_by = sa.func.min(v.claimed_by).filter(v.claimed_until > NOW)
    counted: tuple[sa.ColumnElement[Any], ...] = (
        sa.func.count().label("count"),
        sa.func.count(v.account.distinct()).label("accounts"),
        OLDEST.label("oldest"),
        FIRST.label("first"),
        claimed_by.label("claimed_by"),
    )
    pending = v.status == sa.literal_column("'pending'")
    return (
        sa.select(*counted)
        .select_from(verifications)
        .where(pending, within(v.account, caller), *conditions)
        .group_by(v.details_key)
    )


def pending_covered_by(verification_id: UUID) -> Select:
    """Select the DIDs whose pending verification has the details, the requirement and the area of another one."""
    v, named = verifications.c, verifications.alias("named")
    same = (
        v[name]
        == sa.select(named.c[name]).where(named.c.verification_id == verification_id).scalar_subquery()
        for name in ("identity_id", "requirement", "area", "account")
    )
    address = (
        sa.select(named.c.address_id).where(named.c.verification_id == verification_id).scalar_subquery()
    )
    return sa.select(v.did_id, v.number, v.submitted_at, v.verification_id).where(
        v.status == sa.literal_column("'pending'"), *same, v.address_id.is_not_distinct_from(address)
    )


def next_submitted(found: Select, after: tuple[datetime, UUID] | None, limit: int) -> Select:
    """Select the next verifications of this result, in the order of their submission."""
    place = (verifications.c.submitted_at, verifications.c.verification_id)
    page = found if after is None else found.where(sa.tuple_(*place) > sa.tuple_(*after))
    return page.order_by(*place).limit(limit)


def next_dids(found: Iterable[Select], after: UUID | None, limit: int) -> Select:
    """Select the next DIDs of these results, each once, in the order of their ids."""
    pages = []
    for one in found:
        did_id = one.selected_columns.did_id
        page = one if after is None else one.where(did_id > after)
        pages.append(page.order_by(did_id).limit(limit))
    united = sa.union(*pages).subquery()
    return sa.select(united).order_by(united.c.did_id).limit(limit)


def next_dids_by_country(found: Select, after: tuple[str, UUID] | None, limit: int) -> Select:
    """Select the next DIDs of this result, in the order of their countries and ids."""
    place = (registrations.c.country, registrations.c.did_id)
    page = found if after is None else found.where(sa.tuple_(*place) > sa.tuple_(*after))
    return page.order_by(*place).limit(limit)


def count_of(found: Iterable[Select]) -> Select:
    """Count the DIDs of these results, each once."""
    return sa.select(sa.func.count()).select_from(sa.union(*found).subquery())


def _live(*columns: sa.ColumnElement[Any]) -> Select:
    live = registrations.c.ended.is_(None)
    return sa.select(registrations.c.did_id, registrations.c.number, *columns).where(live)
