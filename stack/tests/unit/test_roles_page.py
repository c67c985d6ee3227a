"""The page that says who may do what is that of the code."""

from pathlib import Path

from didflow.roles_page import page
from didflow_contracts.roles import ACTIONS, ROLES, RULES_OF_ACCOUNTS, TIERS

PAGE = Path(__file__).parents[3] / "docs" / "roles.md"


def test_the_page_of_roles_is_current() -> None:
    """To update it: `python -m didflow.roles_page > docs/roles.md`."""
    assert PAGE.read_text() == page()


def test_every_role_has_its_tier_and_every_rule_its_action() -> None:
    """A new role or a renamed action is noticed."""
    assert tuple(TIERS) == ROLES
    assert RULES_OF_ACCOUNTS.keys() <= set(ACTIONS)
