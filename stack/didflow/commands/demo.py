"""`didflow demo`: runs the main job from end to end on its own stack and stops the stack afterwards."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from didflow.commands.options import fail, run
from didflow.console import Screen
from didflow.demo import examples
from didflow.errors import BadInput
from didflow.services import SERVICES

if TYPE_CHECKING:
    from didflow.demo.scenario import DemoResult

# ruff: noqa: PLC0415 - each command loads only what it runs

_EVERY = "all"


def demo(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the result as one line of JSON.")] = False,
    file: Annotated[
        Path, typer.Option(help="File of purchases. identities.jsonl and addresses.jsonl must be beside it.")
    ] = examples.FOLDER / "purchases.jsonl",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only the tables.")] = False,
    data: Annotated[Path | None, typer.Option(help="Folder to run in. Default: a temporary folder.")] = None,
    late: Annotated[
        list[str] | None,
        typer.Option(help="Start the worker of this service (or `all`) only after the purchases."),
    ] = None,
    kill: Annotated[
        list[str] | None,
        typer.Option(help="Kill the worker of this service (or `all`) with SIGKILL at a random moment."),
    ] = None,
) -> None:
    """Run the main job on the examples and show the result for each number.

    The exit code is 0 if every number ends as the file expects.
    """
    try:
        read = examples.read(file)
        chosen = _services(late), _services(kill)
    except BadInput as error:
        raise fail(error) from None
    # With --json, standard output has only the result.
    tell = _nothing if quiet else Screen(stderr=json).markup
    demo_result = _run_demo(read, data, chosen, tell)
    show(demo_result, json=json, quiet=quiet)
    raise typer.Exit(0 if demo_result.passed else 1)


def _nothing(text: str) -> None:
    """Print nothing: the progress of a quiet demo."""


def _run_demo(
    read: examples.Examples,
    data: Path | None,
    chosen: tuple[frozenset[str], frozenset[str]],
    tell: Callable[[str], None],
) -> "DemoResult":
    from didflow.demo.scenario import Options, run_demo
    from didflow.embedded.temporary_folder import temporary_folder

    late, killed = chosen
    with contextlib.ExitStack() as exits:
        folder = data if data is not None else exits.enter_context(temporary_folder(in_memory=True))
        options = Options(folder=folder, examples=read, late=late, killed=killed)
        return run(run_demo(options, tell))


def _services(named: list[str] | None) -> frozenset[str]:
    wanted = frozenset(SERVICES if _EVERY in (named or ()) else named or ())
    unknown = wanted - frozenset(SERVICES)
    if unknown:
        raise BadInput(
            f"Unknown service: {', '.join(sorted(unknown))}. Use {', '.join((*SERVICES, _EVERY))}."
        )
    return wanted


def show(demo_result: "DemoResult", *, json: bool, quiet: bool) -> None:
    """Print the result: for programs, or its tables, with a legend and the sums unless it is quiet."""
    from didflow.demo import tables

    screen = Screen()
    if json:
        screen.json(
            tables.as_json(
                demo_result.verdicts, demo_result.found, demo_result.unexpected, demo_result.seconds
            )
        )
        return
    if not quiet:
        screen.markup(f"\n{tables.LEGEND}\n")
    screen.table(tables.NUMBERS, tables.number_rows(demo_result.verdicts, demo_result.found))
    screen.line("")
    screen.table(tables.OTHERS, tables.other_rows(demo_result.verdicts))
    for fact in demo_result.unexpected:
        Screen(stderr=quiet).line(fact)
    if not quiet:
        result = "[bold green]PASSED[/]" if demo_result.passed else "[bold red]FAILED[/]"
        screen.markup(f"\n{tables.sums(demo_result.verdicts)}\n{result} in {demo_result.seconds:.1f} s")
