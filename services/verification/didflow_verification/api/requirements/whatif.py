"""The what-if over HTTP: reads what a submission would read, outside any lock, and changes nothing."""

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
from didflow_verification.domain.catalogue.rules import ANYWHERE, CountryRules
from didflow_verification.domain.details.entries import reaches
from didflow_verification.domain.details.identity import Address, Identity, Person
from didflow_verification.domain.evaluation.folding import folded
from didflow_verification.domain.verifications.approvals import Approval, approval_key
from didflow_verification.domain.verifications.judging import Case
from didflow_verification.domain.verifications.submitting import Wish, approval_keys, documents_of
from didflow_verification.domain.verifications.what_if import Expected, for_kind, for_registration

UNSAVED = UUID(int=0)
"""The id of details that were sent along and are not saved."""

States = dict[tuple[type, Hashable], Any]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The details of a what-if as they were found, and when it was asked."""

    body: EvaluateBody
    identity: Identity | None
    address: Address | None
    documents: States
    now: datetime

    def wish(self, account: str) -> Wish:
        """Return the details as a wish for a DID of an account."""
        unsaved = UNSAVED if self.body.address else None
        return Wish(
            holder=account,
            at=self.now,
            identity_id=self.body.identity_id or UNSAVED,
            address_id=self.body.address_id or unsaved,
            document_ids=tuple(self.body.document_ids),
            by=None,
        )

    def identity_for(self, account: str, shown_type: EndUserType | None) -> Identity | None:
        """Return the saved identity, or what was sent along (or nothing at all) as one of this account."""
        if self.body.identity_id is not None:
            return self.identity
        sent = self.body.identity
        return Identity(
            identity_id=UNSAVED,
            account=account,
            type=sent.type if sent else self.body.end_user_type or shown_type or "business",
            person=sent.person() if sent else Person(),
            created_at=self.now,
            created_by="",
        )

    def address_for(self, account: str) -> Address | None:
        """Return the saved address, or the one that was sent along as this identity's."""
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
    """Evaluate for a kind of number, as if the caller's account (or its identity's) held one."""
    asked = await _asked(http, body)
    identity = asked.identity
    within_reach = identity is not None and reaches(http.caller, identity.account)
    account = identity.account if identity and within_reach else http.caller.account
    country = body.country or ANYWHERE
    rules = await _found(http, store.RULES, {country, ANYWHERE})
    wish = asked.wish(account)
    key = approval_key(
        account=account,
        identity_id=wish.identity_id,
        address_id=wish.address_id,
        country=country,
        number_type=body.number_type or "",
        prefix="",
    )
    reviewed = Known(states=await _reviewed(http, {key}) | asked.documents)
    case = Case(
        account=account,
        country=country,
        number_type=body.number_type or "",
        shown_type=body.end_user_type,
        rules=rules[CountryRules, country],
        anywhere=rules[CountryRules, ANYWHERE],
        identity=asked.identity_for(account, body.end_user_type),
        address_id=wish.address_id,
        address=asked.address_for(account),
        document_ids=wish.document_ids,
        documents=documents_of(wish.document_ids, reviewed),
        names=lambda: frozenset({folded(body.area)} if body.area else ()),
        given=partial(documents_of, known=reviewed),
        now=asked.now,
    )
    return for_kind(case, reviewed.get(Approval, key))


async def expected_for_dids(
    http: HttpContext, body: EvaluateBody, registrations: Iterable[Registration]
) -> dict[UUID, Expected]:
    """Evaluate for DIDs; each kind of state is read by one statement, the same details are evaluated once."""
    registrations = tuple(registrations)
    asked = await _asked(http, body)
    keys = {key for r in registrations for key in approval_keys(r, asked.wish(r.account))}
    countries = {ANYWHERE, *(r.country for r in registrations)}
    shared = await _found(http, store.RULES, countries) | await _reviewed(http, keys)
    memo: dict[Hashable, Any] = {}

    def judge_all() -> dict[UUID, Expected]:
        return {r.did_id: _expected(asked, r, shared, memo) for r in registrations}

    return await asyncio.to_thread(judge_all)


def _expected(
    asked: Asked, registration: Registration, shared: States, memo: dict[Hashable, Any]
) -> Expected:
    wish = asked.wish(registration.account)
    own: dict[tuple[type, Hashable], Any] = {
        (Identity, wish.identity_id): asked.identity_for(registration.account, registration.end_user_type),
        (Address, wish.address_id): asked.address_for(registration.account),
        **asked.documents,
    }
    known = Known(states=shared | own, memo=memo)
    return for_registration(registration, wish, asked.now, known)


async def _reviewed(http: HttpContext, keys: Iterable[Hashable]) -> States:
    """Read the reviews that details may rest on, with their papers."""
    approvals = await _found(http, store.APPROVALS, keys)
    papers = {paper for approval in approvals.values() if approval for paper in approval.document_ids}
    return approvals | await _found(http, store.DOCUMENTS, papers)


async def _asked(http: HttpContext, body: EvaluateBody) -> Asked:
    now = (await http.rows(store.NOW))[0]["now"]
    identities = await _found(http, store.IDENTITIES, {body.identity_id} - {None})
    addresses = await _found(http, store.ADDRESSES, {body.address_id} - {None})
    address = addresses.get((Address, body.address_id))
    documents = await _found(http, store.DOCUMENTS, set(body.document_ids))
    return Asked(
        body=body,
        identity=identities.get((Identity, body.identity_id)),
        address=None if address is None or address.erased_at else address,
        documents=documents,
        now=now,
    )


async def _found(
    http: HttpContext, kind: Kind[Any], keys: Iterable[Hashable]
) -> dict[tuple[type, Hashable], Any]:
    """Read states by key; a key without one is there as None."""
    keys = tuple(keys)
    rows = await http.rows(store.by_keys(kind, keys)) if keys else []
    states = [store.state_in(kind, row) for row in rows]
    absent: dict[tuple[type, Hashable], Any] = {(kind.model, key): None for key in keys}
    return absent | {(kind.model, kind.key_of(state)): state for state in states}
