"""What the chassis' tests share: an empty database, as an installation gives one to a service."""

import pytest

pytest.register_assert_rewrite("stage_rules")


@pytest.fixture
async def empty_database(database_for) -> str:
    """The DSN of a database without a table, owned by a role that is no superuser."""
    return await database_for("things")
