"""The accounts: who may create which account, and that every account but a root has one above."""

from typing import Any

import pytest

from didflow_chassis.decision import Decided, Unchanged
from didflow_contracts.accounts import lineage
from didflow_inventory.domain.accounts.account import Account, parent_of


def test_a_reseller_creates_an_account_below_its_own(stage: Any, make: Any) -> None:
    """The new account is stored and is the answer."""
    decision = stage.decide(make.create_account("master/acme/new", name="New"))

    assert isinstance(decision, Decided)
    account = stage.state(Account, "master/acme/new")
    assert (account.name, account.created_at, decision.answer) == ("New", make.zero, account)


@pytest.mark.parametrize("path", ["master", "master/acme", "other/new", "master/acmeshop", "new"])
def test_a_reseller_cannot_create_an_account_beside_or_above_its_own(
    stage: Any, make: Any, path: Any
) -> None:
    """Accounts outside the caller's reach are not found."""
    assert stage.code(make.create_account(path)) == "not_found"


def test_an_operator_creates_roots_and_accounts_anywhere(stage: Any, make: Any) -> None:
    """Only an operator can create a root."""
    operator = make.caller("ops", "operator")
    for path in ("new", "new/below", "other/below"):
        assert isinstance(stage.decide(make.create_account(path, operator)), Decided)


def test_an_account_is_created_only_below_an_existing_one(stage: Any, make: Any) -> None:
    """The account directly above must exist."""
    assert stage.code(make.create_account("master/acme/none/below")) == "parent_unknown"


def test_a_repeated_creation_is_unchanged_and_other_properties_are_refused(stage: Any, make: Any) -> None:
    """Creating an account never changes an existing one."""
    stage.decide(make.create_account("master/acme/new"))
    again = stage.decide(make.create_account("master/acme/new"))

    assert isinstance(again, Unchanged)
    assert again.answer.path == "master/acme/new"
    assert stage.code(make.create_account("master/acme/new", name="else")) == "account_exists"


@pytest.mark.parametrize(
    ("by", "code"),
    [
        (("ops", "operator"), None),
        (("master/acme", "reseller"), None),
        (("other", "master_reseller"), "price_not_allowed"),
        (("other", "reseller"), "price_not_allowed"),
    ],
)
def test_only_whoever_may_name_prices_lets_an_account_set_prices(
    stage: Any, make: Any, by: Any, code: Any
) -> None:
    """Otherwise a reseller would name prices through an account that it makes for that."""
    caller = make.caller(*by)
    path = f"{'other' if caller.role == 'operator' else caller.account}/new"
    assert stage.code(make.create_account(path, caller, may_set_prices=True)) == code
    stored = stage.state(Account, path)
    assert stored is None if code else stored.may_set_prices


def test_the_lineage_of_an_account_follows_from_its_path() -> None:
    """The nearest account comes first and the root last; a root has no parent."""
    assert lineage("a/b/c") == ("a/b/c", "a/b", "a")
    assert (parent_of("a/b/c"), parent_of("a")) == ("a/b", None)
