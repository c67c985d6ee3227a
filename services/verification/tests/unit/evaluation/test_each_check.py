"""Every check of every row fails alone: with its code and field, while nothing else fails.

The cases are made from the row, so a new row, or a new check in a row, needs no new test.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from didflow_verification.domain.details.document import DocumentFacts
from didflow_verification.domain.evaluation import evaluate
from didflow_verification.domain.evaluation.findings import EvaluationInput
from didflow_verification.domain.requirements import DocumentGroup

Failure = tuple[str | None, str | None]


@dataclass(frozen=True)
class WrongDetails:
    """Details with one error, and all checks that must fail because of it."""

    submission: EvaluationInput
    failing: list[Failure]


def fields(details: Any, row: Any) -> Iterator[WrongDetails]:
    """Yield each field missing, with a wrong format, and with a wrong check character."""
    good = details.good(row)
    for field in row.requirement.identity_fields:
        if field.applies_to not in {None, row.type}:
            continue
        name = f"identity.{field.field}"
        if not (field.when_given or field.unless):
            yield WrongDetails(details.without(good, field.field), [("missing_field", name)])
        silent = without_field(row, good, name)
        if field.pattern:
            yield WrongDetails(details.with_person(silent, **{field.field: "#"}), [("bad_format", name)])
        if field.checksum and not field.checksum_warns:
            bad = details.with_person(silent, **{field.field: details.wrong_character(field.checksum)})
            yield WrongDetails(bad, [(details.wrong_code(field.checksum), name)])


def without_field(row: Any, good: EvaluationInput, path: str) -> EvaluationInput:
    """Remove the field from the documents, so that they cannot contradict it."""
    attribute = {c.left.rpartition(".")[2] for c in row.requirement.cross_checks if c.equals == path}
    documents = (
        replace(d, states=tuple(s for s in d.states if s[0] not in attribute)) for d in good.documents
    )
    return replace(good, documents=tuple(documents))


def places(details: Any, row: Any) -> Iterator[WrongDetails]:
    """Yield no address, one in another country, one in another city, and a post office box."""
    good, rule = details.good(row), row.requirement.address
    restrictions = {r.code for r in row.requirement.restrictions}
    if rule.required:
        yield WrongDetails(replace(good, address=None), [("address_missing", "address")])
    abroad: list[Failure] = (
        [] if rule.match == "none" else [(f"address_outside_{rule.match}", "address.country")]
    )
    if "resident_only" in restrictions:
        abroad.append(("not_resident", "address.country"))
    if abroad:
        yield WrongDetails(details.with_place(good, country="FJ"), abroad)
    if rule.match == "area":
        yield WrongDetails(
            details.with_place(good, city=details.elsewhere(good)), [("address_outside_area", "address.city")]
        )
    if "no_po_box" in restrictions:
        yield WrongDetails(details.with_place(good, street="P.O. Box 12"), [("po_box", "address.street")])
    if "business_only" in restrictions:
        person = replace(good, identity=replace(good.identity, type="individual"))
        yield WrongDetails(person, [("business_only", "identity.type")])


def documents(details: Any, row: Any) -> Iterator[WrongDetails]:
    """Yield each group without its document and with a bad one, with all groups that fail with it."""
    good = details.good(row)
    for group in row.requirement.documents:
        others, caught = apart(row, good, group)
        base = replace(good, documents=others)
        yield WrongDetails(base, [(missing(each), field(each)) for each in caught])
        yield from bad_documents(details, base, group, caught)


def bad_documents(
    details: Any, base: EvaluationInput, group: DocumentGroup, caught: list[DocumentGroup]
) -> Iterator[WrongDetails]:
    """Yield one document of the group that is of a wrong type, unreadable, expired, too old or undated."""
    one = DocumentFacts(
        document_id=base.identity.identity_id,
        identity_id=base.identity.identity_id,
        kind=group.accepts[0],
        readable=True,
        issued_on=details.day,
        expires_on=details.day,
    )
    served = [each for each in caught if one.kind in each.accepts]
    unserved: list[Failure] = [(missing(each), field(each)) for each in caught if each not in served]
    for code, change in (
        ("document_unreadable", {"readable": False}),
        ("document_expired", {"expires_on": details.day - timedelta(days=1)}),
    ):
        worse = replace(base, documents=(*base.documents, replace(one, **change)))
        yield WrongDetails(worse, [*unserved, *((code, field(each)) for each in served)])
    unknown_type = replace(base, documents=(*base.documents, replace(one, kind="library_card")))
    empty = [(missing(each), field(each)) for each in caught]
    yield WrongDetails(unknown_type, [*empty, ("document_type_not_accepted", "document_ids")])
    if group.max_age_days is not None:
        dated = [each for each in served if each.max_age_days is not None]
        issued = details.day - timedelta(days=max(each.max_age_days or 0 for each in dated) + 1)
        old = replace(base, documents=(*base.documents, replace(one, issued_on=issued)))
        yield WrongDetails(old, [*unserved, *(("document_too_old", field(each)) for each in dated)])
        undated = replace(base, documents=(*base.documents, replace(one, issued_on=None)))
        yield WrongDetails(undated, [*unserved, *(("missing_field", field(each)) for each in dated)])


def apart(
    row: Any, good: EvaluationInput, group: DocumentGroup
) -> tuple[tuple[DocumentFacts, ...], list[DocumentGroup]]:
    """Return documents for the other groups only, and the groups that are left without a document."""
    document, kept, caught = good.documents[0], [], []
    for each in row.requirement.documents:
        kinds = [kind for kind in each.accepts if kind not in group.accepts]
        if kinds:
            kept.append(replace(document, kind=kinds[0], states=()))
        else:
            caught.append(each)
    return tuple(kept), caught


def missing(group: DocumentGroup) -> str:
    """Return the code of a group without a document."""
    return "proof_missing" if group.group == "proof_of_address" else "document_missing"


def field(group: DocumentGroup) -> str:
    """Return the field of a group."""
    return f"documents.{group.group}"


def contradictions(details: Any, row: Any) -> Iterator[WrongDetails]:
    """Yield each attribute of a document with another value."""
    good = details.good(row)
    for cross in row.requirement.cross_checks:
        attribute = cross.left.rpartition(".")[2]
        if any(attribute == name for d in good.documents for name, _ in d.states):
            contradicting = (
                replace(d, states=tuple((n, "else" if n == attribute else v) for n, v in d.states))
                for d in good.documents
            )
            yield WrongDetails(replace(good, documents=tuple(contradicting)), [("mismatch", cross.left)])


def cases(details: Any, row: Any) -> list[WrongDetails]:
    """Return all wrong details of a row."""
    return [
        *fields(details, row),
        *places(details, row),
        *documents(details, row),
        *contradictions(details, row),
    ]


def test_each_check_fails_alone_with_its_code_and_field(details: Any, asking: Any) -> None:
    """Nothing else fails, and the correct details pass."""
    assert details.failures(details.good(asking)) == []
    for wrong in cases(details, asking):
        assert sorted(details.failures(wrong.submission), key=str) == sorted(wrong.failing, key=str)


def test_every_check_of_a_row_fails_in_some_case(details: Any, asking: Any) -> None:
    """Optional fields count only if they have a pattern."""
    passed = {finding.check for finding in evaluate(details.good(asking)) if finding.passed}
    fallen = {
        f.check for case in cases(details, asking) for f in evaluate(case.submission) if f.passed is False
    }
    free = {
        f"identity.{field.field}"
        for field in asking.requirement.identity_fields
        if (field.when_given or field.unless) and not field.pattern
    }
    assert passed - fallen <= free
