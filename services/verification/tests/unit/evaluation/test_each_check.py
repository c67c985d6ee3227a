"""Every check of every row spoiled by itself: exactly its code at its field, and nothing else fails.

The cases are made from the row, so a new row, or a new check in one, is covered by itself.
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
class Spoiled:
    """Details with one thing wrong, and all that must fail by it."""

    submission: EvaluationInput
    failing: list[Failure]


def fields(details: Any, row: Any) -> Iterator[Spoiled]:
    """Each field left out, of a wrong form, and with a wrong check character."""
    good = details.good(row)
    for field in row.requirement.identity_fields:
        if field.applies_to not in {None, row.type}:
            continue
        name = f"identity.{field.field}"
        if not (field.when_given or field.unless):
            yield Spoiled(details.without(good, field.field), [("missing_field", name)])
        silent = silenced(row, good, name)
        if field.pattern:
            yield Spoiled(details.stating(silent, **{field.field: "#"}), [("bad_format", name)])
        if field.checksum and not field.checksum_warns:
            wrong = details.stating(silent, **{field.field: details.wrong_character(field.checksum)})
            yield Spoiled(wrong, [(details.wrong_code(field.checksum), name)])


def silenced(row: Any, good: EvaluationInput, path: str) -> EvaluationInput:
    """Let the papers state nothing about a field, so that they cannot contradict it."""
    told = {c.left.rpartition(".")[2] for c in row.requirement.cross_checks if c.equals == path}
    papers = (replace(d, states=tuple(s for s in d.states if s[0] not in told)) for d in good.documents)
    return replace(good, documents=tuple(papers))


def places(details: Any, row: Any) -> Iterator[Spoiled]:
    """No address, one abroad, one in another city, a post office box."""
    good, rule = details.good(row), row.requirement.address
    restrictions = {r.code for r in row.requirement.restrictions}
    if rule.required:
        yield Spoiled(replace(good, address=None), [("address_missing", "address")])
    abroad: list[Failure] = (
        [] if rule.match == "none" else [(f"address_outside_{rule.match}", "address.country")]
    )
    if "resident_only" in restrictions:
        abroad.append(("not_resident", "address.country"))
    if abroad:
        yield Spoiled(details.placed(good, country="FJ"), abroad)
    if rule.match == "area":
        yield Spoiled(details.placed(good, city="Atlantis"), [("address_outside_area", "address.city")])
    if "no_po_box" in restrictions:
        yield Spoiled(details.placed(good, street="P.O. Box 12"), [("po_box", "address.street")])
    if "business_only" in restrictions:
        person = replace(good, identity=replace(good.identity, type="individual"))
        yield Spoiled(person, [("business_only", "identity.type")])


def papers(details: Any, row: Any) -> Iterator[Spoiled]:
    """Each group without its paper, and with a bad one; a group whose papers all serve this one fails with it."""
    good = details.good(row)
    for group in row.requirement.documents:
        others, caught = apart(row, good, group)
        base = replace(good, documents=others)
        yield Spoiled(base, [(missing(each), field(each)) for each in caught])
        yield from bad_papers(details, base, group, caught)


def bad_papers(
    details: Any, base: EvaluationInput, group: DocumentGroup, caught: list[DocumentGroup]
) -> Iterator[Spoiled]:
    """One paper of the group that is of no accepted kind, cannot be read, has ended, is too old or undated."""
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
        yield Spoiled(worse, [*unserved, *((code, field(each)) for each in served)])
    strange = replace(base, documents=(*base.documents, replace(one, kind="library_card")))
    yield Spoiled(strange, [("document_type_not_accepted", field(each)) for each in caught])
    if group.max_age_days is not None:
        dated = [each for each in served if each.max_age_days is not None]
        issued = details.day - timedelta(days=max(each.max_age_days or 0 for each in dated) + 1)
        old = replace(base, documents=(*base.documents, replace(one, issued_on=issued)))
        yield Spoiled(old, [*unserved, *(("document_too_old", field(each)) for each in dated)])
        undated = replace(base, documents=(*base.documents, replace(one, issued_on=None)))
        yield Spoiled(undated, [*unserved, *(("missing_field", field(each)) for each in dated)])


def apart(
    row: Any, good: EvaluationInput, group: DocumentGroup
) -> tuple[tuple[DocumentFacts, ...], list[DocumentGroup]]:
    """Papers for the other groups that this one does not accept, and the groups for which there are none."""
    paper, kept, caught = good.documents[0], [], []
    for each in row.requirement.documents:
        kinds = [kind for kind in each.accepts if kind not in group.accepts]
        if kinds:
            kept.append(replace(paper, kind=kinds[0], states=()))
        else:
            caught.append(each)
    return tuple(kept), caught


def missing(group: DocumentGroup) -> str:
    """The code of a group without a paper."""
    return "proof_missing" if group.group == "proof_of_address" else "document_missing"


def field(group: DocumentGroup) -> str:
    """The field that a group is told by."""
    return f"documents.{group.group}"


def contradictions(details: Any, row: Any) -> Iterator[Spoiled]:
    """Each thing that a paper states, stated otherwise."""
    good = details.good(row)
    for cross in row.requirement.cross_checks:
        told = cross.left.rpartition(".")[2]
        if any(told == name for d in good.documents for name, _ in d.states):
            lying = (
                replace(d, states=tuple((n, "else" if n == told else v) for n, v in d.states))
                for d in good.documents
            )
            yield Spoiled(replace(good, documents=tuple(lying)), [("mismatch", cross.left)])


def cases(details: Any, row: Any) -> list[Spoiled]:
    """All that can be spoiled of a row."""
    return [
        *fields(details, row),
        *places(details, row),
        *papers(details, row),
        *contradictions(details, row),
    ]


def test_each_check_fails_alone_by_exactly_its_code_and_field(details: Any, asking: Any) -> None:
    """Whatever is spoiled, nothing but that is found; the same details unspoiled pass."""
    assert details.failures(details.good(asking)) == []
    for spoiled in cases(details, asking):
        assert sorted(details.failures(spoiled.submission), key=str) == sorted(spoiled.failing, key=str)


def test_no_check_of_a_row_is_left_unspoiled(details: Any, asking: Any) -> None:
    """Every check that good details pass fails in some case; what need not be given counts by its form."""
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
