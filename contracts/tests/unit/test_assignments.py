"""Which assignments of end-user details count: the rule that inventory and verification share."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from didflow_contracts.assignments import (
    AssignmentAccepted,
    AssignmentRefused,
    after,
    assignment_of,
    judge_assignment,
)
from didflow_contracts.envelope import Event
from didflow_contracts.events import EnduserAssigned
from didflow_contracts.ownership import Holder

NUMBER, ONE, TWO = "+3532212345", UUID(int=1), UUID(int=2)
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
PORTAL, INVENTORY = "/portals/acme", "/didflow/inventory"


def event(
    at: datetime = BEGIN, source: str = PORTAL, *, time: datetime | None = None, **changes: Any
) -> Event[EnduserAssigned]:
    """Return an assignment of the details ONE to a DID of `master/acme`."""
    data = {"did_id": ONE, "number": NUMBER, "account": "master/acme", "identity_id": ONE, "assigned_at": at}
    return Event(id="1", source=source, time=time or at, data=EnduserAssigned.model_validate(data | changes))


def judged(given: Event[EnduserAssigned], **did: Any) -> AssignmentAccepted | AssignmentRefused:
    """Judge an event about a live DID of `master/acme` that has no assignment yet, unless `did` says otherwise."""
    holders = (Holder(account="master/acme", since=None),)
    whole: dict[str, Any] = {"number": NUMBER, "ended": False, "holders": holders, "last": None}
    return judge_assignment(given, **whole | did)


def code(given: Event[EnduserAssigned], **did: Any) -> str | None:
    """Return the code of a refusal, or None."""
    found = judged(given, **did)
    return found.code if isinstance(found, AssignmentRefused) else None


def test_an_assignment_is_refused_for_another_number_an_ended_did_and_another_account() -> None:
    """The number comes first: with another one, nothing else in the event is about this DID."""
    assert code(event(), number="+3532212346", ended=True) == "did_id_taken"
    assert code(event(account="other"), ended=True) == "did_ended"
    assert code(event(account="other")) == "not_yours"
    assert code(event(account="master/acme/shop")) == "not_yours"
    assert code(event(account="master")) is None


@pytest.mark.parametrize(
    ("account", "at", "holder"),
    [
        ("master/acme", BEGIN, "master/acme"),
        ("master/acme", BEGIN + HOUR, None),
        ("master/globex", BEGIN, "master/globex"),
        ("master/globex", BEGIN + HOUR, "master/globex"),
        ("master", BEGIN, "master/acme"),
        ("master", BEGIN + HOUR, "master/globex"),
    ],
)
def test_details_are_for_the_holder_of_their_instant_or_of_now(
    account: str, at: datetime, holder: str | None
) -> None:
    """The DID was handed over half an hour after the beginning."""
    holders = (
        Holder(account="master/acme", since=None),
        Holder(account="master/globex", since=BEGIN + HOUR / 2),
    )
    found = judged(event(at, account=account), holders=holders)
    assert (found.holder if isinstance(found, AssignmentAccepted) else None) == holder


def test_the_instant_of_an_assignment_from_outside_is_never_later_than_its_event() -> None:
    """A portal cannot block later assignments by a date in the future. Inventory may: it counts its own instants up."""
    future = BEGIN + timedelta(days=365)
    assert assignment_of(event(future, time=BEGIN)).assigned_at == BEGIN
    assert assignment_of(event(future, INVENTORY, time=BEGIN)).assigned_at == future
    assert assignment_of(event(None, time=BEGIN)).assigned_at == BEGIN  # type: ignore[arg-type]


def test_of_several_assignments_the_same_one_is_the_last_in_every_order() -> None:
    """Also if their instants are equal: then the time of the event decides, and then the ids."""
    first, second, third = event(), event(identity_id=TWO), event(BEGIN, time=BEGIN + HOUR)
    for one, other in ((first, second), (second, third), (first, event(BEGIN + HOUR))):
        assert code(one, last=assignment_of(other)) == "outdated"
        assert code(other, last=assignment_of(one)) is None


def test_the_same_details_at_the_same_instant_are_a_repeat_whatever_the_order_of_the_documents() -> None:
    """The later of both times is kept, so that the order of arrival does not matter."""
    early, late = event(document_ids=[ONE, TWO]), event(time=BEGIN + HOUR, document_ids=[TWO, ONE])
    for one, other in ((early, late), (late, early)):
        found = judged(one, last=assignment_of(other))
        assert isinstance(found, AssignmentAccepted)
        assert (found.again, found.assignment) == (True, assignment_of(late))


def test_inventory_assigns_later_than_everything_that_it_knows() -> None:
    """A portal whose clock is ahead does not win over an assignment that was made after its own."""
    ahead = assignment_of(event(BEGIN + HOUR))
    assert after(None, BEGIN) == BEGIN
    assert after(ahead, BEGIN + 2 * HOUR) == BEGIN + 2 * HOUR
    assert BEGIN + HOUR < after(ahead, BEGIN) < BEGIN + HOUR + timedelta(seconds=1)
