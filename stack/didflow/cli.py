"""The command `didflow`: it runs everything on one machine and has the operator's commands."""

import typer

from didflow.commands import clock, demo, dlq, events, parked, schema, token, up

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
app.add_typer(dlq.app, name="dlq")
app.add_typer(parked.app, name="parked")
app.add_typer(clock.app, name="clock")


def main() -> None:
    """Run the command line."""
    app(prog_name="didflow")
