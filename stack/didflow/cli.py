"""The command `didflow`: everything on one machine, and what an operator does with an installation."""

import typer

from didflow.commands import clock, demo, dlq, events, parked, schema, token, up

app = typer.Typer(
    help="didflow: phone numbers from purchase to their end.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(up.up)
app.command()(token.token)
app.command()(events.events)
app.command()(schema.schema)
app.add_typer(dlq.app, name="dlq")
app.add_typer(parked.app, name="parked")
app.add_typer(clock.app, name="clock")


def main() -> None:
    """Run the command line."""
    app(prog_name="didflow")
