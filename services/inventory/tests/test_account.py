"""The tenancy tree: who may create what, and that it stays a tree."""

from typing import Any

import pytest

from didflow_chassis.decision import Decided, Unchanged
from didflow_inventory.domain.account import Account, lineage, parent_of


def test_an_account_is_created_below_ones_own(inventory: Any, say: Any) -> None:
    """A reseller makes an account for its customer."""
    outcome = inventory.process(say.account_at("master/acme/new", name="New"))

    assert isinstance(outcome, Decided)
    made = inventory.state(Account, "master/acme/new")
    assert (made.name, made.created_at, outcome.answer) == ("New", say.zero, made)


@pytest.mark.parametrize("path", ["master", "master/acme", "other/new", "master/acmeshop", "new"])
def test_nothing_is_created_beside_or_above_oneself(inventory: Any, say: Any, path: Any) -> None:
    """What lies outside of the caller's subtree does not exist for it."""
    assert inventory.process(say.account_at(path)).code == "not_found"


def test_the_operator_creates_roots_and_anything_below(inventory: Any, say: Any) -> None:
    """A tree begins with the operator."""
    operator = say.caller("ops", "operator")
    for path in ("new", "new/below", "other/below"):
        assert isinstance(inventory.process(say.account_at(path, operator)), Decided)


def test_no_account_hangs_in_the_air(inventory: Any, say: Any) -> None:
    """The account above must be there first."""
    assert inventory.process(say.account_at("master/acme/none/below")).code == "parent_unknown"


def test_the_same_account_again_is_unchanged_and_another_of_its_path_is_refused(
    inventory: Any, say: Any
) -> None:
    """Creating is safe to repeat, and never overwrites."""
    inventory.process(say.account_at("master/acme/new"))
    again = inventory.process(say.account_at("master/acme/new"))

    assert isinstance(again, Unchanged)
    assert again.answer.path == "master/acme/new"
    assert inventory.process(say.account_at("master/acme/new", name="else")).code == "account_exists"


def test_a_path_is_its_own_proof_of_ancestry() -> None:
    """The nearest comes first, the root last; a root has nobody above."""
    assert lineage("a/b/c") == ("a/b/c", "a/b", "a")
    assert (parent_of("a/b/c"), parent_of("a")) == ("a/b", None)
