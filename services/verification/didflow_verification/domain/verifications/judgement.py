"""The judgement of details for a number: the row that applies, the findings, and the outcome.

The what-if and the submission both use `judge`, so a submission gets the outcome that the what-if predicted.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_contracts.vocabulary import EndUserType
from didflow_verification.domain.details.document import DocumentFacts
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.evaluation import evaluate
from didflow_verification.domain.evaluation.areas import Locate, inside
from didflow_verification.domain.evaluation.document_checks import valid_until
from didflow_verification.domain.evaluation.findings import EvaluationInput, Finding, failed, is_satisfied
from didflow_verification.domain.requirements import (
    CountryRules,
    Requirement,
    earlier_version,
    row_for,
    rows_in_force,
    shown_row,
    utc_day,
)
from didflow_verification.domain.verifications.approval import Approval

JudgedOutcome = Literal["approved", "pending", "rejected"]
Evaluate = Callable[[EvaluationInput], tuple[Finding, ...]]
FindDocuments = Callable[[Iterable[UUID]], tuple[DocumentFacts, ...]]


def _no_documents(_document_ids: Iterable[UUID]) -> tuple[DocumentFacts, ...]:
    return ()


class Case(Struct, frozen=True, kw_only=True):
    """The details to judge, as they were found (None: they do not exist), for a number of an account.

    `shown_type` is the end-user type of the purchase. `locate` says whether a place lies in the number's area;
    it is called only if the area matters. `address_id` and `document_ids` are the ids that were submitted.
    `find_documents` finds the documents of an earlier review. They count as submitted if the case rests on that review.
    `needs_person`: the details were revoked for this number, so nothing but a person approves them.
    """

    account: str
    country: str
    number_type: str
    shown_type: EndUserType | None
    rules: CountryRules | None
    anywhere: CountryRules | None
    identity: Identity | None
    address_id: UUID | None
    address: Address | None
    document_ids: tuple[UUID, ...]
    documents: tuple[DocumentFacts, ...]
    locate: Locate
    find_documents: FindDocuments = _no_documents
    needs_person: bool = False
    now: datetime


class Judgement(Struct, frozen=True, kw_only=True):
    """The result. `rests_on` is the review that an automatic approval relies on, if it needed one.

    `documents` are those that were evaluated, and `valid_until` is their end.
    """

    requirement: Requirement
    findings: tuple[Finding, ...]
    documents: tuple[DocumentFacts, ...] = ()
    outcome: JudgedOutcome
    rests_on: UUID | None = None
    valid_until: datetime | None = None


def ownership_findings(case: Case) -> tuple[Finding, ...]:
    """Return the details that the account must not use. Source: spec verification, Evaluation: `not_yours`."""
    identity = case.identity
    if identity is None or not identity.serves(case.account):
        return (failed("identity", "not_yours", "identity_id"),)
    findings = []
    if case.address_id is not None and (
        case.address is None or case.address.identity_id != identity.identity_id
    ):
        findings.append(failed("address", "not_yours", "address_id"))
    owned = {
        document.document_id for document in case.documents if document.identity_id == identity.identity_id
    }
    if not owned.issuperset(case.document_ids):
        findings.append(failed("documents", "not_yours", "document_ids"))
    return tuple(findings)


def judge(
    case: Case, approvals: tuple[Approval | None, Approval | None], run: Evaluate = evaluate
) -> Judgement:
    """Judge a case. `approvals` are the reviews for the number's area and for any area.

    `run` evaluates, and may cache results. Raises LookupError if the catalogue was not loaded.
    """
    rows = rows_in_force(case.rules, case.anywhere, case.number_type, utc_day(case.now))
    shown = shown_row(rows, case.shown_type)
    foreign = ownership_findings(case)
    identity = case.identity
    if foreign or identity is None:
        return Judgement(
            requirement=_row_of_identity(rows, case) or shown, findings=foreign, outcome="rejected"
        )
    requirement = row_for(rows, identity.type)
    if requirement is None:
        return Judgement(requirement=shown, findings=(_wrong_type(identity),), outcome="rejected")
    usable = approvals[:1] if requirement.by_area else approvals
    if any(approval is not None and approval.revoked for approval in usable):
        case = replace(case, needs_person=True)
    return _judged_by(requirement, case, identity, usable, run)


def judge_again(
    case: Case, requirement: Requirement, approval: Approval, run: Evaluate = evaluate
) -> Judgement:
    """Judge a case that waits for a reviewer under the row of its submission, with an approval of now."""
    foreign = ownership_findings(case)
    if foreign or case.identity is None:
        return Judgement(requirement=requirement, findings=foreign, outcome="rejected")
    return _judged_by(requirement, case, case.identity, (approval,), run)


def _judged_by(
    requirement: Requirement,
    case: Case,
    identity: Identity,
    approvals: Iterable[Approval | None],
    run: Evaluate,
) -> Judgement:
    approval = next((a for a in approvals if a and _covers(a, case, identity, requirement)), None)
    given = _input(case, identity, requirement, approval)
    judgement = _outcome(given, run(given), approval)
    if case.needs_person and judgement.outcome == "approved":
        return replace(judgement, outcome="pending", rests_on=None)
    return judgement


def _row_of_identity(rows: tuple[Requirement, ...], case: Case) -> Requirement | None:
    serves = case.identity is not None and case.identity.serves(case.account)
    return row_for(rows, case.identity.type) if serves and case.identity else None


def _wrong_type(identity: Identity) -> Finding:
    code = "business_only" if identity.type == "individual" else "individual_only"
    return failed("end_user_type", code, "identity.type")


def _covers(approval: Approval, case: Case, identity: Identity, today: Requirement) -> bool:
    """Return True if the case may rest on a review. A document that nobody has reviewed needs its own review."""
    if today.documents and not set(case.document_ids) <= set(approval.document_ids):
        return False
    earlier = earlier_version(case.rules, case.anywhere, today, approval.requirement_version)
    return approval.covers(today, earlier, identity, case.address, case.now)


def _inside(case: Case, requirement: Requirement) -> bool | None:
    if case.address is None or not requirement.by_area:
        return None
    return inside(requirement.address.match, case.address.place, case.locate)


def _input(
    case: Case, identity: Identity, requirement: Requirement, approval: Approval | None
) -> EvaluationInput:
    """Return the input of the evaluation. The documents of the review that it may rest on count as submitted."""
    inherited = set(approval.document_ids) - set(case.document_ids) if approval else set()
    return EvaluationInput(
        requirement=requirement,
        identity=identity,
        address=case.address,
        documents=(*case.documents, *(case.find_documents(sorted(inherited)) if inherited else ())),
        country=case.country,
        inside=_inside(case, requirement),
        day=utc_day(case.now),
    )


def _outcome(given: EvaluationInput, findings: tuple[Finding, ...], approval: Approval | None) -> Judgement:
    """Source: spec lifecycle, Registration: Details assigned, Auto-approval."""
    requirement = given.requirement
    rests_on: UUID | None = None
    outcome: JudgedOutcome = "pending"
    if not is_satisfied(findings):
        outcome = "rejected"
    elif not requirement.review.manual and all(finding.passed for finding in findings):
        outcome = "approved"
    elif approval is not None:
        outcome, rests_on = "approved", approval.verification_id
    return Judgement(
        requirement=requirement,
        findings=findings,
        documents=given.documents,
        outcome=outcome,
        rests_on=rests_on,
        valid_until=valid_until(given),
    )
