"""DIDs at the beginning of their terms.

In these tests an instant belongs to what begins at it: at the end of a period the period is over, at `aging_until`
the DID is gone. Reminders are the subject of other tests, so `term.expiring` is left out of every comparison.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

SECOND = timedelta(seconds=1)


@pytest.fixture
def start(new_billing: Any, make: Any) -> Iterator[Callable[..., Any]]:
    """Makes billing with one DID that inventory has accepted. No message of it may end as a dead letter or parked.

    `registration` is the first answer of verification, None for no answer yet. The rest changes the purchase.
    """
    started = []

    def begin(registration: str | None = "not_required", at: datetime = make.zero, **purchase: Any) -> Any:
        billing = new_billing()
        started.append(billing)
        billing.process(make.purchased(at, **purchase))
        billing.process(make.did_changed(at))
        if registration is not None:
            billing.process(make.registration(registration, at))
        return billing

    yield begin
    assert [billing.dead_letters() or billing.parked() for billing in started] == [[]] * len(started)


@pytest.fixture(params=[-SECOND, timedelta(0), SECOND], ids=["a second before", "at", "a second after"])
def moment(request: pytest.FixtureRequest) -> timedelta:
    """The distance to the instant that a rule is about: a second before it, none, a second after it."""
    distance: timedelta = request.param
    return distance
