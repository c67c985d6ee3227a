"""The input of an evaluation and its findings: one finding for each check.

Codes are stable and few. The messages come from one table and never repeat personal data, because events carry them.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from msgspec import Struct

from didflow_contracts.events.registration import Reason
from didflow_verification.domain.details.document import DocumentFacts
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.requirements import Requirement

REVIEWER_CHECK = "reviewer_check"

MESSAGES: Final[Mapping[str, str]] = {
    "missing_field": "This field is required.",
    "bad_format": "This value does not have the expected format.",
    "bad_checksum": "The check character is wrong. Compare the value with the original.",
    "address_missing": "An address is required.",
    "address_outside_country": "The address must be in the country of the number.",
    "address_outside_region": "The address must be in the region of the number.",
    "address_outside_area": "The address must be in the area of the number's prefix.",
    "proof_missing": "A proof of the address is required.",
    "document_missing": "A document is required.",
    "document_type_not_accepted": "A document of this type is not accepted here.",
    "document_expired": "The document has expired.",
    "document_too_old": "The document is too old.",
    "document_unreadable": "The document cannot be opened or read.",
    "mismatch": "The document contradicts the details.",
    "business_only": "Only businesses may use numbers of this type.",
    "individual_only": "Only individuals may use numbers of this type.",
    "below_minimum_age": "The person is below the minimum age.",
    "po_box": "A post office box is not accepted as an address.",
    "not_resident": "The end user must have an address in the country of the number.",
    "not_yours": "This does not exist, or it cannot be used for this number.",
    REVIEWER_CHECK: "A reviewer checks this.",
}
"""Every code of an evaluation, with its message. Source: spec verification, Evaluation."""

UNASKED = "The requirement names no document of this type. A reviewer decides whether it counts."
"""The message of `document_type_not_accepted` where nothing else is missing."""

REVIEWER_MESSAGES: Final[Mapping[str, str]] = {
    "suspected_fraud": "The details are suspected to be false.",
    "other": "A reviewer gave a reason in words. The account reads them with the verification or the request.",
}
"""The codes that only a reviewer uses. `other` needs a text of the reviewer."""

LAPSE_MESSAGES: Final[Mapping[str, str]] = {
    "proof_ended": "A document that proved the details has expired.",
    "requirement_changed": "The requirements of the country have changed.",
    "revoked": "The approval was revoked.",
}
"""The codes of the end of an approval. Source: spec verification, Evaluation."""

REJECTION_CODES: Final = frozenset(MESSAGES) - {REVIEWER_CHECK} | frozenset(REVIEWER_MESSAGES)
"""The codes that a reviewer may reject with. Source: spec verification, Evaluation."""


class EvaluationInput(Struct, frozen=True, kw_only=True):
    """Everything that one evaluation uses, as one hashable value. The same input has the same findings.

    `country` (ISO-2) is that of the number. `inside` says whether the address lies in the number's area or region:
    None if nobody can say, or if that does not matter. `day` is today, UTC.
    """

    requirement: Requirement
    identity: Identity
    address: Address | None
    documents: tuple[DocumentFacts, ...]
    country: str
    inside: bool | None
    day: date

    def has(self, path: str) -> bool:
        """Return True if a detail was given: `identity.<field>` or `document.<kind>`."""
        where, _, name = path.partition(".")
        if where == "identity":
            return self.identity.person.get(name) is not None
        return any(document.kind == name for document in self.documents)


class Finding(Struct, frozen=True, kw_only=True):
    """One check and its result. `passed` is None if only a person can decide.

    `field` is the path of the checked detail (`identity.vat_number`, `address.city`, `documents.proof_of_address`).
    `code` and `message` are None for a check that passed.
    """

    check: str
    passed: bool | None
    field: str | None = None
    code: str | None = None
    message: str | None = None


def passed(check: str, field: str | None = None) -> Finding:
    """Return a check that passed."""
    return Finding(check=check, passed=True, field=field)


def failed(check: str, code: str, field: str | None = None) -> Finding:
    """Return a check that failed, with the message of its code."""
    return Finding(check=check, passed=False, field=field, code=code, message=MESSAGES[code])


def for_reviewer(check: str, field: str | None = None, text: str | None = None) -> Finding:
    """Return a check that only a person can decide."""
    return Finding(
        check=check, passed=None, field=field, code=REVIEWER_CHECK, message=text or MESSAGES[REVIEWER_CHECK]
    )


def unasked(check: str, field: str, *, fails: bool) -> Finding:
    """Return the finding about a document that the row does not ask for: failed, or for a reviewer."""
    code = "document_type_not_accepted"
    message = MESSAGES[code] if fails else UNASKED
    return Finding(check=check, passed=False if fails else None, field=field, code=code, message=message)


def passed_if(check: str, code: str, field: str | None, *, holds: bool) -> Finding:
    """Return the check as passed if the condition holds, else as failed with `code`."""
    return passed(check, field) if holds else failed(check, code, field)


def is_satisfied(findings: Iterable[Finding]) -> bool:
    """Return True if no check failed."""
    return all(finding.passed is not False for finding in findings)


def reasons(findings: Iterable[Finding]) -> tuple[Reason, ...]:
    """Return every failed check as a coded reason."""
    return tuple(
        Reason(code=f.code or "", field=f.field, message=f.message or "")
        for f in findings
        if f.passed is False
    )
