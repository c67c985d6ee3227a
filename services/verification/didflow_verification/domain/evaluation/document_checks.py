"""The checks of documents: the groups, the cross-checks, and how long the documents stay valid."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from didflow_contracts.instants import start_of
from didflow_verification.domain.details.document import DocumentFacts
from didflow_verification.domain.details.identity import Place
from didflow_verification.domain.document_types import asked_types
from didflow_verification.domain.evaluation.findings import (
    EvaluationInput,
    Finding,
    failed,
    for_reviewer,
    passed,
    passed_if,
    unasked,
)
from didflow_verification.domain.evaluation.normalization import compact, normalized, words
from didflow_verification.domain.requirements import CrossCheck, DocumentGroup

_IDENTIFIERS = frozenset(
    {"company_registration_number", "vat_number", "tax_id", "national_id", "passport_number", "birth_date"}
)


def document_findings(given: EvaluationInput) -> Iterator[Finding]:
    """Check every group, list the documents that nobody asked for, then check every cross-check."""
    chosen: dict[str, DocumentFacts] = {}
    for group in given.requirement.documents:
        document, finding = _group(group, given)
        if document is not None:
            chosen[group.group] = document
        yield finding
    yield from _unasked(given, complete=len(chosen) == len(given.requirement.documents))
    for cross in given.requirement.cross_checks:
        yield _cross_check(cross, chosen, given)


def _group(group: DocumentGroup, given: EvaluationInput) -> tuple[DocumentFacts | None, Finding]:
    name = f"documents.{group.group}"
    fitting = [document for document in given.documents if document.kind in group.accepts]
    if not fitting:
        missing = "proof_missing" if group.group == "proof_of_address" else "document_missing"
        return None, failed(name, missing, name)
    faults = [(fault(document, group, given.day), document) for document in fitting]
    good = next((document for code, document in faults if code is None), None)
    if good is not None:
        return good, passed(name, name)
    return None, failed(name, faults[0][0] or "document_unreadable", name)


def _unasked(given: EvaluationInput, *, complete: bool) -> Iterator[Finding]:
    """List each kind of document that the row does not ask for.

    It fails while a group has no good document: it was probably meant for one. If all groups are `complete`, a reviewer
    decides whether it counts, because some restrictions ask for papers in words only.
    """
    asked = asked_types(given.requirement)
    for kind in dict.fromkeys(document.kind for document in given.documents if document.kind not in asked):
        yield unasked(f"document.{kind}", "document_ids", fails=not complete)


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


def _cross_check(cross: CrossCheck, chosen: dict[str, DocumentFacts], given: EvaluationInput) -> Finding:
    """Compare the two sides. If one is absent, a reviewer compares them. Source: spec verification, Catalogue."""
    name = f"{cross.left} = {cross.equals}"
    _, group, attribute = cross.left.split(".", 2)
    document = chosen.get(group)
    stated = document.attribute(attribute) if document else None
    agrees = _agrees(stated, cross.equals, given) if stated else None
    if agrees is None:
        return for_reviewer(name, cross.left)
    return passed_if(name, "mismatch", cross.left, holds=agrees)


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
