"""`didflow-simulator`: the simulated carrier as a process, for demos, tests and load."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from didflow_adapters.kit import run
from didflow_adapters.simulated_carrier import SCENARIOS, SimulatedCarrier
from didflow_contracts.events import CarrierCommandIssued
from didflow_contracts.terminal import say

app = typer.Typer(add_completion=False)


@app.command()
def simulate(
    carrier: Annotated[list[str] | None, typer.Option(help="Name of the carrier. May be repeated.")] = None,
    latency_ms: Annotated[int, typer.Option(min=0, help="How long every answer takes.")] = 0,
    executions: Annotated[
        Path | None,
        typer.Option(
            envvar="DIDFLOW_EXECUTIONS", help="Append a line of JSON to this file for each executed command."
        ),
    ] = None,
    scenarios: Annotated[
        bool, typer.Option("--scenarios", help="List the numbers with special outcomes, and exit.")
    ] = False,
) -> None:
    """Execute carrier commands. Settings come from DIDFLOW_KAFKA and the other DIDFLOW_ variables."""
    if scenarios:
        for digits, scenario in SCENARIOS.items():
            say(f"...{digits}  {scenario.summary}")
        return
    names = carrier or ["simulator"]
    executed = None if executions is None else partial(log_execution, executions)
    run([SimulatedCarrier(name, latency_ms / 1000, executed) for name in names])


def log_execution(path: Path, command: CarrierCommandIssued) -> None:
    """Append a line about an executed command. Source: docs/conformance.md, the log of executions."""
    line = {"command_id": str(command.command_id), "action": command.action, "number": command.number}
    with path.open("a") as log:
        log.write(f"{json.dumps(line)}\n")


main = app
