"""Unknown data fields whose names are close to a known one."""

from typing import Any

import orjson
import pytest

from didflow_contracts.envelope import decode
from didflow_contracts.events import EVENT_TYPES, DidPurchased
from didflow_contracts.near_misses import MAX_FIELDS, NO_NEAR_MISSES, near_misses


@pytest.mark.parametrize(
    ("unknown", "known"),
    [
        ("billing_cycle", "billing_cycles"),
        ("billingCycles", "billing_cycles"),
        ("purchased-at", "purchased_at"),
        ("sms_carier", "sms_carrier"),
    ],
)
def test_a_name_that_is_close_to_a_known_field_is_found(unknown: str, known: str) -> None:
    """Case, separators and one wrong letter do not hide it."""
    assert near_misses(DidPurchased, {unknown: 1, "number": "+3532212345"}) == {unknown: known}


def test_other_unknown_names_are_not_reported() -> None:
    """Order systems may add fields of their own."""
    assert near_misses(DidPurchased, {"campaign": "spring", "partner_reference": "x"}) == {}


def test_known_fields_cost_nothing(purchase: dict[str, Any]) -> None:
    """The same empty mapping is returned for every event without unknown fields."""
    assert near_misses(DidPurchased, purchase["data"]) is NO_NEAR_MISSES


def test_a_huge_number_of_unknown_fields_is_cut_off() -> None:
    """Only some short names are compared, so one event cannot use up the processor."""
    data = {f"billing_cycles{n:04d}": n for n in range(50_000)} | {"x" * 10_000: 1}
    assert len(near_misses(DidPurchased, data)) == MAX_FIELDS


def test_a_decoded_event_of_an_outside_source_has_its_near_misses(purchase: dict[str, Any]) -> None:
    """The event is accepted. Events of didflow services are not checked."""
    purchase["data"]["billing_cycle"] = 3
    event = decode(orjson.dumps(purchase), [], types=EVENT_TYPES)
    assert event.near_misses == {"billing_cycle": "billing_cycles"}
    ours = decode(orjson.dumps(purchase | {"source": "/didflow/inventory"}), [], types=EVENT_TYPES)
    assert ours.near_misses == {}
