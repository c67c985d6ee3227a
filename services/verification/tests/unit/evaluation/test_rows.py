"""For every row of the catalogue: details that pass, and details that fail each check with its code."""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from didflow_verification.domain.evaluation import evaluate
from didflow_verification.domain.evaluation.findings import is_satisfied

CHECKED = {"business_only", "no_po_box", "resident_only"}


def test_good_details_pass_every_row(details: Any, row: Any) -> None:
    """No check fails. Only other restrictions and areas without a name are left to a reviewer."""
    findings = evaluate(details.good(row))
    assert is_satisfied(findings)
    left = {finding.check for finding in findings if finding.passed is None}
    others = {r.code for r in row.requirement.restrictions} - CHECKED
    assert left == (others if row.requirement.required else set())


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
    """The code is `address_missing`, and its place is not checked."""
    bare = replace(details.good(asking), address=None, documents=())
    missing = [f for f in details.failures(bare) if f[1] == "address"]
    assert missing == ([("address_missing", "address")] if asking.requirement.address.required else [])
    assert all(finding.check != "address.match" for finding in evaluate(bare))


def test_an_address_in_another_country_fails_where_the_place_matters(details: Any, asking: Any) -> None:
    """The code says where the address must be."""
    match = asking.requirement.address.match
    expected = [] if match == "none" else [(f"address_outside_{match}", "address.country")]
    if any(r.code == "resident_only" for r in asking.requirement.restrictions):
        expected.append(("not_resident", "address.country"))
    assert details.failures(details.with_place(details.good(asking), country="FJ")) == expected


def test_an_address_in_another_city_fails_where_the_area_matters(details: Any, by_area: Any) -> None:
    """The address is in the right country and in the wrong city."""
    assert details.failures(details.with_place(details.good(by_area), city="Atlantis")) == [
        ("address_outside_area", "address.city")
    ]


def test_an_area_without_a_name_is_left_to_a_reviewer(details: Any, by_area: Any) -> None:
    """The check neither passes nor fails."""
    unknown = replace(details.good(by_area), places=frozenset())
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
            "document_type_not_accepted": {"kind": "library_card"},
            "document_unreadable": {"readable": False},
            "document_expired": {"expires_on": details.day - timedelta(days=1)},
        }
        for code, change in changes.items():
            worse = replace(base, documents=(*kept, replace(one, **change)))
            assert (code, field) in details.failures(worse)
        today = replace(base, documents=(*kept, replace(one, expires_on=details.day)))
        assert field not in {where for _, where in details.failures(today)}


def test_each_cross_check_needs_both_sides_and_then_agreement(details: Any, with_cross_checks: Any) -> None:
    """A contradiction is a `mismatch` at the document's attribute. A missing side is not listed."""
    for cross in with_cross_checks.requirement.cross_checks:
        attribute = cross.left.rpartition(".")[2]
        documents = details.good(with_cross_checks).documents
        silent = tuple(replace(d, states=()) for d in documents)
        assert all(
            "=" not in f.check for f in evaluate(replace(details.good(with_cross_checks), documents=silent))
        )
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
