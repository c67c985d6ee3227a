"""The services and the things of all accounts, which the tests of tenancy share."""

from collections.abc import AsyncIterator

import pytest_asyncio
from harness.postgres import TemplateDatabases
from tenancy.estate import Estate
from tenancy.things import estate_on


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def estate(template_databases: TemplateDatabases) -> AsyncIterator[Estate]:
    """Four services with the things of all accounts."""
    async with estate_on(template_databases) as opened:
        yield opened
