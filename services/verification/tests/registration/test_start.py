"""Whether a number needs registration, decided when its DID begins."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from didflow_chassis.decision import Decided, Unchanged
from didflow_verification.domain.catalogue.rules import ANYWHERE, CountryRules


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
    desk: Any, say: Any, *, number: str, number_type: str, state: str, requirement: str
) -> None:
    """A free country, one that asks, one without a row, a number of no country, one that cannot exist."""
    say.number = number
    desk.take(say.purchased(number_type=number_type))
    (event,) = desk.said
    assert (event.registration, event.requirement, event.requirement_version) == (state, requirement, 1)
    assert desk.topics() == ["required" if state == "awaiting" else state]
    assert (event.identity_id, event.verification_id, event.attempt) == (None, None, None)


def test_the_order_only_says_which_row_is_shown(desk: Any, say: Any) -> None:
    """Spain asks persons and businesses differently: the row of the one who ordered is shown first."""
    say.number = "+34911234567"
    desk.take(say.purchased(end_user_type="individual"))
    assert desk.registration.requirement == "es.local.individual"


def test_an_individual_awaits_even_where_only_businesses_may(desk: Any, say: Any) -> None:
    """Rows without one for the end-user type still ask for registration."""
    desk.take(say.purchased(end_user_type="individual"))
    assert (desk.registration.state, desk.registration.requirement) == ("awaiting", "ie.local.business")


def test_the_requirement_is_the_one_in_force_when_it_is_decided(desk: Any, say: Any, make: Any) -> None:
    """A row that begins tomorrow counts from 00:00 UTC of its day, whatever the purchase's own time."""
    rows = (
        make.requirement(required=False, effective_to=None),
        make.requirement(version=2, effective_from=date(2026, 11, 21)),
    )
    desk.enter(CountryRules(country="IE", places={}, requirements=rows))
    midnight = datetime(2026, 11, 21, tzinfo=UTC)
    desk.take(say.purchased(), now=midnight - timedelta(microseconds=1))
    assert desk.registration.state == "not_required"
    desk.states.clear()
    desk.enter(CountryRules(country="IE", places={}, requirements=rows))
    desk.take(say.purchased(), now=midnight)
    assert (desk.registration.state, desk.registration.requirement_version) == ("awaiting", 2)


def test_a_purchase_after_the_port_in_begins_nothing_new(desk: Any, say: Any) -> None:
    """The registration begun with the porting goes on."""
    desk.take(say.porting_started())
    assert desk.take(say.purchased()) == Unchanged()
    assert desk.topics() == ["required"]


def test_a_purchase_tells_what_the_port_in_left_open(desk: Any, say: Any) -> None:
    """Who will use the number comes with the purchase: the row shown becomes that one's, and that is said."""
    say.number = "+34911234567"
    desk.take(say.porting_started(end_user_type=None))
    desk.take(say.purchased(end_user_type="business"))
    assert [event.requirement for event in desk.said] == ["es.local.individual", "es.local.business"]
    assert desk.registration.end_user_type == "business"


def test_without_a_catalogue_nothing_is_decided(desk: Any, say: Any) -> None:
    """A service that was not migrated fails loudly; it never says that nothing is required."""
    desk.states.pop((CountryRules, ANYWHERE))
    desk.states.pop((CountryRules, "IE"))
    with pytest.raises(LookupError, match="no row"):
        desk.take(say.purchased())
    assert desk.said == []


def test_a_purchase_is_answered_once(desk: Any, say: Any) -> None:
    """A retried purchase under another event id says nothing more."""
    assert isinstance(desk.take(say.purchased()), Decided)
    assert desk.take(say.purchased()) == Unchanged()
    assert len(desk.said) == 1
