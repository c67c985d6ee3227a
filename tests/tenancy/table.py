"""`pytest -p tenancy.table`: print what the tests of tenancy were answered, for each route and role, and the totals.

The tests are imported late: pytest rewrites the assertions of a plugin only if nothing has imported it before.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import pytest

from didflow_contracts.roles import ROLES

if TYPE_CHECKING:
    from tenancy.matrix import Matrix
    from tenancy.requests import Operation

HEADS: Final = {"master_reseller": "master", "enterprise_admin": "enterprise"}
"""Shorter names of roles."""
LEGEND: Final = """
403        refused for the role, before a statement is sent to the database
404        a foreign thing is answered like an absent one: not found
none       the same in lists, results and filters: nothing foreign is shown, counted or changed
all        the role reaches all accounts
may        the role may, and the route names nothing that could be foreign
taken      the name is unique in the installation: whoever has it, the answer is only that it is taken
alike      answered alike, for another reason, such as a carrier that is unknown
stream     the answer never ends; the tests of the service read it
"""
WIDTH: Final = 15


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    from tenancy.matrix import MATRIX
    from tenancy.requests import all_operations

    for line in lines(list(all_operations()), MATRIX):
        terminalreporter.write_line(line)


def lines(operations: "Sequence[Operation]", matrix: "Matrix") -> Iterator[str]:
    """Yield the lines of the table."""
    longest = max(len(one.route) for one in operations)
    service, heads = "", [HEADS.get(role, role) for role in ROLES]
    yield LEGEND.rstrip()
    for one in operations:
        if one.service != service:
            service = one.service
            yield ""
            yield f"{service:{longest}} " + "".join(f"{head:<{WIDTH}} " for head in heads)
        yield f"{one.route:{longest}} " + "".join(f"{cell(one, role, matrix):<{WIDTH}} " for role in ROLES)
    yield ""
    yield from totals(operations, matrix)


def totals(operations: "Sequence[Operation]", matrix: "Matrix") -> Iterator[str]:
    """Yield how many routes, cells, comparisons and requests there were."""
    services = len({one.service for one in operations})
    tested = len(matrix.forbidden | matrix.allowed)
    yield f"{len(operations)} routes of {services} services x {len(ROLES)} roles: {tested} cells tested"
    yield f"{len(matrix.forbidden)} forbidden: each 403 before anything is looked up; {len(matrix.allowed)} allowed"
    yield f"{matrix.compared} comparisons of a foreign thing with an absent one; {matrix.requests} requests in all"


def cell(operation: "Operation", role: str, matrix: "Matrix") -> str:
    """Return in a word what a role was answered."""
    key = (operation.service, operation.route, role)
    if key in matrix.forbidden:
        return "403"
    if key not in matrix.allowed:
        return "not tested"
    if operation.is_stream:
        return "stream"
    if role == "operator":
        return "all"
    said = matrix.others[operation.service, operation.route][role]
    if not said:
        return "may"
    return "/".join(sorted({_word(each) for each in said}))


def _word(said: str) -> str:
    if said in ("404", "none", "taken"):
        return said
    if said == "not_found":
        return "none"
    return "403" if said.startswith("403") else "alike"
