"""Deadlines, pauses and the time after which a carrier command is given up."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didflow_provisioning.domain.timing import DEFAULT_TIMING, deadline, give_up_at, pause


def test_an_activation_is_tried_for_a_week_and_other_commands_for_a_day(messages: Any) -> None:
    """The time counts from the first attempt."""
    assert give_up_at(DEFAULT_TIMING, "activate", messages.start) == messages.start + timedelta(days=7)
    assert give_up_at(DEFAULT_TIMING, "release", messages.start) == messages.start + timedelta(hours=24)


@pytest.mark.parametrize(("limit_minutes", "minutes"), [(24 * 60, 2), (1, 1)])
def test_a_result_is_due_in_two_minutes_or_when_the_command_is_given_up(
    messages: Any, limit_minutes: int, minutes: int
) -> None:
    """The deadline of the last attempt is cut to the end of the command."""
    limit = messages.start + timedelta(minutes=limit_minutes)
    assert deadline(DEFAULT_TIMING, messages.start, limit) == messages.start + timedelta(minutes=minutes)


@given(attempt=st.integers(1, 10_000), command_id=st.uuids())
def test_the_pause_doubles_and_varies_within_its_bounds(attempt: int, command_id: Any) -> None:
    """It lies between a half and the whole of the doubled pause. The same attempt always has the same pause."""
    doubled = DEFAULT_TIMING.first_pause * 2 ** min(attempt - 1, 32)
    longest = min(doubled, DEFAULT_TIMING.longest_pause)
    assert longest / 2 <= pause(DEFAULT_TIMING, command_id, attempt) <= longest
    assert pause(DEFAULT_TIMING, command_id, attempt) == pause(DEFAULT_TIMING, command_id, attempt)


@pytest.mark.parametrize("retry_after_s", [1, 60, 10**30])
def test_the_pause_is_at_least_retry_after(messages: Any, retry_after_s: int) -> None:
    """It is a week at most, however large `retry_after_s` is."""
    found = pause(DEFAULT_TIMING, messages.did_id, 1, retry_after_s)
    least = timedelta(seconds=min(retry_after_s, 7 * 24 * 3600))
    assert least <= found <= max(least * 1.1, DEFAULT_TIMING.first_pause)
