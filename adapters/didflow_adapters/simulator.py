"""`didflow-simulator`: the simulated carrier as a process, for demos, tests and load."""

from typing import Annotated

import typer
from pydantic import ValidationError

from didflow_adapters.kit import AdapterSettings, run
from didflow_adapters.script import PARTS
from didflow_adapters.simulated import SimulatedCarrier

app = typer.Typer(add_completion=False)


@app.command()
def simulate(
    carrier: Annotated[list[str] | None, typer.Option(help="Name to answer to; may be repeated.")] = None,
    latency_ms: Annotated[int, typer.Option(min=0, help="How long every answer takes.")] = 0,
    parts: Annotated[bool, typer.Option("--parts", help="List how numbers misbehave, and end.")] = False,
) -> None:
    """Answer orders to carriers. Kafka and topics come from DIDFLOW_KAFKA and DIDFLOW_TOPIC_PREFIX."""
    if parts:
        for ending, part in PARTS.items():
            typer.echo(f"...{ending}  {part.summary}")
        return
    try:
        settings = AdapterSettings()
    except ValidationError as error:
        wrong = ", ".join(f"DIDFLOW_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise typer.BadParameter(wrong) from None
    names = carrier or ["simulator"]
    run([SimulatedCarrier(name, latency_ms / 1000) for name in names], settings)


main = app
