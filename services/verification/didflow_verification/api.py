"""Verification over HTTP: identities, addresses, requirements with their what-if, and verifications.

Routes only translate; what may be done is decided in `domain/`, what may be seen in `store`.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from didflow_chassis.http import Http, HttpContext, Page, parse_name
from didflow_chassis.http.batch import check_size
from didflow_chassis.states import Kind
from didflow_contracts.ids import uuid7
from didflow_verification import details_api, requests_api, store
from didflow_verification.asking import MANAGERS, READERS, entries, noted, one, plain
from didflow_verification.bodies import (
    AddressBody,
    EntriesQuery,
    EvaluateBody,
    IdentityBody,
    RejectBody,
    RequirementsQuery,
    ResubmitBody,
    RevokeBody,
    VerificationsQuery,
)
from didflow_verification.documents import routes as documents
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.catalogue.rules import ANYWHERE, CountryRules, row_for, rows_in_force
from didflow_verification.domain.details.document import StoredDocument
from didflow_verification.domain.details.identity import Identity
from didflow_verification.domain.verifications.commands import Approve, Claim, Reject, Release, Revoke
from didflow_verification.shown import (
    AddressEntered,
    AddressShown,
    EvaluatedAll,
    EvaluatedDid,
    IdentityEntered,
    IdentityShown,
    RequirementShown,
    VerificationWhole,
    address_entered,
    address_shown,
    evaluated,
    evaluated_all,
    identity_entered,
    identity_shown,
    requirement_shown,
    verification_shown,
    verification_whole,
)
from didflow_verification.whatif import expected_for_dids, expected_for_kind

router = APIRouter(prefix="/v1")


def routers() -> Iterable[APIRouter]:
    """Give verification's routes."""
    return (router, details_api.router, documents.router, requests_api.router)


@router.post("/identities", tags=["identities"], status_code=201, response_model=IdentityEntered)
async def create_identity(http: Http, body: IdentityBody) -> Response:
    """Enter an end user: a business or a person. The answer has its id, not what was stated."""
    http.require(*MANAGERS)
    command = body.command(uuid7(), http.caller)
    return await http.run(command, status=201, render=plain(identity_entered))


@router.get("/identities", tags=["identities"])
async def list_identities(http: Http, query: Annotated[EntriesQuery, Query()]) -> Page:
    """The identities of the caller's subtree."""
    return await entries(http, store.IDENTITIES, query, identity_shown)


@router.get("/identities/{identity_id}", tags=["identities"])
async def show_identity(http: Http, identity_id: UUID) -> IdentityShown:
    """One identity."""
    return identity_shown(await one(http, store.IDENTITIES, identity_id))


@router.post("/addresses", tags=["addresses"], status_code=201, response_model=AddressEntered)
async def create_address(http: Http, body: AddressBody) -> Response:
    """Enter an address of an identity. The answer has its id, not what was stated."""
    http.require(*MANAGERS)
    command = body.command(uuid7(), http.caller)
    return await http.run(command, status=201, render=plain(address_entered))


@router.get("/addresses", tags=["addresses"])
async def list_addresses(http: Http, query: Annotated[EntriesQuery, Query()]) -> Page:
    """The addresses of the caller's subtree."""
    return await entries(http, store.ADDRESSES, query, address_shown)


@router.get("/addresses/{address_id}", tags=["addresses"])
async def show_address(http: Http, address_id: UUID) -> AddressShown:
    """One address."""
    return address_shown(await one(http, store.ADDRESSES, address_id))


@router.get("/requirements", tags=["requirements"])
async def list_requirements(
    http: Http, query: Annotated[RequirementsQuery, Query()]
) -> list[RequirementShown]:
    """What countries ask for on a day; with a country and a number type, the rows that decide about it."""
    day = query.on or (await http.rows(store.NOW))[0]["now"].date()
    found = [store.state_in(store.RULES, row) for row in await http.rows(store.all_rules())]
    rules: dict[str, CountryRules] = {each.country: each for each in found}
    if query.country and query.number_type:
        rows = rows_in_force(rules.get(query.country), rules.get(ANYWHERE), query.number_type, day)
        listed = [(query.country, row) for row in rows]
    else:
        wanted = [rules[query.country]] if query.country in rules else [] if query.country else found
        types = (query.number_type,) if query.number_type else store.NUMBER_TYPES
        listed = [
            (each.country, row)
            for each in wanted
            for row in dict.fromkeys(r for kind in types for r in each.in_force(kind, day))
        ]
    return [
        requirement_shown(country, row)
        for country, row in listed
        if query.end_user_type is None or row_for((row,), query.end_user_type)
    ]


@router.post("/requirements/evaluate", tags=["requirements"])
async def evaluate(http: Http, body: EvaluateBody) -> EvaluatedAll:
    """Say what a submission of these details would give now, every check listed. Changes nothing."""
    http.require(*READERS)
    if body.dids is None:
        return evaluated_all(evaluated(await expected_for_kind(http, body)), [])
    check_size(body.dids)
    found = await _registrations(http, body.dids)
    expected = await expected_for_dids(http, body, {r.did_id: r for r in found.values()}.values())
    entries = [
        EvaluatedDid(did=name, evaluation=evaluated(expected[found[name].did_id]))
        if name in found
        else EvaluatedDid(did=name, code="not_found")
        for name in body.dids
    ]
    return evaluated_all(None, entries)


