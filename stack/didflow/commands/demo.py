"""`didflow demo`: the main job from end to end, on a stack of its own that ends with it."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from didflow.commands.options import fail, run
from didflow.demo import examples
from didflow.problems import BadInput
from didflow.services import SERVICES

if TYPE_CHECKING:
    from didflow.demo.play import Played

# ruff: noqa: PLC0415 - each command loads only what it runs

_EVERY = "all"


def demo(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the result as one line of JSON.")] = False,
    file: Annotated[
        Path, typer.Option(help="Purchases; identities.jsonl and addresses.jsonl lie beside it.")
    ] = examples.FOLDER / "purchases.jsonl",
    data: Annotated[Path | None, typer.Option(help="Folder to run in; else a temporary one.")] = None,
    late: Annotated[
        list[str] | None,
        typer.Option(help="Start this service's worker only after the purchases (or `all`)."),
    ] = None,
    kill: Annotated[
        list[str] | None, typer.Option(help="Kill -9 this service's worker at a random moment (or `all`).")
    ] = None,
) -> None:
    """Run the main job on the examples and show where each number ended. Exit code 0: as expected."""
    try:
        read = examples.read(file)
        chosen = _services(late), _services(kill)
    except BadInput as error:
        raise fail(error) from None
    played = _play(read, data, chosen, json=json)
    _show(played, json=json)
    raise typer.Exit(0 if played.passed else 1)


def _play(
    read: examples.Examples, data: Path | None, chosen: tuple[frozenset[str], frozenset[str]], *, json: bool
) -> "Played":
    from didflow.demo.play import Options, play
    from didflow.embedded.scratch import scratch_folder
    from didflow.screen import console

    late, killed = chosen
    with contextlib.ExitStack() as exits:
        folder = data if data is not None else exits.enter_context(scratch_folder(in_memory=True))
        options = Options(folder=folder, examples=read, late=late, killed=killed)
        return run(play(options, console(stderr=json).print))


def _services(named: list[str] | None) -> frozenset[str]:
    wanted = frozenset(SERVICES if _EVERY in (named or ()) else named or ())
    unknown = wanted - frozenset(SERVICES)
    if unknown:
        raise BadInput(f"{', '.join(sorted(unknown))}: none of {', '.join((*SERVICES, _EVERY))}")
    return wanted


def _show(played: "Played", *, json: bool) -> None:
    from didflow.demo import show
    from didflow.screen import console

    if json:
        said = show.as_json(played.verdicts, played.found, played.surprises, played.seconds)
        typer.echo(orjson.dumps(said).decode())
        return
    out = console()
    out.print("", show.numbers_table(played.verdicts, played.found), "")
    out.print(show.others_table(played.verdicts), "")
    for surprise in played.surprises:
        out.print(f"[red]{surprise}[/]")
    result = "[bold green]PASSED[/]" if played.passed else "[bold red]FAILED[/]"
    out.print(f"{show.sums(played.verdicts)}\n{result} in {played.seconds:.1f} s")
