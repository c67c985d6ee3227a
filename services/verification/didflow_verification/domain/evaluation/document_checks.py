"""The checks of documents: the groups, the cross-checks, and how long the documents stay valid."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from didflow_contracts.instants import start_of
from didflow_verification.domain.details.document import DocumentFacts
from didflow_verification.domain.details.identity import Place
from didflow_verification.domain.evaluation.findings import (
    EvaluationInput,
    Finding,
    failed,
    passed,
    passed_if,
)
from didflow_verification.domain.evaluation.normalization import compact, normalized, words
from didflow_verification.domain.requirements import CrossCheck, DocumentGroup

_IDENTIFIERS = frozenset(
    {"company_registration_number", "vat_number", "tax_id", "national_id", "passport_number", "birth_date"}
)


def document_findings(given: EvaluationInput) -> Iterator[Finding]:
    """Check every group, then every cross-check whose two sides are known."""
    chosen: dict[str, DocumentFacts] = {}
    for group in given.requirement.documents:
        document, finding = _group(group, given)
        if document is not None:
            chosen[group.group] = document
        yield finding
    for cross in given.requirement.cross_checks:
        result = _cross_check(cross, chosen, given)
        if result is not None:
            yield result


def _group(group: DocumentGroup, given: EvaluationInput) -> tuple[DocumentFacts | None, Finding]:
    name = f"documents.{group.group}"
    fitting = [document for document in given.documents if document.kind in group.accepts]
    if not fitting:
        return None, failed(name, _missing(group, given), name)
    faults = [(fault(document, group, given.day), document) for document in fitting]
    good = next((document for code, document in faults if code is None), None)
    if good is not None:
        return good, passed(name, name)
    return None, failed(name, faults[0][0] or "document_unreadable", name)


def _missing(group: DocumentGroup, given: EvaluationInput) -> str:
    """Return the code of an empty group. A document that no group accepts was meant for one of the groups."""
    known = {kind for each in given.requirement.documents for kind in each.accepts}
    if any(document.kind not in known for document in given.documents):
        return "document_type_not_accepted"
    return "proof_missing" if group.group == "proof_of_address" else "document_missing"


def fault(document: DocumentFacts, group: DocumentGroup, day: date) -> str | None:
    """Return the code of the fault of a document of an accepted kind, or None.

    A document counts through its end date, and through the day on which it is `max_age_days` old.
    """
    if not document.readable:
        return "document_unreadable"
    if document.expires_on is not None and document.expires_on < day:
        return "document_expired"
    if group.max_age_days is None:
        return None
    if document.issued_on is None:
        return "missing_field"
    return "document_too_old" if (day - document.issued_on).days > group.max_age_days else None


def _cross_check(
    cross: CrossCheck, chosen: dict[str, DocumentFacts], given: EvaluationInput
) -> Finding | None:
    _, group, attribute = cross.left.split(".", 2)
    document = chosen.get(group)
    stated = document.attribute(attribute) if document else None
    agrees = _agrees(stated, cross.equals, given) if stated else None
    if agrees is None:
        return None
    return passed_if(f"{cross.left} = {cross.equals}", "mismatch", cross.left, holds=agrees)


def _agrees(stated: str, path: str, given: EvaluationInput) -> bool | None:
    """Compare data of a document with the other side. Return None if the other side is missing."""
    if path == "address":
        return _names(stated, given.address.place) if given.address else None
    name = path.removeprefix("identity.")
    value = given.identity.person.get(name)
    if value is None:
        return None
    if name in _IDENTIFIERS:
        return _without_country(stated, given) == _without_country(value, given)
    return normalized(stated) == normalized(value)


def _without_country(identifier: str, given: EvaluationInput) -> str:
    return compact(identifier).removeprefix(given.country)


def _names(stated: str, place: Place) -> bool:
    """Return True if a written address contains all words of the place's street, postal code and city."""
    return words(f"{place.street} {place.postal_code} {place.city}") <= words(stated)


def valid_until(given: EvaluationInput) -> datetime | None:
    """Return the instant from which some group has no valid document, or None if it is not known.

    A document counts through its end date. If several documents fit a group, the one that lasts longest counts.
    """
    ends = [_group_end(group, given) for group in given.requirement.documents]
    known = [end for end in ends if end is not None]
    return start_of(min(known) + timedelta(days=1)) if known else None


def _group_end(group: DocumentGroup, given: EvaluationInput) -> date | None:
    good = [
        document
        for document in given.documents
        if document.kind in group.accepts and fault(document, group, given.day) is None
    ]
    ends = [document.last_day for document in good]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None
