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


@pytest.mark.parametrize(
    ("number", "area"),
    [
        ("+35319609036", "Dublin"),
        ("+498912345678", "Munich"),
        ("+447400123456", None),
        ("+80012345678", None),
        ("+61253412345", None),
    ],
)
def test_events_carry_the_english_name_of_the_area(
    stage: Any, build: Any, number: str, area: str | None
) -> None:
    """It is null for numbers without an area, and where the plan has a list of places that is too long for a name."""
    build.number = number
    stage.process(build.purchased())
    assert [event.area for event in stage.axis_events] == [area]


def test_the_purchase_only_decides_which_row_is_shown(stage: Any, build: Any) -> None:
    """Spain has different rows for individuals and businesses. The row of the purchaser's type is shown first."""
    build.number = "+34911234567"
    stage.process(build.purchased(end_user_type="individual"))
    assert stage.registration.requirement == "es.local.individual"


def test_an_individual_awaits_where_only_businesses_are_allowed(stage: Any, build: Any) -> None:
    """A registration is required even if no row covers the end-user type."""
    stage.process(build.purchased(end_user_type="individual"))
    assert (stage.registration.state, stage.registration.requirement) == ("awaiting", "ie.local.business")


FREE, REQUIRED = {"required": False}, {"required": True}
BUSINESS, INDIVIDUAL = {"end_user_types": ("business",)}, {"end_user_types": ("individual",)}


def irish_rows(new_stage: Any, make: Any, *rows: dict[str, Any]) -> Any:
    """Return a stage whose rules for Ireland are these rows, one key each."""
    made = tuple(make.requirement(key=f"ie.local.{n}", **row) for n, row in enumerate(rows))
    return new_stage((CountryRules(country="IE", places={}, requirements=made),))


@pytest.mark.parametrize(
    ("rows", "kind", "state", "shown"),
    [
        ([FREE | BUSINESS], "business", "not_required", "ie.local.0"),
        ([FREE | BUSINESS], "individual", "awaiting", "ie.local.0"),
        ([FREE | BUSINESS], None, "awaiting", "ie.local.0"),
        ([FREE | BUSINESS, FREE | INDIVIDUAL], None, "not_required", "ie.local.0"),
        ([REQUIRED | BUSINESS, FREE | INDIVIDUAL], "individual", "awaiting", "ie.local.1"),
        ([REQUIRED | BUSINESS, FREE | INDIVIDUAL], "business", "awaiting", "ie.local.0"),
    ],
)
def test_a_free_row_for_businesses_makes_no_order_of_an_individual_free(
    new_stage: Any, build: Any, make: Any, *, rows: Any, kind: Any, state: str, shown: str
) -> None:
    """A number needs no registration only if no row requires one and a row covers the end-user type."""
    stage = irish_rows(new_stage, make, *rows)
    stage.process(build.purchased(end_user_type=kind))
    assert (stage.registration.state, stage.registration.requirement) == (state, shown)


def test_an_individual_is_rejected_where_the_free_row_is_for_businesses(
    new_stage: Any, build: Any, make: Any, acme: Any
) -> None:
    """Every submission of a type that no row covers is rejected. One of the other type is approved."""
    stage = irish_rows(new_stage, make, FREE | BUSINESS)
    joan = make.individual()
    stage.store(joan, acme)
    stage.process_all(build.purchased(end_user_type="individual"), build.assigned(joan))
    assert [reason.code for reason in stage.registration.reasons] == ["business_only"]
    stage.process(build.assigned(acme, at=build.zero + timedelta(minutes=1)))
    assert stage.registration.state == "approved"


def test_a_porting_that_names_no_end_user_type_awaits_until_the_purchase_names_a_free_one(
    new_stage: Any, build: Any, make: Any
) -> None:
    """The registration was required only because the type was unknown."""
    states = []
    for kind in ("business", "individual"):
        stage = irish_rows(new_stage, make, FREE | BUSINESS)
        stage.process(build.porting_started(end_user_type=None))
        assert stage.axis_topics() == ["required"]
        stage.process(build.purchased(end_user_type=kind))
        states.append((stage.registration.state, stage.axis_topics()))
    assert states == [("not_required", ["required", "not_required"]), ("awaiting", ["required"])]


def test_a_row_that_frees_businesses_leaves_individuals_awaiting(
    new_stage: Any, build: Any, make: Any
) -> None:
    """The new version has `reverify`, so it ends the requirement of the type that it covers."""
    begins = date(2026, 12, 1)
    free = FREE | BUSINESS | {"version": 2, "effective_from": begins, "reverify": True, "grace_until": begins}
    states = []
    for kind in ("business", "individual"):
        rows = (
            make.requirement(key="ie.local.any"),
            make.requirement(key="ie.local.any", **free),
        )
        stage = new_stage((CountryRules(country="IE", places={}, requirements=rows),))
        stage.process(build.purchased(end_user_type=kind))
        stage.run_timers(datetime(2026, 12, 2, tzinfo=UTC))
        states.append(stage.registration.state)
    assert states == ["not_required", "awaiting"]


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
