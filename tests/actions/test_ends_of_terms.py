"""The end of a term that My Numbers names (`by`) is the end that billing carries out and reminds of.

Inventory knows the term and the registration from events alone, and has its own table.
"""

from collections import Counter
from datetime import datetime
from random import Random
from typing import Final

from actions.conditions import random_condition

from didflow_billing.domain.term import Term, ending_of
from didflow_inventory.domain.my_numbers.next_step import end_of_term

CASES: Final = 2000


def end_in_billing(term: Term) -> tuple[str | None, datetime | None]:
    """Return why and when a term ends. A canceled one first expires, which billing does not remind of."""
    if term.state == "canceled" and term.aging_until is None:
        return "expiry", term.expires_at
    ending = ending_of(term)
    return (ending.reason, ending.at) if ending else (None, None)


def test_my_numbers_names_the_end_of_a_term_that_billing_carries_out() -> None:
    """Every reason for an end occurs, and terms that do not end by themselves."""
    seen: Counter[str | None] = Counter()
    for case in range(CASES):
        condition = random_condition(Random(case))
        reason, end = end_in_billing(condition.term)
        assert end_of_term(condition.did.views) == end, (case, reason)
        seen[reason] += 1
    expected = {None, "expiry", "canceled", "aging", "cycles_used_up", "registration_not_completed"}
    assert seen.keys() == expected
