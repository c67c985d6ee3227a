"""The command `didflow`: it runs everything on one machine and has the operator's commands."""

import io
import os
import sys
import traceback

import typer

from didflow.commands import (
    access,
    adapter,
    check,
    clock,
    demo,
    dlq,
    events,
    jobs,
    now,
    parked,
    schema,
    token,
    up,
)
from didflow.console import Screen, leave_quietly

app = typer.Typer(
    help="didflow: manages phone numbers from sale to removal.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(up.up)
app.command()(token.token)
app.command()(events.events)
app.command()(schema.schema)
app.command()(access.access)
app.command()(now.now)
app.add_typer(dlq.app, name="dlq")
app.add_typer(parked.app, name="parked")
app.add_typer(jobs.app, name="jobs")
app.add_typer(clock.app, name="clock")
app.add_typer(check.app, name="check")
app.add_typer(adapter.app, name="adapter")


def main() -> None:
    """Run the command line. If the reader of a pipe has gone, it ends quietly with exit code 141.

    The traceback of a bug is printed like everything else, because its message can have the text of a record.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A record can have characters that the terminal's encoding lacks.
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="didflow")
    except Exception:  # noqa: BLE001 - whatever a command did not expect
        Screen(stderr=True).lines(traceback.format_exc())
        raise SystemExit(os.EX_SOFTWARE) from None
    finally:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            leave_quietly()
