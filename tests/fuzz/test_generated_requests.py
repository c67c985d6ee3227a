"""Requests generated from the OpenAPI documents, with links between them: no 5xx, and no answer against the document.

`DIDFLOW_FUZZ_EXAMPLES` sets how many requests are generated for each route. Without it, the bounds of all fields are
tried by the reseller only, so that the short form stays short.
"""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from harness.postgres import TemplateDatabases
from tenancy.estate import OWNER, PARENT, Estate
from tenancy.things import estate_on

from didflow_chassis.servers import listen, serving
from didflow_contracts.topics import SERVICES

EXAMPLES: Final = os.environ.get("DIDFLOW_FUZZ_EXAMPLES")
PHASES: Final = {"operator": "examples,fuzzing,stateful", "reseller": "examples,coverage,fuzzing,stateful"}
"""Role -> the ways in which requests are generated in the short form: `coverage` tries the bounds of all fields."""
SEED: Final = os.environ.get("DIDFLOW_SEED") or "1"
CALLERS: Final = {"operator": f"olga:{PARENT}:operator", "reseller": f"ann:{OWNER}:reseller"}
CONFIGURATION: Final = Path(__file__).with_name("schemathesis.toml")
ONE_LOOP: Final = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def estate(template_databases: TemplateDatabases) -> AsyncIterator[Estate]:
    """Four services with the things of several accounts."""
    async with estate_on(template_databases) as opened:
        yield opened


@pytest.mark.fuzz
@ONE_LOOP
@pytest.mark.parametrize("role", CALLERS)
@pytest.mark.parametrize("name", SERVICES)
async def test_generated_requests_find_no_error_and_no_violation(
    estate: Estate, tmp_path: Path, name: str, role: str
) -> None:
    """Examples, bounds, random values and chains of requests: no 5xx, and every answer is as the document says."""
    async with serving(estate.opened[name].application, listen("127.0.0.1", 0), name) as port:
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION)),
            *("run", f"http://127.0.0.1:{port}/openapi/{name}.json"),
            *("--header", f"Authorization: Bearer {CALLERS[role]}"),
            *("--max-examples", EXAMPLES or "3", "--seed", SEED, "--no-color"),
            *("--phases", PHASES["reseller" if EXAMPLES else role]),
        ]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output = (await process.communicate())[0].decode()
    print(output)  # noqa: T201 - pytest shows it with a failure
    assert process.returncode == 0
    assert re.search(r"Stateful", output), "no chain of requests was tried"
