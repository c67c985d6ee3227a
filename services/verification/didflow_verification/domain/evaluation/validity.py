"""Until when the papers of a submission last: the first need that no good paper meets any more ends it."""

from datetime import UTC, date, datetime, time, timedelta

from didflow_verification.domain.catalogue.rules import DocumentGroup
from didflow_verification.domain.evaluation.document_checks import fault
from didflow_verification.domain.evaluation.submission import Submission


def midnight(day: date) -> datetime:
    """Return the instant at which a day begins, UTC. Source: spec verification, Catalogue: dates."""
    return datetime.combine(day, time(), UTC)


def valid_until(submission: Submission) -> datetime | None:
    """Return the instant from which some group of documents is unmet, or None where that is not known.

    A paper counts through its end date; of several for a group the one that lasts longest counts.
    """
    ends = [_group_end(group, submission) for group in submission.requirement.documents]
    known = [end for end in ends if end is not None]
    return midnight(min(known) + timedelta(days=1)) if known else None


def _group_end(group: DocumentGroup, submission: Submission) -> date | None:
    good = [
        document
        for document in submission.documents
        if document.kind in group.accepts and fault(document, group, submission.day) is None
    ]
    if not good or any(document.expires_on is None for document in good):
        return None
    return max(document.expires_on for document in good if document.expires_on is not None)
