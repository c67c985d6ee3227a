"""How long is waited for carriers."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didflow_provisioning.domain.timing import USUAL, deadline, give_up_at, pause


def test_an_activation_is_tried_for_a_week_and_the_rest_for_a_day(say: Any) -> None:
    """Seven days for an activation, twenty-four hours for every other order."""
    assert give_up_at("simulator", "activate", say.zero) == say.zero + timedelta(days=7)
    assert give_up_at("simulator", "release", say.zero) == say.zero + timedelta(hours=24)


def test_an_answer_is_due_in_two_minutes_or_at_the_end_of_the_order(say: Any) -> None:
    """The last attempt's deadline is cut to the order's own end."""
    assert deadline("simulator", say.zero, say.zero + timedelta(days=1)) == say.zero + timedelta(minutes=2)
    assert deadline("simulator", say.zero, say.zero + timedelta(minutes=1)) == say.zero + timedelta(minutes=1)


@given(attempt=st.integers(1, 10_000), command=st.uuids())
def test_pauses_double_and_spread_within_their_bounds(attempt: int, command: Any) -> None:
    """Each pause lies between a half and the whole of its doubled length, an hour at most; twice the same."""
    whole = min(USUAL.first_pause * 2 ** min(attempt - 1, 32), USUAL.longest_pause)
    assert whole / 2 <= pause("simulator", command, attempt) <= whole
    assert pause("simulator", command, attempt) == pause("simulator", command, attempt)


@pytest.mark.parametrize("asked", [1, 60, 10**30])
def test_a_carrier_that_asks_for_time_is_given_it(say: Any, asked: int) -> None:
    """`retry_after_s` is the least that is waited, a week at most, however large the number."""
    waited = pause("simulator", say.did, 1, asked)
    least = timedelta(seconds=min(asked, 7 * 24 * 3600))
    assert least <= waited <= max(least * 1.1, USUAL.first_pause)
