"""What My Numbers offers is what the services do: for random conditions and callers, the offered actions are those of
the table in spec roles (`lines.py`), each of them is accepted by its service, and each other one is refused.
`tables.py` lists the exceptions, each with its reason.

`make fuzz` tries 100,000 conditions (DIDFLOW_OFFERED), with the seed DIDFLOW_SEED.
"""

import os
from collections import Counter
from collections.abc import Iterator
from functools import partial
from random import Random
from time import perf_counter
from typing import Any, Final

from actions.attempts import ATTEMPTS, command_of
from actions.conditions import Condition, random_condition
from actions.decisions import SERVICE, decided, decided_by, may_call, outcome_of, routes_of
from actions.estate import ZERO, random_caller
from actions.lines import LINES, lines_that_hold
from actions.tables import NOT_OFFERED, OFFERED, row_for

from didflow_chassis.decision import Caller, Decided
from didflow_contracts.envelope import Event
from didflow_contracts.events import EnduserAssigned
from didflow_contracts.roles import ROLES
from didflow_contracts.terminal import say_lines
from didflow_inventory.domain.my_numbers.actions import ACTIONS, actions_of

CASES: Final = int(os.environ.get("DIDFLOW_OFFERED", "10000"))
SEED: Final = os.environ.get("DIDFLOW_SEED", "1")
DECIDING: Final = tuple(role for role in ROLES if role not in ("user", "reviewer"))
"""The roles that can do some of the actions."""


def cases(number: int) -> Iterator[tuple[str, Random, Condition, Caller]]:
    """Yield random conditions with random callers. The name of a case is the seed that gives it again."""
    for index in range(number):
        name = f"{SEED}/{index}"
        random = Random(name)
        condition = random_condition(random)
        yield name, random, condition, random_caller(random, condition.holding.account)


def test_each_action_of_the_table_is_tried_by_its_route() -> None:
    """A new action needs an attempt."""
    assert ATTEMPTS.keys() == LINES.keys() == set(ACTIONS)
    assert all(attempt.path in routes_of(attempt.service) for attempt in ATTEMPTS.values())


def test_what_is_offered_is_accepted_and_what_is_not_offered_is_refused() -> None:
    """For every action, whoever asks, and whatever the condition of the DID is. The lines of the table hold exactly."""
    seen: Counter[Any] = Counter()
    explained: Counter[Any] = Counter()
    began = perf_counter()
    for name, random, condition, caller in cases(CASES):
        offered = frozenset(actions_of(condition.holding, condition.did.views, caller))
        assert offered == lines_that_hold(condition, caller), (name, caller, condition)
        seen[caller.role] += 1
        for action in ATTEMPTS:
            is_offered = action in offered
            if not may_call(action, caller.role):
                assert not is_offered, (name, action, caller)
                seen[action, "role_not_allowed"] += 1
                continue
            command = command_of(action, condition, caller, random)
            outcome = outcome_of(action, decided(action, condition, command))
            if not caller.reaches(condition.holding.account):
                assert outcome == "not_found", (name, action, caller, outcome)
                seen[action, "not_found"] += 1
                continue
            seen[action, caller.role, is_offered] += 1
            is_refused = outcome not in ("done", "unchanged", "canceled")
            if is_refused if not is_offered else outcome == "done":
                continue
            row = row_for(is_offered, action, outcome, condition, caller)
            assert row is not None, (name, action, is_offered, outcome, caller, condition)
            explained[is_offered, row] += 1
    _check_coverage(seen, explained)
    say_lines(_figures(seen, explained, perf_counter() - began))


def test_end_user_details_that_are_offered_are_judged_by_verification() -> None:
    """Inventory accepts an assignment, and verification does not refuse what it publishes."""
    handler = SERVICE["verification"].events[EnduserAssigned]
    tried = 0
    for name, random, condition, caller in cases(CASES // 5):
        if "assign_end_user" not in actions_of(condition.holding, condition.did.views, caller):
            continue
        command = command_of("assign_end_user", condition, caller, random)
        decision = decided("assign_end_user", condition, command)
        assert isinstance(decision, Decided)
        data = next(each for each in decision.events if isinstance(each, EnduserAssigned))
        event = Event(id=name, source="/didflow/inventory", time=ZERO, data=data, sequence=1)
        judged = decided_by(handler, condition.registration, event, condition)
        assert isinstance(judged, Decided), (name, judged)
        assert judged.refused is None, (name, judged)
        tried += 1
    assert tried >= CASES // 40


def _check_coverage(seen: Counter[Any], explained: Counter[Any]) -> None:
    """Every action was offered and not offered often enough, to each role that may do it, and every row applied."""
    least = CASES // 4_000
    assert all(seen[role] > least for role in ROLES)
    for action in ATTEMPTS:
        roles = [role for role in DECIDING if may_call(action, role)]
        wanted = partial(_count, seen, action)
        assert all(wanted(role, True) > least and wanted(role, False) > least for role in roles), action
        assert seen[action, "role_not_allowed"] > least
        assert seen[action, "not_found"] > least
    used = {row for _, row in explained}
    unused = [row for row in (*OFFERED, *NOT_OFFERED) if row not in used]
    assert not unused


def _count(seen: Counter[Any], action: str, role: str, offered: bool) -> int:
    return seen[action, role, offered]


def _figures(seen: Counter[Any], explained: Counter[Any], seconds: float) -> str:
    """Return how often each action was offered and not, and how often each row applied."""
    lines = [f"{CASES} conditions, {seconds:.1f} s. Action: offered, not offered, foreign, other role"]
    for action in ATTEMPTS:
        offered, other = (sum(seen[action, role, which] for role in ROLES) for which in (True, False))
        foreign, role = seen[action, "not_found"], seen[action, "role_not_allowed"]
        lines.append(f"{action}: {offered}, {other}, {foreign}, {role}")
    lines.append(
        "Exceptions: " + ", ".join(f"{row.action} {row.outcome} {n}" for (_, row), n in explained.items())
    )
    return "\n".join(lines) + "\n"
