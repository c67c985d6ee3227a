"""Which accounts an event may name: the rule for `not_yours`."""

from datetime import UTC, datetime

import pytest

from didflow_contracts.envelope import Event
from didflow_contracts.events import EnduserAssigned
from didflow_contracts.ownership import contradicts_owner, is_from_didflow

HOLDER = "master/acme/shop"


def event(account: str, source: str) -> Event[EnduserAssigned]:
    did_id = "01980f2c-7c00-7000-8000-000000000001"
    data = EnduserAssigned.model_validate(
        {"did_id": did_id, "number": "+3532212345", "account": account, "identity_id": did_id}
    )
    return Event(id="1", source=source, time=datetime(2026, 3, 2, tzinfo=UTC), data=data)


@pytest.mark.parametrize(
    ("account", "contradicts"),
    [
        ("master/acme/shop", False),
        ("master/acme", False),
        ("master", False),
        ("master/acme/shop/till", True),
        ("master/acme/other", True),
        ("master/acm", True),
        ("other", True),
    ],
)
def test_an_outside_source_may_name_the_holder_or_an_account_above(account: str, contradicts: bool) -> None:
    """An account below the holder, and any other account, contradicts the owner."""
    assert contradicts_owner(event(account, "/portals/acme"), HOLDER) is contradicts


def test_a_didflow_service_may_name_any_account() -> None:
    """Between didflow services the account is information only."""
    assert not contradicts_owner(event("other", "/didflow/inventory"), HOLDER)


@pytest.mark.parametrize(
    ("source", "ours"), [("/didflow/billing", True), ("/didflowers/acme", False), ("/orders/didflow/", False)]
)
def test_a_source_is_of_didflow_if_it_begins_with_its_prefix(source: str, ours: bool) -> None:
    """The prefix ends with a slash, so similar names do not count."""
    assert is_from_didflow(event(HOLDER, source)) is ours
