"""A catalogue file against the rules that are there: what changes, and what must stay as it was."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from didflow_chassis.decision import Caller, Decided, Refused, Unchanged
from didflow_contracts.ids import uuid7
from didflow_verification.catalogue.faults import faults
from didflow_verification.catalogue.loading import Touched
from didflow_verification.domain.catalogue.commands import LoadRules
from didflow_verification.domain.catalogue.covering import asked_for_all
from didflow_verification.domain.catalogue.loading import changes, load_rules
from didflow_verification.domain.catalogue.rules import (
    CountryRules,
    DocumentGroup,
    IdentityField,
    Requirement,
    forerunner,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = NOON.date()
TOMORROW = TODAY + timedelta(days=1)
CALLER = Caller(subject="op", account="", role="operator")


def rules(*rows: Requirement, **more: Any) -> CountryRules:
    """Rules of a country."""
    return CountryRules(**{"country": "XX", "places": {}, "requirements": rows} | more)


def wish(wanted: CountryRules) -> LoadRules:
    """An operator loads them."""
    return LoadRules(entity_id="XX", subject="", caller=CALLER, change_id=uuid7(), rules=wanted)


@pytest.fixture
def row(make: Any) -> Requirement:
    """A row that has begun."""
    found: Requirement = make.requirement()
    return found


def texts(before: CountryRules | None, after: CountryRules) -> list[tuple[str, bool]]:
    """What changes, and whether it may not."""
    return [(change.kind, change.begun) for change in changes(before, after, TODAY)]


def test_each_kind_of_change_is_named(row: Requirement) -> None:
    """A country, names of places, a row that is new, another, ended, or gone."""
    later = replace(row, version=2, effective_from=TOMORROW)
    before = rules(row, later)
    assert texts(None, rules(row)) == [("country", False), ("added", False)]
    assert texts(before, rules(row, later, places={"+1212": ("New York",)})) == [("names", False)]
    assert texts(rules(row), before) == [("added", False)]
    assert texts(before, rules(row, replace(later, required=False))) == [("changed", False)]
    assert texts(before, rules(row)) == [("dropped", False)]
    assert texts(before, rules(replace(row, effective_to=TOMORROW), later)) == [("ended", False)]
    assert texts(before, before) == []


def test_a_version_that_has_begun_stays_as_it_was(row: Requirement) -> None:
    """It cannot say something else, go, or end before today; its sources may be put right."""
    assert texts(rules(row), rules(replace(row, required=False))) == [("changed", True)]
    assert texts(rules(row), rules()) == [("dropped", True)]
    assert texts(rules(row), rules(replace(row, effective_to=TODAY))) == [("changed", True)]
    source = replace(row.sources[0], seen="more")
    assert texts(rules(row), rules(replace(row, sources=(source,)))) == [("ended", False)]
    assert texts(rules(replace(row, effective_to=TODAY)), rules(row)) == [("changed", True)]


def test_loading_decides_and_notes_who_did(row: Requirement) -> None:
    """The rules, and a line for each change; DIDs are only looked at where a version asks anew."""
    later = replace(row, version=2, effective_from=TOMORROW)
    outcome = load_rules(rules(row), wish(rules(row, later)), NOON)
    assert isinstance(outcome, Decided)
    (noted,) = outcome.also
    assert (noted.changed_by, len(noted.lines), noted.anew) == ("op", 1, False)
    anew = replace(later, reverify=True, grace_until=TOMORROW)
    outcome = load_rules(rules(row), wish(rules(row, anew)), NOON)
    assert isinstance(outcome, Decided)
    assert outcome.also[0].anew


def test_loading_twice_changes_nothing(row: Requirement) -> None:
    """The same file again."""
    assert isinstance(load_rules(rules(row), wish(rules(row)), NOON), Unchanged)


def test_loading_what_may_not_change_is_refused(row: Requirement) -> None:
    """By its code, with the row named."""
    outcome = load_rules(rules(row), wish(rules(replace(row, required=False))), NOON)
    assert isinstance(outcome, Refused)
    assert outcome.code == "version_begun"
    assert row.key in outcome.message


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"reverify": True}, "reverify and grace_until belong together"),
        ({"grace_until": TOMORROW}, "reverify and grace_until belong together"),
        ({"reverify": True, "grace_until": date(2019, 1, 1)}, "grace_until is before effective_from"),
    ],
)
def test_asking_anew_gives_time(row: Requirement, change: Any, fault: str) -> None:
    """A grace date comes with it, and not before it."""
    assert [line.partition(": ")[2] for line in faults(rules(replace(row, **change)))] == [fault]


def test_a_change_touches_those_it_judges(row: Requirement) -> None:
    """DIDs of its country and type, and those under its key; no others."""
    kind = {"end_user_type": None, "state": "approved", "dids": 1}
    here = Touched(country="XX", number_type="local", requirement="any.any", **kind)
    assert here.by("XX", row)
    assert not replace(here, number_type="mobile").by("XX", row)
    assert not replace(here, country="YY").by("XX", row)
    assert replace(here, country="YY", requirement=row.key).by("XX", row)


NAME = IdentityField(field="company_name", note="n")
BILL = DocumentGroup(group="proof", accepts=("bill",), max_age_days=90)


@pytest.mark.parametrize(
    ("today", "covered"),
    [
        ({}, True),
        ({"identity_fields": ()}, True),
        ({"identity_fields": (replace(NAME, note=None, when_given=True),)}, True),
        ({"identity_fields": (NAME, IdentityField(field="tax_id"))}, False),
        ({"identity_fields": (replace(NAME, pattern="^A"),)}, False),
        ({"documents": (replace(BILL, accepts=("bill", "lease"), max_age_days=None),)}, True),
        ({"documents": (replace(BILL, accepts=("lease",)),)}, False),
        ({"documents": (replace(BILL, max_age_days=30),)}, False),
        ({"documents": (BILL, replace(BILL, group="other"))}, False),
    ],
)
def test_an_earlier_version_covers_what_it_asked_for(row: Requirement, today: Any, covered: bool) -> None:
    """Everything that today's asks for, as strictly; then a review under it counts."""
    earlier = replace(row, identity_fields=(NAME,), documents=(BILL,))
    assert asked_for_all(earlier, replace(earlier, version=2, **today)) is covered


@pytest.mark.parametrize(("field", "stricter"), [("required", True), ("match", "area"), ("proof", True)])
def test_a_stricter_rule_for_the_address_is_not_covered(row: Requirement, field: str, stricter: Any) -> None:
    """Asked for, nearer, proved."""
    today = replace(row, address=replace(row.address, **{field: stricter}))
    assert not asked_for_all(row, today)
    assert asked_for_all(today, row)


def test_a_version_that_asks_anew_has_no_forerunner(row: Requirement) -> None:
    """Neither before it nor through it."""
    anew = replace(row, version=2, reverify=True, grace_until=TOMORROW)
    third = replace(row, version=3)
    country = rules(row, anew, third)
    assert forerunner(country, None, row, 1) == row
    assert forerunner(country, None, anew, 1) is None
    assert forerunner(country, None, third, 1) is None
    assert forerunner(country, None, third, 2) == anew
