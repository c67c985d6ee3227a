"""One stack with a movable clock for all lives in this folder. They begin and wait together."""

from asyncio import Task
from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio
from harness.fixtures import new_topics

from term_lives.installation import Installation, installed
from term_lives.lives import LIVES


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def installation(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """The stack."""
    async with new_topics(kafka) as prefix:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("DIDFLOW_TOPIC_PREFIX", prefix)
            async with installed(kafka, tmp_path_factory.mktemp("stack")) as found:
                yield found


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def begun(installation: Installation) -> Mapping[str, Task[None]]:
    """All lives, begun. Each is a task that ends with its life."""
    return {name: installation.clock.begin(live(installation)) for name, live in LIVES.items()}
