"""`didflow-inventory rebuild`: compute what My Numbers shows again, after a release has changed a rule.

Exit codes besides those of every command: 1 the job was canceled or failed, or DIDs were refused; the output says so.
"""

import typer

from didflow_chassis.commandline import Program
from didflow_chassis.service import Service
from didflow_chassis.settings import Settings
from didflow_contracts.terminal import say

# ruff: noqa: PLC0415 - the command line of a worker does not load what only these commands run


def rebuild_tool(program: Program) -> typer.Typer:
    """Return the command `rebuild`."""
    group = typer.Typer()

    @group.callback(invoke_without_command=True)
    def rebuild() -> None:
        """Compute the status, the filters and the columns of all DIDs again, beside live traffic.

        It is a job: if the command is stopped, the workers go on with it.
        """
        if not program.run("rebuild", _rebuild):
            raise typer.Exit(1)

    return group


async def _rebuild(service: Service, settings: Settings) -> bool:
    from didflow_chassis.jobs import tool
    from didflow_chassis.processes import open_process
    from didflow_inventory.jobs import Rebuild

    async with open_process(service, settings, "tool") as process:
        job = await tool.run(process, "rebuild", Rebuild())
        say(f"rebuild {job.state}: {job.done} of {job.total} DIDs are as the present rules say")
        if job.refused:
            say(f"{job.refused} DIDs were refused: didflow jobs results {job.job_id}", err=True)
        return job.state == "done" and not job.refused
