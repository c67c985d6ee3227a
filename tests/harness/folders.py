"""The folder of a test file names what its tests need. A test that needs more than its folder allows is an error.

`unit/` needs no server and no process. `postgres/` may use PostgreSQL and start processes. `kafka/` and `stack/` may
use everything.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

SERVERS = frozenset({"postgres", "kafka", "kafka_broker", "processes"})
"""The fixtures that start a server or a process. A test file may have its own fixture `kafka`."""

ALLOWED: Mapping[str, frozenset[str]] = {
    "unit": frozenset(),
    "postgres": frozenset({"postgres", "processes"}),
    "kafka": SERVERS,
    "stack": SERVERS,
}
"""Folder of tests -> the fixtures of `SERVERS` that its tests may use."""


def servers_of(item: pytest.Item) -> frozenset[str]:
    """Return the fixtures of `SERVERS` that a test uses, directly or through other fixtures."""
    return SERVERS.intersection(getattr(item, "fixturenames", ()))


def folder_of(path: Path) -> str | None:
    """Return the folder of `ALLOWED` that a path is in, directly below a folder `tests`, or None."""
    for parent in (path, *path.parents):
        if parent.parent.name == "tests" and parent.name in ALLOWED:
            return parent.name
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Raise UsageError for a test in the wrong folder."""
    wrong = []
    for item in items:
        folder = folder_of(item.path)
        excess = servers_of(item) - ALLOWED[folder] if folder else frozenset()
        if excess:
            wrong.append(f"{item.nodeid} uses {', '.join(sorted(excess))}, which {folder}/ does not allow.")
    if wrong:
        raise pytest.UsageError("Move these tests to the folder of what they need:\n" + "\n".join(wrong))
