"""The page that says who may do what. To update it: `python -m didflow.roles_page > docs/roles.md`."""

from collections.abc import Iterator
from typing import Final

from didflow_contracts.roles import ACTIONS, ROLES, ROLES_OF, RULES_OF_ACCOUNTS, TIERS
from didflow_contracts.terminal import say_lines
from didflow_inventory.domain.my_numbers import actions as offered

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
OFFERED_HEAD: Final = """
## What can be done with a DID

`actions` of a DID lists what the caller may do with it now: its role may do the action, and the DID is in the condition
below. **Live** is the stock `assigned`, `blocked` or `on_hold`, **here** is live or `porting_in`. A term is **running**
in the states `active` and `delayed_removal`.

"""

OFFERED_END: Final = """
The list is for showing. The service that owns the axis decides. It accepts what is listed and refuses what is not; the
repeat of the last change is `unchanged`. A test sends every action to its service, in random conditions and by random
callers, and compares. These are the only differences:

| action | what the service does |
|---|---|
| `request_cnam` | refuses a number outside the United States and Canada: `not_supported` |
| `retry_carrier` | is `unchanged` if the activation was retried while calls must not flow: it is sent when they may |
| `retry_carrier` | also retries the failed release of a removed DID |
| `assign_end_user` | also takes details before verification has answered, and keeps details that nothing needs yet |
| `remove` | cancels a DID that it cannot remove: it is `cancel` with `remove: true` |
"""


def page() -> str:
    """Return the page."""
    parts = (HEAD, *_tiers(), ACTIONS_HEAD, *_actions(), *_rules(), OFFERED_HEAD, *_offered(), OFFERED_END)
    return "".join(parts)


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


def _offered() -> Iterator[str]:
    yield _row("action", "needs", "condition")
    yield "|---|---|---|\n"
    for action in offered.ACTIONS:
        yield _row(f"`{action}`", f"`{offered.permission_of(action)}`", offered.WHEN[action])


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    say_lines(page())
