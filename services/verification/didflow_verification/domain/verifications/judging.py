"""From details and a number to what a submission gives: the row that applies, the findings, the outcome.

The what-if and the submission both come through `judge`, so what the one promises the other gives.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from didflow_contracts.vocabulary import EndUserType
from didflow_verification.domain.catalogue.rules import (
    CountryRules,
    Requirement,
    forerunner,
    row_for,
    rows_in_force,
)
from didflow_verification.domain.details.identity import Address, Document, Identity
from didflow_verification.domain.evaluation.evaluating import evaluate
from didflow_verification.domain.evaluation.findings import Finding, failed, is_satisfied
from didflow_verification.domain.evaluation.submission import Submission
from didflow_verification.domain.evaluation.validity import valid_until
from didflow_verification.domain.verifications.approvals import Approval

Outcome = Literal["approved", "pending", "rejected"]
Evaluate = Callable[[Submission], tuple[Finding, ...]]
Names = Callable[[], frozenset[str]]
Given = Callable[[Iterable[UUID]], tuple[Document, ...]]


def _nothing(_document_ids: Iterable[UUID]) -> tuple[Document, ...]:
    return ()


class Case(Struct, frozen=True, kw_only=True):
    """What is judged: details as they were found (None: no such thing) for a number of an account.

    `shown_type` is the end-user type of the order; `names` gives the folded names of the number's area and is
    only asked where the area matters. `address_id` and `document_ids` are what was named. `given` finds the
    papers of an earlier review, which count as given where it is rested on.
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
    documents: tuple[Document, ...]
    names: Names
    given: Given = _nothing
    now: datetime


class Judgement(Struct, frozen=True, kw_only=True):
    """What came of it; `rests_on` is the review that an automatic approval relies on, if it needed one.

    `valid_until` is the end of the papers that it was judged with.
    """

    requirement: Requirement
    findings: tuple[Finding, ...]
    outcome: Outcome
    rests_on: UUID | None = None
    valid_until: datetime | None = None


def ownership_findings(case: Case) -> tuple[Finding, ...]:
    """Return what of the details is not this account's to use. Source: spec verification, `not_yours`."""
    identity = case.identity
    if identity is None or not identity.serves(case.account):
        return (failed("identity", "not_yours", "identity_id"),)
    findings = []
    if case.address_id is not None and (
        case.address is None or case.address.identity_id != identity.identity_id
    ):
        findings.append(failed("address", "not_yours", "address_id"))
    own = {
        document.document_id for document in case.documents if document.identity_id == identity.identity_id
    }
    if not own.issuperset(case.document_ids):
        findings.append(failed("documents", "not_yours", "document_ids"))
    return tuple(findings)


def judge(
    case: Case, approvals: tuple[Approval | None, Approval | None], run: Evaluate = evaluate
) -> Judgement:
    """Judge a case; `approvals` are the reviews for the number's prefix and for anywhere.

    `run` may remember what it evaluated. Raises LookupError where the catalogue was not loaded.
    """
    rows = rows_in_force(case.rules, case.anywhere, case.number_type, case.now.astimezone(UTC).date())
    shown = row_for(rows, case.shown_type) or rows[0]
    foreign = ownership_findings(case)
    identity = case.identity
    if foreign or identity is None:
        return Judgement(requirement=_own_row(rows, case) or shown, findings=foreign, outcome="rejected")
    requirement = row_for(rows, identity.type)
    if requirement is None:
        return Judgement(requirement=shown, findings=(_wrong_type(identity),), outcome="rejected")
    near = approvals[:1] if requirement.by_area else approvals
    approval = next((a for a in near if a and _covers(a, case, identity, requirement)), None)
    submission = _submission(case, identity, requirement, approval)
    return _decided(submission, run(submission), approval)


def _own_row(rows: tuple[Requirement, ...], case: Case) -> Requirement | None:
    served = case.identity is not None and case.identity.serves(case.account)
    return row_for(rows, case.identity.type) if served and case.identity else None


def _wrong_type(identity: Identity) -> Finding:
    code = "business_only" if identity.type == "individual" else "individual_only"
    return failed("end_user_type", code, "identity.type")


def _covers(approval: Approval, case: Case, identity: Identity, today: Requirement) -> bool:
    """Whether the case may rest on a review: a paper that nobody has seen yet is no fact of that review."""
    if today.documents and not set(case.document_ids) <= set(approval.document_ids):
        return False
    earlier = forerunner(case.rules, case.anywhere, today, approval.requirement_version)
    return approval.covers(today, earlier, identity, case.address, case.now)


def _submission(
    case: Case, identity: Identity, requirement: Requirement, approval: Approval | None
) -> Submission:
    """Put together what is evaluated; the papers of the review that it may rest on count as given."""
    inherited = set(approval.document_ids) - set(case.document_ids) if approval else set()
    return Submission(
        requirement=requirement,
        identity=identity,
        address=case.address,
        documents=(*case.documents, *(case.given(sorted(inherited)) if inherited else ())),
        country=case.country,
        places=case.names() if requirement.by_area else frozenset(),
        day=case.now.astimezone(UTC).date(),
    )


def _decided(submission: Submission, findings: tuple[Finding, ...], approval: Approval | None) -> Judgement:
    """Source: spec lifecycle, Registration: Details assigned, Auto-approval."""
    requirement = submission.requirement
    rests_on: UUID | None = None
    outcome: Outcome = "pending"
    if not is_satisfied(findings):
        outcome = "rejected"
    elif not requirement.review.manual and all(finding.passed for finding in findings):
        outcome = "approved"
    elif approval is not None:
        outcome, rests_on = "approved", approval.verification_id
    return Judgement(
        requirement=requirement,
        findings=findings,
        outcome=outcome,
        rests_on=rests_on,
        valid_until=valid_until(submission),
    )
