"""A catalogue file is compared with the stored rules: what changes, and what must not change."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from didflow_chassis.decision import Caller, Decided, Refused, Unchanged
from didflow_contracts.ids import uuid7
from didflow_verification.catalogue.load_plan import DidCount
from didflow_verification.catalogue.validation import faults
from didflow_verification.domain.catalogue_change import Recheck, load_rules, rule_changes
from didflow_verification.domain.commands import LoadRules
from didflow_verification.domain.requirements import (
    CountryRules,
    DocumentGroup,
    IdentityField,
    Requirement,
    earlier_version,
)
from didflow_verification.domain.verifications.approval import includes_checks

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = NOON.date()
TOMORROW = TODAY + timedelta(days=1)
CALLER = Caller(subject="op", account="", role="operator")


def rules(*rows: Requirement, **more: Any) -> CountryRules:
    """Return rules of a country."""
    return CountryRules(**{"country": "XX", "places": {}, "requirements": rows} | more)


def load(wanted: CountryRules) -> LoadRules:
    """Return the command of an operator to load rules."""
    return LoadRules(entity_id="XX", subject="", caller=CALLER, change_id=uuid7(), rules=wanted)


@pytest.fixture
def row(make: Any) -> Requirement:
    """A row that is in force."""
    found: Requirement = make.requirement()
    return found


def kinds(before: CountryRules | None, after: CountryRules) -> list[tuple[str, bool]]:
    """Return the kinds of the changes, each with whether it is forbidden."""
    return [(change.kind, change.begun) for change in rule_changes(before, after, TODAY)]


def test_each_kind_of_change_is_named(row: Requirement) -> None:
    """A new country, place names, and a row that is new, changed, ended or removed."""
    later = replace(row, version=2, effective_from=TOMORROW)
    before = rules(row, later)
    assert kinds(None, rules(row)) == [("country", False), ("added", False)]
    assert kinds(before, rules(row, later, places={"+1212": ("New York",)})) == [("names", False)]
    assert kinds(rules(row), before) == [("added", False)]
    assert kinds(before, rules(row, replace(later, required=False))) == [("changed", False)]
    assert kinds(before, rules(row)) == [("dropped", False)]
    assert kinds(before, rules(replace(row, effective_to=TOMORROW), later)) == [("ended", False)]
    assert kinds(before, before) == []


def test_a_version_in_force_must_not_change(row: Requirement) -> None:
    """It cannot be changed, removed, or ended before today. Its sources may be corrected."""
    assert kinds(rules(row), rules(replace(row, required=False))) == [("changed", True)]
    assert kinds(rules(row), rules()) == [("dropped", True)]
    assert kinds(rules(row), rules(replace(row, effective_to=TODAY))) == [("changed", True)]
    source = replace(row.sources[0], seen="more")
    assert kinds(rules(row), rules(replace(row, sources=(source,)))) == [("ended", False)]
    assert kinds(rules(replace(row, effective_to=TODAY)), rules(row)) == [("changed", True)]


def test_a_load_is_recorded_with_its_actor(row: Requirement) -> None:
    """The record has one line for each change. A job rechecks the DIDs only if a version has `reverify`."""
    later = replace(row, version=2, effective_from=TOMORROW)
    outcome = load_rules(rules(row), load(rules(row, later)), NOON)
    assert isinstance(outcome, Decided)
    (record,) = outcome.also
    assert (record.changed_by, len(record.lines)) == ("user:op", 1)
    again = replace(later, reverify=True, grace_until=TOMORROW)
    outcome = load_rules(rules(row), load(rules(row, again)), NOON)
    assert isinstance(outcome, Decided)
    record, job = outcome.also
    assert (job.job_id, job.kind, job.parameters) == (record.change_id, "recheck_dids", Recheck(country="XX"))
    assert (job.account, job.role, job.created_by) == ("", "operator", "user:op")
    undone = load_rules(rules(row, again), load(rules(row)), NOON)
    assert isinstance(undone, Decided)
    assert len(undone.also) == 2


def test_loading_twice_changes_nothing(row: Requirement) -> None:
    """The second load of the same file is unchanged."""
    assert isinstance(load_rules(rules(row), load(rules(row)), NOON), Unchanged)


def test_a_load_that_changes_a_version_in_force_is_refused(row: Requirement) -> None:
    """The refusal has a code and names the row."""
    outcome = load_rules(rules(row), load(rules(replace(row, required=False))), NOON)
    assert isinstance(outcome, Refused)
    assert outcome.code == "version_begun"
    assert row.key in outcome.message


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"reverify": True}, "reverify and grace_until must be given together"),
        ({"grace_until": TOMORROW}, "reverify and grace_until must be given together"),
        ({"reverify": True, "grace_until": date(2019, 1, 1)}, "grace_until is before effective_from"),
        ({"effective_from": date(1969, 12, 31)}, "effective_from must lie from 1970-01-01 to 2200-01-01"),
        ({"effective_to": date(9999, 12, 31)}, "effective_to must lie from 1970-01-01 to 2200-01-01"),
    ],
)
def test_a_version_with_reverify_needs_a_grace_date(row: Requirement, change: Any, fault: str) -> None:
    """The date must not be before the version begins."""
    assert [line.partition(": ")[2] for line in faults(rules(replace(row, **change)))] == [fault]


def test_a_change_touches_the_dids_that_the_row_judges(row: Requirement) -> None:
    """These are the DIDs of its country and number type, and those with its key."""
    kind = {"end_user_type": None, "state": "approved", "dids": 1}
    here = DidCount(country="XX", number_type="local", requirement="any.any", **kind)
    assert here.touched_by("XX", row)
    assert not replace(here, number_type="mobile").touched_by("XX", row)
    assert not replace(here, country="YY").touched_by("XX", row)
    assert replace(here, country="YY", requirement=row.key).touched_by("XX", row)


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
def test_a_review_counts_if_its_version_made_all_of_todays_checks(
    row: Requirement, today: Any, covered: bool
) -> None:
    """The earlier version must have asked for everything that today's asks for, as strictly."""
    earlier = replace(row, identity_fields=(NAME,), documents=(BILL,))
    assert includes_checks(earlier, replace(earlier, version=2, **today)) is covered


@pytest.mark.parametrize(("field", "stricter"), [("required", True), ("match", "area"), ("proof", True)])
def test_a_stricter_address_rule_is_not_covered(row: Requirement, field: str, stricter: Any) -> None:
    """An address that is now required, must be nearer, or must be proved was not checked by the review."""
    today = replace(row, address=replace(row.address, **{field: stricter}))
    assert not includes_checks(row, today)
    assert includes_checks(today, row)


def test_a_version_with_reverify_ends_earlier_reviews(row: Requirement) -> None:
    """No version before it counts any more."""
    second = replace(row, version=2, reverify=True, grace_until=TOMORROW)
    third = replace(row, version=3)
    country = rules(row, second, third)
    assert earlier_version(country, None, row, 1) == row
    assert earlier_version(country, None, second, 1) is None
    assert earlier_version(country, None, third, 1) is None
    assert earlier_version(country, None, third, 2) == second
