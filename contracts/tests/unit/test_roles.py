"""The table of roles and actions is complete."""

import pytest

from didflow_contracts.roles import ACTIONS, ROLES, ROLES_OF, may, permissions


def test_each_action_has_its_roles():
    """The table has every action once, in the order of the actions, and only known roles."""
    assert tuple(ROLES_OF) == ACTIONS
    assert all(roles and roles <= set(ROLES) for roles in ROLES_OF.values())


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        ("user", {"see_numbers", "edit_description", "read_requirements"}),
        (
            "reviewer",
            {
                "see_numbers",
                "read_accounts",
                "read_requirements",
                "evaluate",
                "read_details",
                "read_verifications",
                "read_service_requests",
                "decide_verifications",
                "decide_service",
            },
        ),
        ("operator", set(ACTIONS) - {"decide_verifications", "decide_service", "read_credentials"}),
        (
            "enterprise_admin",
            set(ACTIONS)
            - {
                "assign_account",
                "take_back",
                "manage_accounts",
                "manage_operators",
                "manage_packages",
                "manage_carriers",
                "decide_verifications",
                "decide_service",
                "manage_prices",
                "read_credentials",
                "retry_carrier",
                "read_carrier_settings",
                "operate",
            },
        ),
    ],
)
def test_a_role_may_do_what_the_specification_lists(role, actions):
    """Read by role, the table is that of the specification."""
    assert set(permissions(role)) == actions
    assert all(may(role, action) == (action in actions) for action in ACTIONS)


def test_an_unknown_role_may_nothing():
    """A role that is not in the table has no permissions."""
    assert permissions("administrator") == ()
