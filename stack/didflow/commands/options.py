"""Options that several commands share, and how a command runs: an error is one line and an exit code."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from didflow.console import Screen, leave_quietly
from didflow.errors import BadInput, NoTerminal, StackError
from didflow.installation import KAFKA_VARIABLE, POSTGRES_VARIABLE, Installation
from didflow.services import SERVICES
from didflow.state import DATA_VARIABLE, default_folder
from didflow_contracts.terminal import escaped

# ruff: noqa: PLC0415 - each command loads only what it runs

T = TypeVar("T")

Data = Annotated[
    Path | None,
    typer.Option(help=f"Folder of the stack. Default: {DATA_VARIABLE}, or a folder in your home."),
]
Kafka = Annotated[
    str | None,
    typer.Option(help="Addresses of a Kafka to use instead of the running stack's.", envvar=KAFKA_VARIABLE),
]
Postgres = Annotated[
    str | None,
    typer.Option(
        help="DSN of a PostgreSQL to use instead of the running stack's. The database is didflow_<service>, "
        "or the DSN contains {service}.",
        envvar=POSTGRES_VARIABLE,
    ),
]
OneService = Annotated[
    str | None, typer.Option("--service", help=f"Only this service: {', '.join(SERVICES)}.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def folder_of(data: Path | None) -> Path:
    """Return the folder that the option names, or the default folder."""
    return data if data is not None else default_folder()


def installation_of(data: Path | None, kafka: str | None = None, postgres: str | None = None) -> Installation:
    """Return the installation that the options name."""
    return Installation(folder=folder_of(data), kafka=kafka, postgres=postgres)


def databases_of(
    data: Path | None, postgres: str | None, service: str | None, *, failed: int = 1
) -> dict[str, str]:
    """Return service -> DSN for all services, or for the one that is named. Ends the command if there is none."""
    try:
        return _of_one(installation_of(data, postgres=postgres).databases(), service)
    except StackError as error:
        raise fail(error, failed) from None


def _of_one(databases: dict[str, str], service: str | None) -> dict[str, str]:
    if service is not None and service not in databases:
        raise BadInput(f"Unknown service {service!r}. Use one of {', '.join(databases)}.")
    return {name: dsn for name, dsn in databases.items() if service in (None, name)}


def number_of(given: str | None) -> str | None:
    """Return the number of an option in E.164 form; the plus may be left out. Raises BadInput for any other form.

    A number of no numbering plan is only warned of: an event can have one by mistake, and an operator may look for it.
    """
    from didflow_contracts.numbers import is_e164, is_valid

    if given is None:
        return None
    number = "+" + given.strip().removeprefix("+")
    if not is_e164(number):
        raise BadInput(
            f"{given!r} is not a number in E.164 form, such as +442079460018, so no event can have it."
        )
    if not is_valid(number):
        Screen(stderr=True).line(f"didflow: warning: no numbering plan contains {number}. Is it complete?")
    return number


def run(work: Coroutine[Any, Any, T], *, failed: int = 1) -> T:
    """Run a command's work. An error that a person can correct is printed in one line; the exit code is `failed`.

    The first SIGTERM or Ctrl-C cancels the work, which stops what it started. The exit code is then 130.
    """
    try:
        return asyncio.run(_until_signaled(work))
    except asyncio.CancelledError:
        raise typer.Exit(130) from None
    except BrokenPipeError:
        leave_quietly()
    except Exception as error:
        if isinstance(error, _known()):
            raise fail(error, failed) from None
        raise


def _known() -> tuple[type[Exception], ...]:
    """Return the errors that a person can correct. They are imported only after an error: commands start fast."""
    import asyncpg

    from didflow.embedded.cluster import PostgresDidNotStartError, PostgresInUseError
    from didflow.embedded.mock_cluster import MockClusterError
    from didflow.embedded.os_account import UnsafeFolderError
    from didflow.embedded.postgres_programs import PostgresMissingError
    from didflow_chassis.database import Outage
    from didflow_chassis.settings import SettingsError

    embedded = (UnsafeFolderError, PostgresDidNotStartError, PostgresInUseError, PostgresMissingError)
    return (StackError, Outage, SettingsError, asyncpg.PostgresError, MockClusterError, *embedded)


async def _until_signaled(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(work)
    signals: list[bool] = []

    def stop() -> None:
        # A second signal must not interrupt the shutdown that the first one started.
        if not signals:
            signals.append(True)
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    return await task


def confirm(verb: str, things: str) -> None:
    """Ask before many things are changed. Ends the command without a yes."""
    what = f"{verb} {things}"
    if not sys.stdin.isatty():
        raise fail(
            NoTerminal(f"Nobody can be asked, because standard input is not a terminal. To {what}: --yes.")
        )
    if not typer.confirm(escaped(f"{what[0].upper()}{what[1:]}?"), err=True):
        Screen(stderr=True).line("Nothing was changed.")
        raise typer.Exit(1)


def fail(error: Exception, exit_code: int = 1) -> typer.Exit:
    """Print an error, its code first, and return the exit."""
    code = getattr(error, "code", None) or type(error).__name__.lower()
    Screen(stderr=True).lines(f"didflow: {code}: {error}")
    return typer.Exit(exit_code)
