"""A purchase whose term has reminders."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

SECOND = timedelta(seconds=1)
FIRST_OF_MAY = datetime(2026, 5, 1, 9, tzinfo=UTC)


@pytest.fixture
def purchased(make: Any) -> Callable[..., Any]:
    """Purchases a DID at `at`, by default for 3 months, and receives its registrations, one second after another."""

    def purchase(billing: Any, *registrations: str, at: datetime = FIRST_OF_MAY, **changes: Any) -> Any:
        billing.process(make.purchased(at, **({"billing_period": 3} | changes)))
        billing.process(make.did_changed(at))
        for n, registration in enumerate(registrations, 1):
            billing.process(make.registration(registration, at + n * SECOND, n))
        return billing

    return purchase
