"""Which of two events about the same axis is newer."""

from datetime import UTC, datetime

import pytest

from didflow_contracts.envelope import Event
from didflow_contracts.events import DidRemoved
from didflow_contracts.sequences import is_newer, with_sequence


def event(sequence: int | None, source: str = "/didflow/billing") -> Event[DidRemoved]:
    data = DidRemoved.model_validate(
        {
            "did_id": "01980f2c-7c00-7000-8000-000000000001",
            "number": "+3532212345",
            "account": "master",
            "reason": "aged_out",
            "refunded": False,
        }
    )
    return Event(id="1", source=source, time=datetime(2026, 3, 2, tzinfo=UTC), data=data, sequence=sequence)


@pytest.mark.parametrize(("sequence", "newer"), [(1, False), (5, False), (6, True), (None, True)])
def test_an_event_is_newer_if_its_sequence_is_higher(sequence: int | None, newer: bool) -> None:
    """An event without a sequence cannot be compared and is always newer."""
    applied = with_sequence({}, "term", event(5))
    assert is_newer(applied, "term", event(sequence)) is newer


def test_the_first_event_of_an_axis_is_newer() -> None:
    """Nothing has been applied before it."""
    assert is_newer({}, "term", event(1))


def test_each_axis_and_each_source_has_its_own_sequence() -> None:
    """A high sequence elsewhere does not make an event outdated."""
    applied = with_sequence({}, "term", event(50))
    assert is_newer(applied, "stock", event(1))
    assert is_newer(applied, "term", event(1, "/didflow/inventory"))


def test_the_applied_sequence_is_stored_in_a_new_mapping() -> None:
    """The given mapping does not change. An event without a sequence stores nothing."""
    before = with_sequence({}, "term", event(5))
    assert with_sequence(before, "term", event(None)) is before
    assert with_sequence(before, "term", event(7)) == {"term:/didflow/billing": 7}
    assert before == {"term:/didflow/billing": 5}
