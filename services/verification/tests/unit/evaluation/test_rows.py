"""For every row of the catalogue: details that pass, and details that fail each check with its code."""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from didflow_verification.domain.details.document import DocumentFacts
from didflow_verification.domain.evaluation import evaluate
from didflow_verification.domain.evaluation.findings import is_satisfied

CHECKED = {"business_only", "no_po_box", "resident_only"}


def test_good_details_pass_every_row(details: Any, row: Any) -> None:
    """No check fails. Left to a reviewer: other restrictions, and what a document states of a field that is absent."""
    findings = evaluate(details.good(row))
    assert is_satisfied(findings)
    left = {finding.check for finding in findings if finding.passed is None}
    others = {r.code for r in row.requirement.restrictions} - CHECKED
    person = details.good(row).identity.person
    absent = {
        f"{c.left} = {c.equals}"
        for c in row.requirement.cross_checks
        if c.equals != "address" and person.get(c.equals.removeprefix("identity.")) is None
    }
    assert left == (others | absent if row.requirement.required else set())


def test_a_missing_required_field_fails(details: Any, asking: Any) -> None:
    """The code is `missing_field`, unless the field is optional or something replaces it."""
    for field in asking.requirement.identity_fields:
        if field.applies_to in {None, asking.type}:
            free = field.when_given or field.unless
            expected = [] if free else [("missing_field", f"identity.{field.field}")]
            assert details.failures(details.without(details.good(asking), field.field)) == expected


def test_a_field_with_a_wrong_format_fails(details: Any, asking: Any) -> None:
    """The code is `bad_format`, for optional fields too."""
    for field in asking.requirement.identity_fields:
        if field.pattern and field.applies_to in {None, asking.type}:
            wrong = details.with_person(replace(details.good(asking), documents=()), **{field.field: "#"})
            assert ("bad_format", f"identity.{field.field}") in details.failures(wrong)


def test_a_wrong_check_character_fails(details: Any, asking: Any) -> None:
    """The code is `bad_checksum`, or the check is left to a reviewer if the rule is not reliable."""
    for field in asking.requirement.identity_fields:
        if field.checksum and field.applies_to in {None, asking.type}:
            value = details.wrong_character(field.checksum)
            wrong = details.with_person(replace(details.good(asking), documents=()), **{field.field: value})
            (finding,) = (f for f in evaluate(wrong) if f.check == f"identity.{field.field}")
            code = details.wrong_code(field.checksum)
            expected = (None, "reviewer_check") if field.checksum_warns else (False, code)
            assert (finding.passed, finding.code) == expected


def test_a_missing_required_address_fails(details: Any, asking: Any) -> None:
    """The code is `address_missing`. The checks of its place and its use are listed, for a reviewer."""
    bare = replace(details.good(asking), address=None, documents=())
    missing = [f for f in details.failures(bare) if f[1] == "address"]
    assert missing == ([("address_missing", "address")] if asking.requirement.address.required else [])
    listed = {f.check: (f.passed, f.code) for f in evaluate(bare) if f.field == "address"}
    listed.pop("address", None)
    rows = {r.code for r in asking.requirement.restrictions} & {"no_po_box", "resident_only"}
    match = {"address.match"} - ({"address.match"} if asking.requirement.address.match == "none" else set())
    assert listed == dict.fromkeys(rows | match, (None, "reviewer_check"))


def test_an_address_in_another_country_fails_where_the_place_matters(details: Any, asking: Any) -> None:
    """The code says where the address must be."""
    match = asking.requirement.address.match
    expected = [] if match == "none" else [(f"address_outside_{match}", "address.country")]
    if any(r.code == "resident_only" for r in asking.requirement.restrictions):
        expected.append(("not_resident", "address.country"))
    assert details.failures(details.with_place(details.good(asking), country="FJ")) == expected


def test_an_address_in_another_city_fails_where_the_area_matters(details: Any, by_area: Any) -> None:
    """The address is in the right country, in a place of another prefix."""
    good = details.good(by_area)
    assert details.failures(details.with_place(good, city=details.elsewhere(good))) == [
        ("address_outside_area", "address.city")
    ]


def test_a_place_that_no_list_names_is_left_to_a_reviewer(details: Any, by_area: Any) -> None:
    """The check neither passes nor fails."""
    unknown = details.with_place(details.good(by_area), city="Atlantis")
    assert details.failures(unknown) == []
    (finding,) = (f for f in evaluate(unknown) if f.check == "address.match")
    assert (finding.passed, finding.code, finding.field) == (None, "reviewer_check", "address.city")


