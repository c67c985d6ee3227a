"""Profile a variant. `python -m bench.profile billing --batch 500` prints the functions that use its process's time."""

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import typer

from bench import stages
from bench.machine import machine

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
NAMES = (*stages.OURS, *stages.FLOORS, "naive")


@app.command()
def profile(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(NAMES)}.")] = "billing",
    batch: Annotated[int, typer.Option(min=1, max=2_000, help="Messages in one transaction, at most.")] = 500,
    messages: Annotated[int, typer.Option(min=1, help="Purchases to take.")] = 20_000,
    tree: Annotated[
        Path | None, typer.Option(help="Write pyinstrument's tree to this .html instead.")
    ] = None,
) -> None:
    """Run one variant under the profiler."""
    if name not in NAMES:
        raise typer.BadParameter(f"no variant {name}")
    logging.basicConfig(level=logging.CRITICAL)
    asyncio.run(_profile(name, batch, messages, tree.absolute() if tree else None))


async def _profile(name: str, batch: int, messages: int, tree: Path | None) -> None:
    async with machine() as servers:
        ready = stages.Stages(machine=servers, messages=messages)
        await ready.ready((name,))
        file = tree or servers.folder / "profile.txt"
        took = await ready.variant(name, batch, profile=str(file))()
        typer.echo(await asyncio.to_thread(file.read_text) if tree is None else f"written to {file}")
        typer.echo(f"{took.rate:,.0f}/s, {took.cpu_s / took.messages * 1e6:.0f} us of work for a message")


if __name__ == "__main__":
    app()
