"""Two services' databases, and a folder in which a stack seems to run on them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from harness.fixtures import DatabaseFor
from harness.migrations import migration_of

from didflow import state


@pytest.fixture
async def databases(database_for: DatabaseFor) -> Mapping[str, str]:
    return {
        "billing": await database_for("billing", migration_of("billing")),
        "provisioning": await database_for("provisioning", migration_of("provisioning")),
    }


@pytest.fixture
def folder(databases: Mapping[str, str], tmp_path: Path) -> Path:
    """Return the folder of a stack that has these databases."""
    here = {"pid": os.getpid(), "born": state.birth_of(os.getpid()), "kafka": "", "http": ""}
    whole: dict[str, Any] = {**here, "postgres": dict(databases), "embedded_kafka": False}
    state.write(tmp_path, state.StackState(**whole, embedded_postgres=False))
    return tmp_path
