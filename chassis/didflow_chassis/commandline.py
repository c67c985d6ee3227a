"""The command line of a service: start, migrate and check it, print its documents, and run its own tools.

Exit codes: 0 done; 1 `check` found something wrong; 69 the database or Kafka cannot be reached; 70 a bug; 78 wrong
settings. A problem that an operator can solve is printed as one line, without a stack trace.
"""

import logging
import os
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeVar

import typer
import uvloop
from aiokafka.errors import KafkaError

from didflow_chassis.database import Outage
from didflow_chassis.kafka_internals.versions import UnsupportedVersion
from didflow_chassis.service import Service
from didflow_chassis.settings import Settings, SettingsError, as_table, load
from didflow_chassis.telemetry import logs
from didflow_contracts.terminal import say, say_lines

# ruff: noqa: PLC0415 - each command loads only what it runs: printing a document needs no Kafka client

_LOG = logging.getLogger(__name__)

T = TypeVar("T")

Work = Callable[[Service, Any], Coroutine[Any, Any, T]]


@dataclass(frozen=True, slots=True)
class Program:
    """A service as it is started: its name, the function that builds it, and its settings."""

    name: str
    build: Callable[[Any], Service]
    settings: type[Settings]

    def described(self) -> Service:
        """Build the service without settings from the environment. It can be described, not run."""
        return self.build(self.settings.placeholder())

    def run(self, process: str, work: Work[T]) -> T:
        """Load the settings, build the service and run `work` with both.

        Raises typer.Exit with the exit code that fits.
        """
        try:
            settings = load(self.settings)
            logs.configure(service=self.name, process=process, level=settings.log_level)
            return uvloop.run(work(self.build(settings), settings))
        except SettingsError as error:
            raise _exit(os.EX_CONFIG, *error.problems) from None
        except (Outage, KafkaError, OSError, UnsupportedVersion) as error:
            raise _exit(os.EX_UNAVAILABLE, f"cannot run: {error}") from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        except typer.Exit:
            raise
        except Exception as error:
            _LOG.exception("The process ends because of a bug")
            raise typer.Exit(os.EX_SOFTWARE) from error


Tools = Mapping[str, Callable[[Program], typer.Typer]]
"""The command groups of one service: the name of a group, and what builds it. Their commands use `Program.run`."""

_NO_TOOLS: Final[Tools] = MappingProxyType({})


def command_line(
    name: str, build: Callable[[Any], Service], settings: type[Settings], tools: Tools = _NO_TOOLS
) -> Callable[[], None]:
    """Return the `main` function of a service."""

    def main() -> None:
        application(Program(name, build, settings), tools)(prog_name=f"didflow-{name}")

    return main


def application(program: Program, tools: Tools = _NO_TOOLS) -> typer.Typer:
    """Return the typer application of a service."""
    app = typer.Typer(
        help=f"didflow {program.name}. Settings are environment variables DIDFLOW_*.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    _add_processes(app, program)
    _add_documents(app, program)
    for name, build in tools.items():
        app.add_typer(build(program), name=name)
    return app


def _add_processes(app: typer.Typer, program: Program) -> None:
    @app.command()
    def api() -> None:
        """Serve the HTTP API until SIGTERM."""
        from didflow_chassis.processes import serve_api

        program.run("api", serve_api)

    @app.command()
    def worker() -> None:
        """Consume events, run due timers and publish, until SIGTERM."""
        from didflow_chassis.processes import WORKER, run_worker

        program.run(WORKER, run_worker)

    @app.command()
    def migrate() -> None:
        """Migrate the database to this release. It is safe to run this twice, or in several places at once."""
        program.run("migrate", _migrate)

    @app.command()
    def check() -> None:
        """Check the settings, the database and Kafka. Nothing is changed."""
        if not program.run("check", _check):
            raise typer.Exit(1)


def _add_documents(app: typer.Typer, program: Program) -> None:
    @app.command()
    def openapi() -> None:
        """Print the OpenAPI document of the HTTP API."""
        from didflow_chassis.http import openapi_json

        say_lines(openapi_json(program.described()))

    @app.command()
    def asyncapi() -> None:
        """Print the AsyncAPI document: the topics that the service reads and writes."""
        from didflow_chassis import asyncapi

        say_lines(asyncapi.as_json(asyncapi.of_service(program.described())))

    @app.command(name="settings")
    def list_settings() -> None:
        """Print the settings as a Markdown table: variable, default, meaning."""
        say_lines(as_table(program.settings))


def _exit(code: int, *lines: str) -> typer.Exit:
    for line in lines:
        say(line, err=True)
    return typer.Exit(code)


async def _migrate(service: Service, settings: Settings) -> None:
    from didflow_chassis.migrate import upgrade

    applied = await upgrade(settings.dsn, service, settings.roles)
    say_lines("\n".join(f"applied {revision}" for revision in applied) or "nothing to apply")


async def _check(service: Service, settings: Settings) -> bool:
    from didflow_chassis.checks import check

    diagnostics = await check(service, settings)
    for diagnostic in diagnostics:
        say(f"{diagnostic.level:8} {diagnostic.what}: {diagnostic.detail}")
    return all(diagnostic.level != "problem" for diagnostic in diagnostics)
