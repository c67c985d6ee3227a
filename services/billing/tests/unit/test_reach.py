"""Whose terms a caller may change."""

from dataclasses import replace
from typing import Any

from msgspec import structs

from didflow_billing.domain.term_changes import NOT_FOUND, cancel, renew, restore, set_cycles
from didflow_chassis.decision import Caller, Refused


def test_unknown_closed_and_foreign_terms_are_refused_alike(running: Any, make: Any) -> None:
    """So nobody learns which numbers other accounts hold."""
    foreign = Caller(subject="eve", account="master/acm", role="reseller")
    decisions: dict[Any, Any] = {
        set_cycles: make.set_cycles(1),
        renew: make.renew(),
        cancel: make.cancel(),
        restore: make.restore(),
    }
    for decide, command in decisions.items():
        removed = structs.replace(running.term, state="closed")
        for term, caller in [(None, make.caller), (removed, make.caller), (running.term, foreign)]:
            assert decide(term, replace(command, caller=caller), make.zero) == NOT_FOUND


def test_an_operator_and_an_account_above_may_change_the_term(running: Any, make: Any) -> None:
    """Whole segments of the account path are compared."""
    for caller in (
        Caller(subject="op", account="didflow", role="operator"),
        Caller(subject="top", account="master", role="master_reseller"),
    ):
        assert not isinstance(cancel(running.term, replace(make.cancel(), caller=caller), make.zero), Refused)
