"""The command line of a service: its output, its exit codes and its error messages."""

import json
import logging
import os

import pytest
import typer
from typer.testing import CliRunner

from didflow_chassis.commandline import Program, application, command_line
from didflow_chassis.decision import Command
from didflow_chassis.service import Handler, Service
from didflow_chassis.settings import Settings
from didflow_contracts.events import DidPurchased

PASSWORD = "kept-to-itself"


class Nothing(Command):
    """A command that is never sent."""


@pytest.fixture(autouse=True)
def _logging():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def service(tmp_path) -> Service:
    events = {DidPurchased: Handler(decide=lambda *_: None)}
    return Service(name="inventory", main=object, kinds=(), events=events, commands={}, migrations=tmp_path)


@pytest.fixture
def program(service) -> Program:
    return Program("inventory", lambda _: service, Settings)


@pytest.fixture
def run(program, monkeypatch):
    for name in [name for name in os.environ if name.startswith("DIDFLOW_")]:
        monkeypatch.delenv(name)
    app = application(program)
    return lambda *arguments, **variables: CliRunner().invoke(app, arguments, env=variables)


def unreachable() -> dict[str, str]:
    """Addresses where no server answers."""
    return {
        "DIDFLOW_KAFKA": "127.0.0.1:1",
        "DIDFLOW_POSTGRES": f"postgresql://u:{PASSWORD}@127.0.0.1:1/d",
    }


@pytest.mark.parametrize("command", ["api", "worker", "migrate", "check"])
def test_each_wrong_setting_is_one_line(run, command):
    """The exit code is 78. There is one line for each variable and no stack trace."""
    result = run(command, DIDFLOW_POOL_SIZE="0")

    assert result.exit_code == os.EX_CONFIG
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == [
        "DIDFLOW_KAFKA",
        "DIDFLOW_POSTGRES",
        "DIDFLOW_POOL_SIZE",
    ]


@pytest.mark.parametrize("command", ["worker", "migrate"])
def test_an_unreachable_database_is_one_line(run, command):
    """The exit code is 69. There is no stack trace and no password."""
    result = run(command, **unreachable())

    assert result.exit_code == os.EX_UNAVAILABLE
    assert "cannot run" in result.stderr
    assert "Traceback" not in result.output
    assert PASSWORD not in result.output


def test_a_bug_is_a_log_line_and_an_exit_code(run, monkeypatch):
    """The exit code is 70. The stack trace is one JSON line, in which passwords are masked."""

    async def broken(*_):
        raise ZeroDivisionError(f"postgresql://u:{PASSWORD}@db/d")

    monkeypatch.setattr("didflow_chassis.migrate.upgrade", broken)
    result = run("migrate", **unreachable())

    assert result.exit_code == os.EX_SOFTWARE
    assert "ZeroDivisionError" in json.loads(result.stderr)["exception"]
    assert PASSWORD not in result.output


def test_check_reports_all_problems_at_once(run):
    """If neither the database nor Kafka answers, both are reported, and the exit code is 1."""
    result = run("check", **unreachable())

    assert result.exit_code == 1
    assert "problem  database: the database cannot be reached" in result.stdout
    assert "problem  kafka: cannot be reached" in result.stdout
    assert PASSWORD not in result.output


def test_documents_are_printed_without_any_setting(run):
    """OpenAPI, AsyncAPI and the table of settings need no environment variable."""
    assert json.loads(run("asyncapi").stdout)["asyncapi"] == "3.0.0"
    assert json.loads(run("openapi").stdout)["openapi"].startswith("3.")
    assert "| `DIDFLOW_KAFKA` | required |" in run("settings").stdout


def test_the_program_has_the_name_of_the_service(service, monkeypatch, capsys):
    """Help shows `didflow-<name>` and lists the commands."""
    monkeypatch.setattr("sys.argv", ["anything", "--help"])

    with pytest.raises(SystemExit) as ended:
        command_line("inventory", lambda _: service, Settings)()

    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert "didflow-inventory" in shown
    assert all(command in shown for command in ("api", "worker", "migrate", "check", "openapi", "asyncapi"))


def test_a_service_can_add_command_groups(program, monkeypatch):
    """Their commands load the settings and fail like every other command."""
    monkeypatch.delenv("DIDFLOW_POSTGRES", raising=False)

    def shelf(program):
        group = typer.Typer()

        @group.command()
        def count(fail: bool = False) -> None:
            """Count the things on the shelf."""
            if fail:
                program.run("shelf", None)
            typer.echo(f"{program.name}: 3")

        @group.command()
        def clear() -> None:
            """Remove everything."""

        return group

    app = application(program, tools={"shelf": shelf})
    assert CliRunner().invoke(app, ["shelf", "count"]).stdout == "inventory: 3\n"
    failed = CliRunner().invoke(app, ["shelf", "count", "--fail"])
    assert (failed.exit_code, "DIDFLOW_POSTGRES" in failed.stderr) == (os.EX_CONFIG, True)
