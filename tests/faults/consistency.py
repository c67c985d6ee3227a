"""The consistency check at the end of every fault test: on each group of databases that the test has used.

A test whose fault leaves the databases in disagreement, as a lost or forged event does, names the codes that the check
must then find: `@pytest.mark.disagreements("did_unknown")`.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from didflow.consistency.check import check
from didflow.consistency.codes import Disagreement

WAIT_S: Final = 10.0
"""How long running processes have time to finish. The check ends as soon as nothing differs."""


@dataclass(frozen=True, kw_only=True)
class _Group:
    databases: Mapping[str, str]
    is_running: bool


_GROUPS: Final[list[_Group]] = []


def forget() -> None:
    """Forget the databases of the last test."""
    _GROUPS.clear()


def remember(databases: Mapping[str, str], *, is_running: bool) -> None:
    """Check these databases, service -> DSN, at the end of the test.

    Without running processes, a test delivers the events, perhaps not all. Then only what is certain is a disagreement.
    """
    _GROUPS.append(_Group(databases=dict(databases), is_running=is_running))


def disagreements() -> list[Disagreement]:
    """Check all databases that the test has used. It runs in a thread, because the test's event loop still exists."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _disagreements()).result()


async def _disagreements() -> list[Disagreement]:
    found: list[Disagreement] = []
    for group in _GROUPS:
        result = await check(group.databases, wait=WAIT_S if group.is_running else 0)
        found += [
            disagreement for disagreement in result.disagreements if disagreement.certain or group.is_running
        ]
    return found
