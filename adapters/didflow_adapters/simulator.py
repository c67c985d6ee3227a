"""`didflow-simulator`: the simulated carrier as a process, for demos, tests and load."""

from typing import Annotated

import typer
from pydantic import ValidationError

from didflow_adapters.kit import AdapterSettings, run
from didflow_adapters.simulated_carrier import SCENARIOS, SimulatedCarrier
from didflow_contracts.terminal import say

app = typer.Typer(add_completion=False)


@app.command()
def simulate(
    carrier: Annotated[list[str] | None, typer.Option(help="Name of the carrier. May be repeated.")] = None,
    latency_ms: Annotated[int, typer.Option(min=0, help="How long every answer takes.")] = 0,
    scenarios: Annotated[
        bool, typer.Option("--scenarios", help="List the numbers with special outcomes, and exit.")
    ] = False,
) -> None:
    """Execute carrier commands. Settings come from DIDFLOW_KAFKA and the other DIDFLOW_ variables."""
    if scenarios:
        for digits, scenario in SCENARIOS.items():
            say(f"...{digits}  {scenario.summary}")
        return
    try:
        settings = AdapterSettings()
    except ValidationError as error:
        wrong = ", ".join(f"DIDFLOW_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise typer.BadParameter(f"Set these environment variables correctly. {wrong}") from None
    names = carrier or ["simulator"]
    run([SimulatedCarrier(name, latency_ms / 1000) for name in names], settings)


main = app
