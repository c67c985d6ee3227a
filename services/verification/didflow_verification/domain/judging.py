"""From details and a number to what a submission gives: the row that applies, the findings, the outcome.

The what-if and the submission both come through `judge`, so what the one promises the other gives.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from didflow_contracts.vocabulary import EndUserType
from didflow_verification.domain.approvals import Approval
from didflow_verification.domain.catalogue import CountryRules, Requirement, row_for, rows_in_force
from didflow_verification.domain.evaluation import evaluate
from didflow_verification.domain.findings import Finding, failed, is_satisfied
from didflow_verification.domain.identity import Address, Document, Identity
from didflow_verification.domain.submission import Submission

Outcome = Literal["approved", "pending", "rejected"]
Evaluate = Callable[[Submission], tuple[Finding, ...]]
Names = Callable[[], frozenset[str]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is judged: details as they were found (None: no such thing) for a number of an account.

    `shown_type` is the end-user type of the order; `names` gives the folded names of the number's area and is
    only asked where the area matters. `address_id` and `document_ids` are what was named.
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
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What came of it; `rests_on` is the review that an automatic approval relies on, if it needed one."""

    requirement: Requirement
    findings: tuple[Finding, ...]
    outcome: Outcome
    rests_on: UUID | None = None


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
    findings = run(_submission(case, identity, requirement))
    return _decided(case, identity, requirement, findings, approvals[0 if requirement.by_area else 1])


def _own_row(rows: tuple[Requirement, ...], case: Case) -> Requirement | None:
    served = case.identity is not None and case.identity.serves(case.account)
    return row_for(rows, case.identity.type) if served and case.identity else None


def _wrong_type(identity: Identity) -> Finding:
    code = "business_only" if identity.type == "individual" else "individual_only"
    return failed("end_user_type", code, "identity.type")


def _submission(case: Case, identity: Identity, requirement: Requirement) -> Submission:
    return Submission(
        requirement=requirement,
        identity=identity,
        address=case.address,
        documents=case.documents,
        country=case.country,
        places=case.names() if requirement.by_area else frozenset(),
        day=case.now.astimezone(UTC).date(),
    )


def _decided(
    case: Case,
    identity: Identity,
    requirement: Requirement,
    findings: tuple[Finding, ...],
    approval: Approval | None,
) -> Judgement:
    """Source: spec lifecycle, Registration: Details assigned, Auto-approval."""
    rests_on: UUID | None = None
    outcome: Outcome = "pending"
    if not is_satisfied(findings):
        outcome = "rejected"
    elif not requirement.review.manual and all(finding.passed for finding in findings):
        outcome = "approved"
    elif approval and approval.covers(requirement, identity, case.address, case.now):
        outcome, rests_on = "approved", approval.verification_id
    return Judgement(requirement=requirement, findings=findings, outcome=outcome, rests_on=rests_on)