@router.get("/verifications", tags=["verifications"])
async def list_verifications(http: Http, query: Annotated[VerificationsQuery, Query()]) -> Page:
    """The queue of the caller's subtree, oldest first; or the attempts that were asked for."""
    http.require(*READERS)
    statement = store.owned(store.VERIFICATIONS, http.caller, *query.conditions())
    render = plain(verification_shown)
    return await http.page(
        statement,
        sort={"submitted_at": store.verifications.c.submitted_at},
        render=lambda row: render(store.state_in(store.VERIFICATIONS, row)),
    )


@router.get("/verifications/{verification_id}", tags=["verifications"])
async def show_verification(http: Http, verification_id: UUID) -> VerificationWhole:
    """One attempt with its details, its evaluation and the attempts before it."""
    attempt = await one(http, store.VERIFICATIONS, verification_id)
    identity = await _any(http, store.IDENTITIES, attempt.identity_id)
    address = await _any(http, store.ADDRESSES, attempt.address_id)
    await noted(http, "identity", *([identity.identity_id] if identity else []))
    await noted(http, "address", *([address.address_id] if address else []))
    papers = await _papers(http, attempt, identity)
    await noted(http, "document", *(paper.document_id for paper in papers))
    earlier = await http.rows(store.earlier_attempts(attempt, http.caller))
    attempts = [store.state_in(store.VERIFICATIONS, row) for row in earlier]
    return verification_whole(attempt, identity, address, papers, attempts)


@router.post("/verifications/{verification_id}/approve", tags=["verifications"])
async def approve(http: Http, verification_id: UUID) -> Response:
    """Approve an attempt; its details are in force from now on."""
    attempt = await _to_review(http, verification_id)
    command = Approve(
        entity_id=attempt.did_id,
        subject=attempt.number,
        caller=http.caller,
        verification_id=verification_id,
    )
    return await http.run(command, render=plain(verification_shown))


@router.post("/verifications/{verification_id}/reject", tags=["verifications"])
async def reject(http: Http, verification_id: UUID, body: RejectBody) -> Response:
    """Reject an attempt, for at least one coded reason."""
    attempt = await _to_review(http, verification_id)
    command = Reject(
        entity_id=attempt.did_id,
        subject=attempt.number,
        caller=http.caller,
        verification_id=verification_id,
        reasons=tuple(reason.reason() for reason in body.reasons),
    )
    return await http.run(command, render=plain(verification_shown))


@router.post("/verifications/{verification_id}/resubmit", tags=["verifications"], status_code=201)
async def resubmit(http: Http, verification_id: UUID, body: ResubmitBody) -> Response:
    """Submit again after a rejection; what the body leaves out stays as it was."""
    http.require(*MANAGERS)
    attempt = await one(http, store.VERIFICATIONS, verification_id)
    command = body.command(attempt, http.caller)
    return await http.run(command, status=201, render=plain(verification_shown))


@router.post("/verifications/{verification_id}/revoke", tags=["verifications"])
async def revoke(http: Http, verification_id: UUID, body: RevokeBody) -> Response:
    """Take an approval back: it was had by fraud. What rests on it ends too, within moments."""
    attempt = await _to_review(http, verification_id)
    command = Revoke(
        entity_id=attempt.did_id,
        subject=attempt.number,
        caller=http.caller,
        verification_id=verification_id,
        reasons=body.told(),
    )
    return await http.run(command, render=plain(verification_shown))


@router.post("/verifications/{verification_id}/claim", tags=["verifications"])
async def claim(http: Http, verification_id: UUID) -> Response:
    """Keep an attempt for 15 minutes, so that no two reviewers look at it."""
    attempt = await _to_review(http, verification_id)
    command = Claim(entity_id=verification_id, subject=attempt.number, caller=http.caller)
    return await http.run(command, render=plain(verification_shown))


@router.post("/verifications/{verification_id}/release", tags=["verifications"])
async def release(http: Http, verification_id: UUID) -> Response:
    """Give a claimed attempt back to the queue."""
    attempt = await _to_review(http, verification_id)
    command = Release(entity_id=verification_id, subject=attempt.number, caller=http.caller)
    return await http.run(command, render=plain(verification_shown))


async def _any(http: HttpContext, kind: Kind[Any], key: UUID | None) -> Any:
    """Return a state that something of the caller's rests on, or None."""
    rows = await http.rows(store.by_keys(kind, [key])) if key else []
    return store.state_in(kind, rows[0]) if rows else None


async def _papers(
    http: HttpContext, attempt: Verification, identity: Identity | None
) -> list[StoredDocument]:
    """Return what an attempt was judged on of its own identity's papers, where that serves its account."""
    if identity is None or not identity.serves(attempt.account) or not attempt.document_ids:
        return []
    rows = await http.rows(store.by_keys(store.DOCUMENTS, attempt.document_ids))
    found = [store.state_in(store.DOCUMENTS, row) for row in rows]
    return [paper for paper in found if paper.identity_id == identity.identity_id and not paper.erased_at]


async def _to_review(http: HttpContext, verification_id: UUID) -> Verification:
    http.require("reviewer")
    attempt: Verification = await one(http, store.VERIFICATIONS, verification_id)
    return attempt


async def _registrations(http: HttpContext, names: list[str]) -> Mapping[str, Registration]:
    """Find the living DID that each name stands for, in one statement; names of nothing are left out."""
    named = {name: parse_name(name) for name in names}
    rows = await http.rows(store.registrations_named(set(named.values()), http.caller))
    found: dict[UUID | str, Registration] = {}
    for registration in (store.state_in(store.REGISTRATIONS, row) for row in rows):
        found.setdefault(registration.did_id, registration)
        found.setdefault(registration.number, registration)
    return {name: found[key] for name, key in named.items() if key in found}
