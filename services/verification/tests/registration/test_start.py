"""Whether a number needs registration, decided when its DID begins."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from didflow_chassis.decision import Decided, Unchanged
from didflow_verification.domain.catalogue.rules import CountryRules


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
def test_the_country_and_the_type_decide(
    stage: Any, say: Any, *, number: str, number_type: str, state: str, requirement: str
) -> None:
    """A free country, one that asks, one without a row, a number of no country, one that cannot exist."""
    say.number = number
    stage.process(say.purchased(number_type=number_type))
    (event,) = stage.axes()
    assert (event.registration, event.requirement, event.requirement_version) == (state, requirement, 1)
    assert stage.axis_topics() == ["required" if state == "awaiting" else state]
    assert (event.identity_id, event.verification_id, event.attempt) == (None, None, None)


def test_the_order_only_says_which_row_is_shown(stage: Any, say: Any) -> None:
    """Spain asks persons and businesses differently: the row of the one who ordered is shown first."""
    say.number = "+34911234567"
    stage.process(say.purchased(end_user_type="individual"))
    assert stage.registration.requirement == "es.local.individual"


def test_an_individual_awaits_even_where_only_businesses_may(stage: Any, say: Any) -> None:
    """Rows without one for the end-user type still ask for registration."""
    stage.process(say.purchased(end_user_type="individual"))
    assert (stage.registration.state, stage.registration.requirement) == ("awaiting", "ie.local.business")


@pytest.mark.parametrize(
    ("before", "state", "version"),
    [(timedelta(microseconds=1), "not_required", 1), (timedelta(0), "awaiting", 2)],
)
def test_the_requirement_is_the_one_in_force_when_it_is_decided(
    stage: Any, say: Any, make: Any, *, before: timedelta, state: str, version: int
) -> None:
    """A row that begins tomorrow counts from 00:00 UTC of its day, whatever the purchase's own time."""
    rows = (
        make.requirement(required=False, effective_to=None),
        make.requirement(version=2, effective_from=date(2026, 11, 21)),
    )
    stage.store(CountryRules(country="IE", places={}, requirements=rows))
    midnight = datetime(2026, 11, 21, tzinfo=UTC)
    stage.process(say.purchased(), now=midnight - before)
    assert (stage.registration.state, stage.registration.requirement_version) == (state, version)


def test_a_purchase_after_the_port_in_begins_nothing_new(stage: Any, say: Any) -> None:
    """The registration begun with the porting goes on."""
    stage.process(say.porting_started())
    assert stage.process(say.purchased()) == Unchanged()
    assert stage.axis_topics() == ["required"]


def test_a_purchase_tells_what_the_port_in_left_open(stage: Any, say: Any) -> None:
    """Who will use the number comes with the purchase: the row shown becomes that one's, and that is said."""
    say.number = "+34911234567"
    stage.process(say.porting_started(end_user_type=None))
    stage.process(say.purchased(end_user_type="business"))
    assert [event.requirement for event in stage.axes()] == ["es.local.individual", "es.local.business"]
    assert stage.registration.end_user_type == "business"


def test_without_a_catalogue_nothing_is_decided(new_stage: Any, say: Any) -> None:
    """A service that was not migrated fails loudly; it never says that nothing is required."""
    stage = new_stage(catalogue=False)
    assert stage.process(say.purchased()) is None
    (parked,) = stage.parked()
    assert parked.reason == "retry"
    assert "LookupError: the catalogue has no row" in parked.last_error
    assert stage.axes() == []


def test_a_purchase_is_answered_once(stage: Any, say: Any) -> None:
    """A retried purchase under another event id says nothing more."""
    assert isinstance(stage.process(say.purchased()), Decided)
    assert stage.process(say.purchased()) == Unchanged()
    assert len(stage.axes()) == 1
