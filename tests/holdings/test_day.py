"""The script examples/day.py on the embedded stack: a day of a reseller over HTTP alone, as a newcomer runs it."""

import asyncio
import sys
from pathlib import Path

from didflow.consistency.check import check
from didflow.servers import Wanted
from didflow.services import SERVICES
from didflow.stack import Stack, running

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "examples" / "day.py"
MOST_S = 300
"""Far more than the day lasts, so that only a day that stands still fails."""


async def run_script(stack: Stack) -> tuple[int | None, str]:
    """Run the script, and return its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        SCRIPT,
        f"--http={stack.base}",
        f"--data={stack.folder}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await asyncio.wait_for(process.communicate(), MOST_S)
    return process.returncode, printed.decode()


async def test_a_day_with_500_numbers_from_their_upload_to_the_deletion_of_what_is_left(
    tmp_path: Path,
) -> None:
    """The script checks each of its steps. The services agree at the end. A second day on this stack is refused."""
    async with running(Wanted(), tmp_path, tell=print, port=0) as stack:
        code, printed = await run_script(stack)
        assert code == 0, printed
        shown = (ROOT / "README.md").read_text().split("examples/day.py\n", 1)[1].split("\n...\n", 1)[0]
        assert printed.startswith(shown), "README.md shows the first lines"
        assert printed.endswith("\nThe day is over.\n")
        databases = {name: stack.servers.postgres[name] for name in SERVICES}
        found = await check(databases)
        assert (found.disagreements, found.dids) == ([], 350)

        code, printed = await run_script(stack)
        assert (code, "The numbers of an earlier day are there" in printed) == (1, True), printed
