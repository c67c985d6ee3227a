"""`didflow-http-adapter`: the adapter of a carrier that a file describes."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from didflow_adapters.http.carrier import HttpCarrier
from didflow_adapters.http.configuration import Configuration, ConfigurationError, load
from didflow_adapters.http.credentials import MissingSecret
from didflow_adapters.http.process import serve
from didflow_adapters.kit import AdapterSettings
from didflow_adapters.kit.logs import configure_logs
from didflow_adapters.kit.process import ending_with_a_reason, from_environment
from didflow_contracts.terminal import say, say_lines
from didflow_webhooks import Verifier

adapter = typer.Typer(add_completion=False, no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="The YAML file that describes the carrier's API.")]


@adapter.command()
def run(file: File) -> None:
    """Execute carrier commands. Settings come from DIDFLOW_KAFKA and the other DIDFLOW_ variables."""
    configuration = _checked(file)
    settings = from_environment(AdapterSettings)
    configure_logs(settings.log_level)
    with ending_with_a_reason(settings.kafka):
        asyncio.run(serve(configuration, settings))


@adapter.command()
def check(file: File) -> None:
    """Check the file and that its secrets are there. Nothing is sent."""
    configuration = _checked(file)
    say(f"{configuration.carrier}: {len(configuration.actions)} actions")


def _checked(file: Path) -> Configuration:
    try:
        configuration = load(file)
        HttpCarrier(configuration)
        if configuration.webhook is not None:
            Verifier([place.read().get_secret_value() for place in configuration.webhook.secrets])
    except (ConfigurationError, MissingSecret, ValueError) as error:
        say_lines(str(error), err=True)
        raise typer.Exit(2) from None
    return configuration
