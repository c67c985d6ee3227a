"""What an evaluation finds: one finding for each check, passed, failed, or for a person to judge.

Codes are stable and few. Messages come from one table and never repeat what was typed in: they travel in events.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from didflow_contracts.events.registration import Reason

REVIEWER_CHECK = "reviewer_check"

MESSAGES: Mapping[str, str] = {
    "missing_field": "This field is required.",
    "bad_format": "This does not have the expected form.",
    "bad_checksum": "The check character does not fit: please compare with the original.",
    "address_missing": "An address is required.",
    "address_outside_country": "The address must lie in the country of the number.",
    "address_outside_region": "The address must lie in the region of the number.",
    "address_outside_area": "The address must lie in the area of the number's prefix.",
    "proof_missing": "A proof of the address is required.",
    "document_missing": "A document is required.",
    "document_type_not_accepted": "A document of this kind is not accepted here.",
    "document_expired": "The document has passed its end date.",
    "document_too_old": "The document is older than is accepted.",
    "document_unreadable": "The document cannot be opened or read.",
    "mismatch": "The document states something else.",
    "business_only": "Only businesses may use numbers of this kind.",
    "individual_only": "Only individuals may use numbers of this kind.",
    "below_minimum_age": "The person is below the minimum age.",
    "po_box": "A post office box is not accepted as an address.",
    "not_resident": "The end user must have an address in the country of the number.",
    "not_yours": "This does not exist, or cannot be used for this number.",
    REVIEWER_CHECK: "A reviewer looks at this.",
}
"""Every code of an evaluation, with its words for people. Source: spec verification, Evaluation."""

BY_PEOPLE: Mapping[str, str] = {
    "suspected_fraud": "The details are suspected to be false.",
    "other": "",
}
"""What only a reviewer rejects for; `other` comes with a text of its own."""

REJECTION_CODES = frozenset(MESSAGES) - {REVIEWER_CHECK} | frozenset(BY_PEOPLE)
"""The codes that a reviewer may reject with. Source: spec verification, Evaluation."""


class Finding(Struct, frozen=True, kw_only=True):
    """One check and what came of it: `passed` is None where only a person can say.

    `field` names what it looked at (`identity.vat_number`, `address.city`, `documents.proof_of_address`);
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
    """Return a check that failed, with its code's message."""
    return Finding(check=check, passed=False, field=field, code=code, message=MESSAGES[code])


def for_reviewer(check: str, field: str | None = None, text: str | None = None) -> Finding:
    """Return a check that only a person can judge."""
    return Finding(
        check=check, passed=None, field=field, code=REVIEWER_CHECK, message=text or MESSAGES[REVIEWER_CHECK]
    )


def judged(check: str, code: str, field: str | None, *, holds: bool) -> Finding:
    """Return the check as passed where it holds, else failed with `code`."""
    return passed(check, field) if holds else failed(check, code, field)


def is_satisfied(findings: Iterable[Finding]) -> bool:
    """Whether no check failed."""
    return all(finding.passed is not False for finding in findings)


def reasons(findings: Iterable[Finding]) -> tuple[Reason, ...]:
    """Return every failed check as a coded reason."""
    return tuple(
        Reason(code=f.code or "", field=f.field, message=f.message or "")
        for f in findings
        if f.passed is False
    )
