"""What the tests of tenancy were answered, for each route and role."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenancy.requests import Operation

Place = tuple[str, str]
"""A service and a route."""


def _nested() -> dict[Place, dict[str, set[str]]]:
    return defaultdict(lambda: defaultdict(set))


@dataclass
class Matrix:
    """What each role was answered about things of others, which roles may and which may not, and the totals."""

    others: dict[Place, dict[str, set[str]]] = field(default_factory=_nested)
    forbidden: set[tuple[str, str, str]] = field(default_factory=set)
    allowed: set[tuple[str, str, str]] = field(default_factory=set)
    compared: int = 0
    requests: int = 0

    def foreign_answer(self, operation: "Operation", role: str, said: str) -> None:
        """Note what a role was answered about things of others."""
        self.compared += 1
        self.others[operation.service, operation.route][role].add(said)

    def refused(self, operation: "Operation", role: str) -> None:
        """Note a request of a role that may not."""
        self.requests += 1
        self.forbidden.add((operation.service, operation.route, role))

    def admitted(self, operation: "Operation", role: str) -> None:
        """Note a request of a role that may."""
        self.requests += 1
        self.allowed.add((operation.service, operation.route, role))


MATRIX = Matrix()
"""The answers of this test run."""
