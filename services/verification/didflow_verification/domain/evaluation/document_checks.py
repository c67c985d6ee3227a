"""The checks of documents: each group met by one good document, and what it states against the identity."""

from collections.abc import Iterator
from datetime import date

from didflow_verification.domain.catalogue.rules import CrossCheck, DocumentGroup
from didflow_verification.domain.details.identity import Document, Place
from didflow_verification.domain.evaluation.findings import Finding, failed, judged, passed
from didflow_verification.domain.evaluation.folding import compact, folded, words
from didflow_verification.domain.evaluation.submission import Submission

_IDENTIFIERS = frozenset(
    {"company_registration_number", "vat_number", "tax_id", "national_id", "passport_number", "birth_date"}
)


def document_findings(submission: Submission) -> Iterator[Finding]:
    """Judge every group, then every cross-check whose two sides are there."""
    chosen: dict[str, Document] = {}
    for group in submission.requirement.documents:
        document, finding = _group(group, submission)
        if document is not None:
            chosen[group.group] = document
        yield finding
    for cross in submission.requirement.cross_checks:
        result = _cross_check(cross, chosen, submission)
        if result is not None:
            yield result


def _group(group: DocumentGroup, submission: Submission) -> tuple[Document | None, Finding]:
    name = f"documents.{group.group}"
    fitting = [document for document in submission.documents if document.kind in group.accepts]
    if not fitting:
        return None, failed(name, _missing(group, submission), name)
    faults = [(fault(document, group, submission.day), document) for document in fitting]
    good = next((document for wrong, document in faults if wrong is None), None)
    if good is not None:
        return good, passed(name, name)
    return None, failed(name, faults[0][0] or "document_unreadable", name)


def _missing(group: DocumentGroup, submission: Submission) -> str:
    """Name the gap; a paper that no group takes was meant for one of them."""
    known = {kind for each in submission.requirement.documents for kind in each.accepts}
    if any(document.kind not in known for document in submission.documents):
        return "document_type_not_accepted"
    return "proof_missing" if group.group == "proof_of_address" else "document_missing"


def fault(document: Document, group: DocumentGroup, day: date) -> str | None:
    """Return the code of what is wrong with a document of an accepted kind, or None.

    It counts through its end date, and through the day on which it is `max_age_days` old.
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


def _cross_check(cross: CrossCheck, chosen: dict[str, Document], submission: Submission) -> Finding | None:
    _, group, attribute = cross.left.split(".", 2)
    document = chosen.get(group)
    stated = document.attribute(attribute) if document else None
    agrees = _agrees(stated, cross.equals, submission) if stated else None
    if agrees is None:
        return None
    return judged(f"{cross.left} = {cross.equals}", "mismatch", cross.left, holds=agrees)


def _agrees(stated: str, path: str, submission: Submission) -> bool | None:
    """Compare what a document states; None where the other side is absent."""
    if path == "address":
        return _names(stated, submission.address.place) if submission.address else None
    name = path.removeprefix("identity.")
    given = submission.identity.person.get(name)
    if given is None:
        return None
    if name in _IDENTIFIERS:
        without = compact(stated).removeprefix(submission.country)
        return without == compact(given).removeprefix(submission.country)
    return folded(stated) == folded(given)


def _names(stated: str, place: Place) -> bool:
    """Whether a stated address names this place: all words of its street, postal code and city are there."""
    return words(f"{place.street} {place.postal_code} {place.city}") <= words(stated)
