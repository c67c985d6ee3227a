"""`pytest -p fast`: leaves out each test that asks for a real database, broker or process, however indirectly."""

import pytest

REAL = frozenset({"postgres", "kafka_broker", "processes"})
"""The fixtures that start something."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what needs none of them."""
    slow = [item for item in items if REAL.intersection(getattr(item, "fixturenames", ()))]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if item not in slow]
