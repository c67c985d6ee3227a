"""The key rotation on the command line of a service: runs the job to its end and prints what is under which key."""

from collections.abc import Mapping
from typing import Any

from didflow_chassis.jobs import tool
from didflow_chassis.processes import Process
from didflow_contracts.terminal import say


async def encrypt_again(process: Process, what: str, kind: str, parameters: Any) -> bool:
    """Run the job. `what` is what it encrypts. Return True if nothing is left under another key. Raises Outage."""
    job = await tool.run(process, kind, parameters)
    for refused in await tool.results(process, job, "refused"):
        say(f"{refused['item']} {refused['code']}", err=True)
    say(f"{what} encrypted again: {job.done}")
    return tool.is_complete(job)


def say_counts(what: str, counts: Mapping[str, int], current: str) -> None:
    """Print how many are under each key, and which key encrypts."""
    for key_id, count in counts.items():
        mark = " (current)" if key_id == current else ""
        say(f"{what} under key {key_id}{mark}: {count}")
