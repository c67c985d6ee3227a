"""The catalogue that comes with the service, how it is read, and which row applies when."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from didflow_verification.catalogue.files import CatalogueError, packaged, read_rules
from didflow_verification.catalogue.validation import faults
from didflow_verification.domain.requirements import (
    ANYWHERE,
    CountryRules,
    CrossCheck,
    DocumentGroup,
    IdentityField,
    row_for,
    rows_in_force,
)

DAY = date(2026, 11, 20)
GOOD = """
country: XX
languages: []
places: {}
requirements:
- key: xx.local.any
  number_type: local
  end_user_types: [business]
  version: 1
  effective_from: 2026-01-01
  required: true
  identity_fields: [{field: company_name}]
  address: {required: true, match: country, proof: null}
  documents: []
  cross_checks: []
  restrictions: []
  review: {manual: true}
  sources: [{title: t, publisher: p, url: null, seen: s}]
"""


def test_every_packaged_row_is_valid_and_has_sources() -> None:
    """There are thirty countries and the row for all others."""
    countries = packaged()
    assert len(countries) == 31
    assert all(row.sources for rules in countries for row in rules.requirements)
    assert [row.key for rules in countries if rules.country == ANYWHERE for row in rules.requirements] == [
        "any.any"
    ]


def test_keys_are_unique() -> None:
    """The key and the version identify a row in the whole catalogue."""
    named = [(row.key, row.version) for rules in packaged() for row in rules.requirements]
    assert len(named) == len(set(named))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("required: true\n  identity", "requierd: true\n  identity"), "required"),
        (("{manual: true}", "{manual: true, reverfy: true}"), "requirements.0.review.reverfy: unknown key"),
        (("field: company_name", "field: shoe_size"), "identity field shoe_size is unknown"),
        (("field: company_name", "field: tax_id, checksum: xx.none"), "checksum xx.none is unknown"),
        (("field: company_name", "field: tax_id, pattern: '('"), "pattern of tax_id"),
        (("[{title: t, publisher: p, url: null, seen: s}]", "[]"), "no sources"),
        (("end_user_types: [business]", "end_user_types: []"), "no end-user types"),
        (("match: country", "match: planet"), "match"),
        (
            ("effective_from: 2026-01-01", "effective_from: 2026-01-01\n  effective_to: 2026-01-01"),
            "not after",
        ),
        (("country: XX", "country: [XX"), "expected"),
        (("restrictions: []", "restrictions: [{code: minimum_age, text: t}]"), "years"),
    ],
)
def test_a_file_with_a_fault_is_refused_as_a_whole(change: tuple[str, str], fault: str) -> None:
    """The fault is listed. A misspelt rule is never dropped without notice."""
    with pytest.raises(CatalogueError) as caught:
        read_rules(GOOD.replace(*change))
    assert any(fault in line for line in caught.value.faults)


def test_a_valid_file_is_read() -> None:
    """Dates are dates, lists are tuples, and a key that is left out has its default."""
    rules = read_rules(GOOD)
    assert rules.requirements[0].effective_from == date(2026, 1, 1)
    assert rules.requirements[0].identity_fields == (IdentityField(field="company_name"),)


def test_rows_for_the_same_end_users_at_the_same_time_are_a_fault(make: Any) -> None:
    """It would be random which of them applies."""
    one, other = make.requirement(), make.requirement(key="xx.local.other", end_user_types=("business",))
    both = CountryRules(country="XX", places={}, requirements=(one, other))
    assert list(faults(both)) == [
        "xx.local.any and xx.local.other apply to the same end users at the same time"
    ]
    apart = replace(both, requirements=(replace(one, effective_to=DAY), replace(other, effective_from=DAY)))
    assert list(faults(apart)) == []


def test_cross_checks_need_both_sides_in_the_row(make: Any) -> None:
    """A group that the row does not have, a path without an attribute, and an unknown identity field are faults."""
    row = make.requirement(
        documents=(DocumentGroup(group="proof", accepts=("passport",)),),
        cross_checks=(
            CrossCheck(left="documents.proof.name", equals="identity.last_name"),
            CrossCheck(left="documents.other.name", equals="identity.last_name"),
            CrossCheck(left="address.area", equals="identity.shoe_size"),
        ),
    )
    found = list(faults(CountryRules(country="XX", places={}, requirements=(row, row))))
    assert [line.partition(": ")[2] for line in found] == [
        "cross-check documents.other.name names a group that the row does not have",
        "cross-check address.area does not name an attribute of a document",
        "cross-check against identity.shoe_size, which is not an identity field",
        "version 1 appears twice",
        *[
            "cross-check documents.other.name names a group that the row does not have",
            "cross-check address.area does not name an attribute of a document",
            "cross-check against identity.shoe_size, which is not an identity field",
        ],
    ]


def test_the_newest_version_that_has_begun_applies(make: Any) -> None:
    """Each version applies from its own day on. After a version has ended, no row applies, not even an older one."""
    row = make.requirement(effective_from=date(2026, 1, 1))
    second = replace(row, version=2, effective_from=date(2026, 6, 1), effective_to=date(2026, 9, 1))
    rules = CountryRules(country="XX", places={}, requirements=(row, second))
    days = {date(2025, 12, 31): (), date(2026, 1, 1): (row,), date(2026, 5, 31): (row,)}
    days |= {date(2026, 6, 1): (second,), date(2026, 8, 31): (second,), date(2026, 9, 1): ()}
    assert {day: rules.in_force("local", day) for day in days} == days


def test_numbers_without_a_row_get_the_row_for_all_other_countries(make: Any) -> None:
    """Unknown regulation fails closed: for another number type, and for a country without rules."""
    local = CountryRules(country="XX", places={}, requirements=(make.requirement(),))
    anywhere = CountryRules(
        country=ANYWHERE, places={}, requirements=(make.requirement(key="any.any", number_type="any"),)
    )
    assert [row.key for row in rows_in_force(local, anywhere, "local", DAY)] == ["xx.local.any"]
    assert [row.key for row in rows_in_force(local, anywhere, "mobile", DAY)] == ["any.any"]
    assert [row.key for row in rows_in_force(None, anywhere, "local", DAY)] == ["any.any"]
    with pytest.raises(LookupError):
        rows_in_force(None, None, "local", DAY)


def test_an_end_user_type_finds_its_row_or_none(make: Any) -> None:
    """A row need not cover every type."""
    business = make.requirement(end_user_types=("business",))
    assert row_for((business,), "business") == business
    assert row_for((business,), "individual") is None
    assert row_for((business,), None) is None
