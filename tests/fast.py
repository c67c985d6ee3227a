"""`pytest -p fast`: run only the tests that need no database, no broker and no process.

The folders of the others are not read at all. In all other files, tests are deselected by their fixtures.
`harness.folders` is imported late: pytest rewrites the assertions of a plugin only if nothing has imported it before.
"""

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Skip the folders whose tests need a server."""
    from harness.folders import folder_of

    return True if folder_of(collection_path) not in (None, "unit") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that use a server."""
    from harness.folders import servers_of

    slow = [item for item in items if servers_of(item)]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if item not in slow]