def test_each_group_of_documents_must_be_satisfied(details: Any, with_documents: Any) -> None:
    """A missing, wrong, unreadable or expired document has its own code."""
    for group in with_documents.requirement.documents:
        field = f"documents.{group.group}"
        kept = tuple(d for d in details.good(with_documents).documents if d.kind not in group.accepts)
        base = replace(details.good(with_documents), documents=kept)
        missing = "proof_missing" if group.group == "proof_of_address" else "document_missing"
        assert (missing, field) in details.failures(base)
        one = replace(details.good(with_documents).documents[0], kind=group.accepts[0])
        changes: dict[str, dict[str, Any]] = {
            "document_unreadable": {"readable": False},
            "document_expired": {"expires_on": details.day - timedelta(days=1)},
        }
        for code, change in changes.items():
            worse = replace(base, documents=(*kept, replace(one, **change)))
            assert (code, field) in details.failures(worse)
        today = replace(base, documents=(*kept, replace(one, expires_on=details.day)))
        assert field not in {where for _, where in details.failures(today)}


def test_an_irrelevant_paper_hides_the_codes_of_empty_groups(details: Any, with_documents: Any) -> None:
    """Each empty group keeps its own code, and the paper is listed by itself with `document_type_not_accepted`."""
    good = details.good(with_documents)
    paper = replace(good.documents[0], kind="library_card")
    failures = details.failures(replace(good, documents=(paper,)))
    for group in with_documents.requirement.documents:
        code = "proof_missing" if group.group == "proof_of_address" else "document_missing"
        assert (code, f"documents.{group.group}") in failures
    assert failures.count(("document_type_not_accepted", "document_ids")) == 1


def test_a_paper_too_many_rejects_a_complete_submission(details: Any, asking: Any) -> None:
    """It is listed by itself, for a reviewer: some restrictions ask for papers in words only."""
    good = details.good(asking)
    paper = DocumentFacts(
        document_id=good.identity.identity_id,
        identity_id=good.identity.identity_id,
        kind="library_card",
        readable=True,
    )
    findings = evaluate(replace(good, documents=(*good.documents, paper, paper)))
    assert is_satisfied(findings)
    listed = [(f.check, f.passed, f.field) for f in findings if f.code == "document_type_not_accepted"]
    assert listed == [("document.library_card", None, "document_ids")]


def test_a_cross_check_without_one_of_its_sides_is_not_listed(details: Any, with_cross_checks: Any) -> None:
    """It is listed for a reviewer, whichever side is absent: the document, what it states, or the detail."""
    good = details.good(with_cross_checks)
    checks = [f"{c.left} = {c.equals}" for c in with_cross_checks.requirement.cross_checks]
    silent = replace(good, documents=tuple(replace(d, states=()) for d in good.documents))
    empty = replace(good.identity, person=type(good.identity.person)())
    for given in (replace(good, documents=()), silent, replace(good, identity=empty, address=None)):
        listed = [(f.check, f.passed, f.code) for f in evaluate(given) if " = " in f.check]
        assert listed == [(check, None, "reviewer_check") for check in checks]


def test_a_cross_check_needs_agreement(details: Any, with_cross_checks: Any) -> None:
    """A contradiction is a `mismatch` at the document's attribute."""
    for cross in with_cross_checks.requirement.cross_checks:
        attribute = cross.left.rpartition(".")[2]
        documents = details.good(with_cross_checks).documents
        if not any(attribute == name for d in documents for name, _ in d.states):
            continue
        lying = tuple(
            replace(d, states=tuple((n, "else") for n, _ in d.states if n == attribute)) for d in documents
        )
        assert ("mismatch", cross.left) in details.failures(
            replace(details.good(with_cross_checks), documents=lying)
        )


def test_restrictions_are_checked_or_left_to_a_reviewer(details: Any, restricted: Any) -> None:
    """Those for a reviewer have their own code and text."""
    codes = {r.code: r.text for r in restricted.requirement.restrictions}
    found = {f.check: f for f in evaluate(details.good(restricted))}
    for code in codes.keys() - CHECKED:
        assert (found[code].passed, found[code].code, found[code].message) == (
            None,
            "reviewer_check",
            codes[code],
        )
    if "no_po_box" in codes:
        assert details.failures(details.with_place(details.good(restricted), street="P.O. Box 12")) == [
            ("po_box", "address.street")
        ]
    if "business_only" in codes:
        person = replace(details.good(restricted).identity, type="individual")
        assert ("business_only", "identity.type") in details.failures(
            replace(details.good(restricted), identity=person)
        )
