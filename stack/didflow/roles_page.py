"""The page that says who may do what. To update it: `python -m didflow.roles_page > docs/roles.md`."""

from collections.abc import Iterator
from typing import Final

from didflow_contracts.roles import ACTIONS, ROLES, ROLES_OF, RULES_OF_ACCOUNTS, TIERS
from didflow_contracts.terminal import say_lines

HEAD: Final = """\
# Who may do what

This page is generated: `python -m didflow.roles_page > docs/roles.md`. A test compares it with the code.

Accounts are a tree. A caller sees and touches the things of its own account and of all accounts below it, and nothing
else: what is beside or above is answered like what does not exist. An operator reaches all accounts.

```mermaid
flowchart TD
    M["master reseller<br/>the root of a tree"] --> R["reseller<br/>as many levels as needed"]
    R --> R2[reseller] --> E2[enterprise]
    R --> E["enterprise<br/>no accounts below it"] --> U["users of PBX, trunk, SMS<br/>not accounts"]
```

## The roles

A token has one role, in one account.

| role | who it is |
|---|---|
"""

ACTIONS_HEAD: Final = """
## The actions

Each route has one action, in its OpenAPI entry as `x-action`. A route of jobs shows a list: one action for each kind of
job that the service has, and `operate`; a role needs one of them. The role is checked before anything is looked up (403
`role_not_allowed`). `GET /v1/me` returns the actions of the caller's role. The rules of accounts come on top: they can
only narrow what a role may do. `name_price` has no route of its own: it is checked where a body names a price.

"""


def page() -> str:
    """Return the page."""
    return "".join((HEAD, *_tiers(), ACTIONS_HEAD, *_actions(), *_rules()))


def _tiers() -> Iterator[str]:
    for role in ROLES:
        yield f"| `{role}` | {TIERS[role]} |\n"


def _actions() -> Iterator[str]:
    yield _row("action", *ROLES)
    yield f"|---|{':-:|' * len(ROLES)}\n"
    for action in ACTIONS:
        yield _row(f"`{action}`", *("x" if role in ROLES_OF[action] else " " for role in ROLES))


def _rules() -> Iterator[str]:
    yield "\n## The rules of accounts\n\n"
    yield _row("action", "rule")
    yield "|---|---|\n"
    for action, rule in RULES_OF_ACCOUNTS.items():
        yield _row(f"`{action}`", rule)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    say_lines(page())
