"""`didflow adapter`: commands for those who write a carrier adapter."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from didflow.commands.options import Json, fail, run
from didflow.console import Screen
from didflow.errors import BadInput, NoTerminal
from didflow.installation import KAFKA_VARIABLE

if TYPE_CHECKING:
    from didflow.conformance.run import Verdict

# ruff: noqa: PLC0415 - each command loads only what it runs

app = typer.Typer(help="For those who write a carrier adapter.", no_args_is_help=True)

PREFIX: Final = "conformance."
"""The topics of a run on a real Kafka, so that it never writes to those of an installation."""

COULD_NOT_RUN: Final = 2
"""The exit code if the run could not begin."""


@app.callback()
def group() -> None:
    """For those who write a carrier adapter."""


@app.command("test")
def conformance(
    *,
    carrier: Annotated[str, typer.Argument(metavar="NAME", help="The name of the carrier in its commands.")],
    command: Annotated[
        str | None,
        typer.Option(help="Start the adapter with this command. Default: you start it yourself."),
    ] = None,
    restart_command: Annotated[
        str | None,
        typer.Option(help="Kill and start the adapter with this command. Default: you are asked to do it."),
    ] = None,
    kafka: Annotated[
        str | None,
        typer.Option(help="Use this Kafka. Default: an embedded one.", envvar=KAFKA_VARIABLE),
    ] = None,
    topic_prefix: Annotated[
        str, typer.Option(help="Prefix of the topics on that Kafka. Missing topics are created.")
    ] = PREFIX,
    executions: Annotated[
        Path | None,
        typer.Option(help="The log in which the carrier writes a line for each command that it carried out."),
    ] = None,
    voice_only: Annotated[
        bool, typer.Option("--voice-only", help="The carrier has no SMS: no command names an SMS target.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Run only this check, after `answers`. May be repeated. Default: all."),
    ] = None,
    patience: Annotated[float, typer.Option(min=1, help="Seconds that a result may take.")] = 15.0,
    start_within: Annotated[
        float, typer.Option(min=1, help="Seconds until the first result after a start of the adapter.")
    ] = 60.0,
    json: Json = False,
) -> None:
    """Send carrier commands to an adapter of any language and judge its results.

    The carrier behind the adapter must not be the real one: the last digits of a number say how it answers
    (docs/conformance.md).

    Exit code 0: all checks passed. 1: a check failed. 2: the run could not begin.

    Example: didflow adapter test acme --command "node acme.js"
    """
    plan = {
        "carrier": carrier,
        "command": command,
        "restart_command": restart_command,
        "kafka": kafka,
        "topic_prefix": topic_prefix,
        "executions": executions,
        "voice_only": voice_only,
        "only": tuple(only or ()),
        "patience": patience,
        "start_within": start_within,
    }
    try:
        _check(plan)
    except (BadInput, NoTerminal) as error:
        raise fail(error, COULD_NOT_RUN) from None
    if not run(_run(plan, json=json), failed=COULD_NOT_RUN):
        raise typer.Exit(1)


def _check(plan: dict[str, Any]) -> None:
    """Raise BadInput or NoTerminal for options that cannot be used together."""
    import sys

    from didflow.conformance.checks import CHECKS

    names = [check.name for check in CHECKS]
    if unknown := [name for name in plan["only"] if name not in names]:
        raise BadInput(f"There is no check {unknown[0]!r}. Use one of {', '.join(names)}.")
    if plan["command"] and plan["restart_command"]:
        raise BadInput(
            "Use --command or --restart-command. A command that starts the adapter also restarts it."
        )
    if plan["kafka"] and not plan["topic_prefix"]:
        raise BadInput(
            "On a real Kafka a run needs a --topic-prefix, so that no installation reads its records."
        )
    asks = not plan["command"] and not plan["restart_command"]
    if asks and (not plan["only"] or "restart" in plan["only"]) and not sys.stdin.isatty():
        raise NoTerminal(
            "Nobody can be asked to restart the adapter, because standard input is not a terminal. "
            "Use --command or --restart-command."
        )


async def _run(plan: dict[str, Any], *, json: bool) -> bool:
    """Run the checks and print a line for each. Return False if one of them failed."""
    screen, told = Screen(), Screen(stderr=True)
    found = []
    async with AsyncExitStack() as exits:
        async for verdict in _verdicts(plan, exits, told):
            found.append(verdict)
            if not json and verdict.outcome != "not_run":
                _print(screen, verdict)
    if json:
        screen.json([_values(verdict) for verdict in found])
    else:
        waiting = [verdict.check.name for verdict in found if verdict.outcome == "not_run"]
        if waiting:
            screen.lines(f"not run  {', '.join(waiting)}: no adapter answers.")
        for output in dict.fromkeys(verdict.output for verdict in found if verdict.output):
            screen.lines(output)
        passed = sum(verdict.outcome == "ok" for verdict in found)
        screen.line(f"{passed} of {len(found)} checks passed.")
    return all(verdict.outcome == "ok" for verdict in found)


async def _verdicts(plan: dict[str, Any], exits: AsyncExitStack, told: Screen) -> "AsyncIterator[Verdict]":
    from didflow.conformance.checks import CHECKS
    from didflow.conformance.commands import Commands
    from didflow.conformance.exchange import exchange
    from didflow.conformance.executions import ExecutionLog
    from didflow.conformance.run import Run, verdicts
    from didflow.conformance.servers import adapter_of, broker

    settings = await exits.enter_async_context(broker(plan["kafka"], plan["topic_prefix"]))
    opened = await exits.enter_async_context(exchange(settings))
    adapter = await exits.enter_async_context(
        adapter_of(
            settings,
            command=plan["command"],
            restart_command=plan["restart_command"],
            executions=plan["executions"],
            tell=told.line,
        )
    )
    begun = Run(
        commands=Commands(plan["carrier"], voice_only=plan["voice_only"]),
        exchange=opened,
        adapter=adapter,
        log=ExecutionLog(plan["executions"]) if plan["executions"] else None,
        patience_s=plan["patience"],
        start_s=plan["start_within"],
    )
    async for verdict in verdicts(begun, CHECKS, plan["only"]):
        yield verdict


def _print(screen: Screen, verdict: "Verdict") -> None:
    word = "FAILED" if verdict.problem else "ok"
    text = verdict.problem or verdict.check.promise
    screen.lines(f"{word:<7}  {verdict.check.name:<12}  {text} ({verdict.seconds:.1f} s)")
    for note in verdict.notes:
        screen.line(f"{'':<7}  {'':<12}  Note: {note}")


def _values(verdict: "Verdict") -> dict[str, Any]:
    return {
        "check": verdict.check.name,
        "promise": verdict.check.promise,
        "outcome": verdict.outcome,
        "problem": verdict.problem or None,
        "notes": verdict.notes,
        "output": verdict.output or None,
        "seconds": round(verdict.seconds, 3),
    }
