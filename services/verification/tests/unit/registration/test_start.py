"""The start of a registration: whether a number requires one."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from didflow_chassis.decision import Decided, Unchanged
from didflow_verification.domain.requirements import CountryRules, rows_in_force


@pytest.mark.parametrize(
    ("number", "number_type", "state", "requirement"),
    [
        ("+35319609036", "local", "awaiting", "ie.local.business"),
        ("+442079460000", "local", "not_required", "gb.local.any"),
        ("+12125551234", "local", "not_required", "us.local.any"),
        ("+18005551234", "toll_free", "not_required", "us.toll_free.any"),
        ("+441481720000", "local", "awaiting", "any.any"),
        ("+447400123456", "mobile", "awaiting", "any.any"),
        ("+80012345678", "toll_free", "awaiting", "any.any"),
        ("+9991234567", "local", "awaiting", "any.any"),
    ],
)
def test_country_and_number_type_decide_whether_a_registration_is_required(
    stage: Any, build: Any, *, number: str, number_type: str, state: str, requirement: str
) -> None:
    """There are countries without a requirement, with one and without a row, and numbers of no country."""
    build.number = number
    stage.process(build.purchased(number_type=number_type))
    (event,) = stage.axis_events
    assert (event.registration, event.requirement, event.requirement_version) == (state, requirement, 1)
    assert stage.axis_topics() == ["required" if state == "awaiting" else state]
    assert (event.identity_id, event.verification_id, event.attempt) == (None, None, None)


def test_the_purchase_only_decides_which_row_is_shown(stage: Any, build: Any) -> None:
    """Spain has different rows for individuals and businesses. The row of the purchaser's type is shown first."""
    build.number = "+34911234567"
    stage.process(build.purchased(end_user_type="individual"))
    assert stage.registration.requirement == "es.local.individual"


def test_an_individual_awaits_where_only_businesses_are_allowed(stage: Any, build: Any) -> None:
    """A registration is required even if no row covers the end-user type."""
    stage.process(build.purchased(end_user_type="individual"))
    assert (stage.registration.state, stage.registration.requirement) == ("awaiting", "ie.local.business")


def test_the_requirement_is_the_one_in_force_when_it_is_decided(
    stage: Any, new_stage: Any, build: Any, make: Any
) -> None:
    """A row that begins tomorrow applies from 00:00 UTC on, whatever the time of the purchase."""
    rows = (
        make.requirement(required=False, effective_to=None),
        make.requirement(version=2, effective_from=date(2026, 11, 21)),
    )
    rules = (*(r for r in stage.states(CountryRules) if r.country != "IE"),)
    midnight = datetime(2026, 11, 21, tzinfo=UTC)
    results = []
    for now in (midnight - timedelta(microseconds=1), midnight):
        other = new_stage((*rules, CountryRules(country="IE", places={}, requirements=rows)))
        other.process(build.purchased(), now=now)
        results.append((other.registration.state, other.registration.requirement_version))
    assert results == [("not_required", 1), ("awaiting", 2)]


def test_a_purchase_after_a_porting_starts_nothing(stage: Any, build: Any) -> None:
    """The registration that started with the porting continues."""
    stage.process(build.porting_started())
    assert stage.process(build.purchased()) == Unchanged()
    assert stage.axis_topics() == ["required"]


def test_a_purchase_adds_the_end_user_type_that_the_porting_left_open(stage: Any, build: Any) -> None:
    """The row of that type is shown from then on, and published."""
    build.number = "+34911234567"
    stage.process(build.porting_started(end_user_type=None))
    stage.process(build.purchased(end_user_type="business"))
    assert [event.requirement for event in stage.axis_events] == ["es.local.individual", "es.local.business"]
    assert stage.registration.end_user_type == "business"


def test_without_a_catalogue_nothing_is_decided(new_stage: Any, build: Any) -> None:
    """The purchase of a service that was not migrated is retried. It never becomes not_required."""
    stage = new_stage(())
    stage.process(build.purchased())
    (parked,) = stage.parked()
    assert parked.reason == "retry"
    assert "catalogue is empty" in parked.last_error
    assert stage.topics() == []
    with pytest.raises(LookupError):
        rows_in_force(None, None, "local", date(2026, 11, 20))


def test_a_purchase_is_published_once(stage: Any, build: Any) -> None:
    """A repeated purchase with another event id publishes nothing more."""
    assert isinstance(stage.process(build.purchased()), Decided)
    assert stage.process(build.purchased()) == Unchanged()
    assert len(stage.axis_events) == 1
