"""Reads what the what-if needs: the same states as a submission, without locks. Nothing is changed."""

import asyncio
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from didflow_chassis.decision import Known
from didflow_chassis.http import HttpContext
from didflow_chassis.states import Kind
from didflow_contracts.vocabulary import EndUserType
from didflow_verification import store
from didflow_verification.api.requirements.bodies import EvaluateBody
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.details.document import facts_of
from didflow_verification.domain.details.identity import Address, Identity, Person
from didflow_verification.domain.evaluation.areas import area_named, lies_in_named_area
from didflow_verification.domain.registration.revoked_details import review_of_last_approval
from didflow_verification.domain.requirements import ANYWHERE, CountryRules
from didflow_verification.domain.verifications.approval import Approval, approval_key
from didflow_verification.domain.verifications.judgement import Case
from didflow_verification.domain.verifications.submission import Submission, approval_keys
from didflow_verification.domain.verifications.what_if import Expected, for_kind, for_registration

UNSAVED = UUID(int=0)
"""The id of details that are in the request and not saved."""

States = dict[tuple[type, Hashable], Any]


@dataclass(frozen=True, kw_only=True)
class GivenDetails:
    """The details of a request as they were found, and the time of the request."""

    body: EvaluateBody
    identity: Identity | None
    address: Address | None
    documents: States
    now: datetime

    def submission(self, account: str) -> Submission:
        """Return the details as a submission for a DID of an account."""
        unsaved = UNSAVED if self.body.address else None
        return Submission(
            holder=account,
            at=self.now,
            identity_id=self.body.identity_id or UNSAVED,
            address_id=self.body.address_id or unsaved,
            document_ids=tuple(self.body.document_ids),
            actor=None,
        )

    def identity_for(self, account: str, shown_type: EndUserType | None) -> Identity | None:
        """Return the saved identity, or the identity of the request (or an empty one) in this account."""
        if self.body.identity_id is not None:
            return self.identity
        given = self.body.identity
        return Identity(
            identity_id=UNSAVED,
            account=account,
            type=given.type if given else self.body.end_user_type or shown_type or "business",
            person=given.person() if given else Person(),
            created_at=self.now,
            created_by="",
        )

    def address_for(self, account: str) -> Address | None:
        """Return the saved address, or the address of the request as one of this identity."""
        if self.body.address is None:
            return self.address
        return Address(
            address_id=UNSAVED,
            identity_id=self.body.identity_id or UNSAVED,
            account=account,
            place=self.body.address.place(),
            created_at=self.now,
            created_by="",
        )


async def expected_for_kind(http: HttpContext, body: EvaluateBody) -> Expected:
    """Evaluate for a kind of number, as if the account of the identity, or the caller's, held such a number."""
    given = await _given_details(http, body)
    identity = given.identity
    own = identity if identity is not None and http.caller.reaches(identity.account) else None
    account = own.account if own else http.caller.account
    country = body.country or ANYWHERE
    rules = await _found(http, store.RULES, {country, ANYWHERE})
    submission = given.submission(account)
    key = partial(
        approval_key,
        account=account,
        identity_id=submission.identity_id,
        address_id=submission.address_id,
        country=country,
        number_type=body.number_type or "",
    )
    area = await asyncio.to_thread(area_named, body.area or "", country, rules[CountryRules, country])
    keys = key(area=area or ""), key(area="")
    known = Known(states=await _reviews(http, set(keys)) | given.documents)
    case = Case(
        account=account,
        country=country,
        number_type=body.number_type or "",
        shown_type=body.end_user_type,
        rules=rules[CountryRules, country],
        anywhere=rules[CountryRules, ANYWHERE],
        identity=given.identity_for(account, body.end_user_type),
        address_id=submission.address_id,
        address=given.address_for(account),
        document_ids=submission.document_ids,
        documents=facts_of(submission.document_ids, known),
        locate=partial(
            lies_in_named_area, area=body.area or "", country=country, rules=rules[CountryRules, country]
        ),
        find_documents=partial(facts_of, known=known),
        now=given.now,
    )
    for_area, for_any_area = (known.get(Approval, each) for each in keys)
    return await asyncio.to_thread(for_kind, case, (for_area if area else None, for_any_area))


async def expected_for_dids(
    http: HttpContext, body: EvaluateBody, registrations: Iterable[Registration]
) -> dict[UUID, Expected]:
    """Evaluate for DIDs. Each kind of state is read by one statement, and equal details are evaluated once."""
    registrations = tuple(registrations)
    given = await _given_details(http, body)
    keys = {key for r in registrations for key in approval_keys(r, given.submission(r.account))}
    countries = {ANYWHERE, *(r.country for r in registrations)}
    reviews = {review_of_last_approval(r) for r in registrations} - {None}
    shared = (
        await _found(http, store.RULES, countries)
        | await _reviews(http, keys)
        | await _found(http, store.VERIFICATIONS, reviews)
    )
    memo: dict[Hashable, Any] = {}

    def judge_all() -> dict[UUID, Expected]:
        return {r.did_id: _expected(given, r, shared, memo) for r in registrations}

    return await asyncio.to_thread(judge_all)


def _expected(
    given: GivenDetails, registration: Registration, shared: States, memo: dict[Hashable, Any]
) -> Expected:
    submission = given.submission(registration.account)
    identity = given.identity_for(registration.account, registration.end_user_type)
    own: States = {
        (Identity, submission.identity_id): identity,
        (Address, submission.address_id): given.address_for(registration.account),
        **given.documents,
    }
    known = Known(states=shared | own, computed=memo)
    return for_registration(registration, submission, given.now, known)


async def _reviews(http: HttpContext, keys: Iterable[Hashable]) -> States:
    """Read the reviews that details may rest on, with their documents."""
    approvals = await _found(http, store.APPROVALS, keys)
    documents = {key for approval in approvals.values() if approval for key in approval.document_ids}
    return approvals | await _found(http, store.DOCUMENTS, documents)


async def _given_details(http: HttpContext, body: EvaluateBody) -> GivenDetails:
    now = await http.now()
    identities = await _found(http, store.IDENTITIES, {body.identity_id} - {None})
    addresses = await _found(http, store.ADDRESSES, {body.address_id} - {None})
    address = addresses.get((Address, body.address_id))
    documents = await _found(http, store.DOCUMENTS, set(body.document_ids))
    return GivenDetails(
        body=body,
        identity=identities.get((Identity, body.identity_id)),
        address=None if address is None or address.erased_at else address,
        documents=documents,
        now=now,
    )


async def _found(http: HttpContext, kind: Kind[Any], keys: Iterable[Hashable]) -> States:
    """Read states by key. A key without a state maps to None."""
    keys = tuple(keys)
    rows = await http.rows_of_any_account(store.by_keys(kind, keys)) if keys else []
    states = [store.state_of(kind, row) for row in rows]
    absent: States = {(kind.model, key): None for key in keys}
    return absent | {(kind.model, kind.key_of(state)): state for state in states}
