"""The command line that every service has: run it, migrate it, check it, print its contracts; and its own tools.

Exit codes: 0 done; 1 `check` misses something; 69 a dependency is not there; 70 a defect; 78 wrong settings.
What an operator can put right is said in one line each, without a stack trace.
"""

import logging
import os
from collections.abc import Callable, Coroutine, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

import typer
import uvloop
from aiokafka.errors import KafkaError

from didflow_chassis.database import Outage
from didflow_chassis.service import Service
from didflow_chassis.settings import Settings, SettingsError, as_table, load
from didflow_chassis.telemetry import logs

# ruff: noqa: PLC0415 - each command loads only what it runs: printing a contract needs no broker client

_LOG = logging.getLogger(__name__)

T = TypeVar("T")

Work = Callable[[Service, Any], Coroutine[Any, Any, T]]

Tools = Mapping[str, Callable[[Service, type[Settings]], typer.Typer]]
"""A service's own groups of commands: name to what builds the group; its commands run by `run`."""

_NONE: Final[Tools] = MappingProxyType({})


def command_line(
    service: Service, settings: type[Settings] = Settings, tools: Tools = _NONE
) -> Callable[[], None]:
    """Build the `main` of a service: `api`, `worker`, `migrate`, `check`, what prints its contracts, its tools."""

    def main() -> None:
        application(service, settings, tools)(prog_name=f"didflow-{service.name}")

    return main


def application(service: Service, settings: type[Settings] = Settings, tools: Tools = _NONE) -> typer.Typer:
    """Build the typer application behind `command_line`."""
    app = typer.Typer(
        help=f"didflow {service.name}. Settings are environment variables DIDFLOW_*.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @app.command()
    def api() -> None:
        """Serve the HTTP API until told to stop."""
        from didflow_chassis.running import serve_api

        run(service, "api", settings, serve_api)

    @app.command()
    def worker() -> None:
        """Take events, let the clock strike and publish, until told to stop."""
        from didflow_chassis.running import WORKER, run_worker

        run(service, WORKER, settings, run_worker)

    @app.command()
    def migrate() -> None:
        """Bring the database to what this release needs; safe to run twice and at once."""
        run(service, "migrate", settings, _migrate)

    @app.command()
    def check() -> None:
        """Say whether settings, database and Kafka are as needed, and what is missing."""
        if not run(service, "check", settings, _check):
            raise typer.Exit(1)

    @app.command()
    def openapi() -> None:
        """Print the OpenAPI document of the HTTP API."""
        from didflow_chassis.http import openapi_json

        typer.echo(openapi_json(service), nl=False)

    @app.command()
    def asyncapi() -> None:
        """Print the AsyncAPI document: what the service hears and says."""
        from didflow_chassis import asyncapi

        typer.echo(asyncapi.as_json(asyncapi.of_service(service)), nl=False)

    @app.command(name="settings")
    def list_settings() -> None:
        """Print the settings as a Markdown table: variable, default, meaning."""
        typer.echo(as_table(settings))

    for name, build in tools.items():
        app.add_typer(build(service, settings), name=name)
    return app


def run(service: Service, process: str, settings: type[Settings], work: Work[T]) -> T:
    """Run one command's work with the settings as they are told. Raises typer.Exit with the code that fits."""
    try:
        told = load(settings)
        logs.configure(service=service.name, process=process, level=told.log_level)
        return uvloop.run(work(service, told))
    except SettingsError as error:
        raise _exit(os.EX_CONFIG, *error.problems) from None
    except (Outage, KafkaError, OSError) as error:
        raise _exit(os.EX_UNAVAILABLE, f"cannot run: {error}") from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except typer.Exit:
        raise
    except Exception as error:
        _LOG.exception("ended by a defect")
        raise typer.Exit(os.EX_SOFTWARE) from error


def _exit(code: int, *lines: str) -> typer.Exit:
    for line in lines:
        typer.echo(line, err=True)
    return typer.Exit(code)


async def _migrate(service: Service, settings: Settings) -> None:
    from didflow_chassis.migrate import upgrade

    applied = await upgrade(settings.dsn, service)
    typer.echo("\n".join(f"applied {revision}" for revision in applied) or "nothing to apply")


async def _check(service: Service, settings: Settings) -> bool:
    from didflow_chassis.preflight import check

    findings = await check(service, settings)
    typer.echo("ok       settings")
    for finding in findings:
        typer.echo(f"{'ok     ' if finding.ok else 'MISSING'}  {finding.what}: {finding.detail}")
    return all(finding.ok for finding in findings)
