"""A service's command line: what it prints, and what an operator reads when something is missing."""

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
    """A command that nobody sends."""


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


def reachable_nowhere() -> dict[str, str]:
    """Addresses that answer nobody."""
    return {
        "DIDFLOW_KAFKA": "127.0.0.1:1",
        "DIDFLOW_POSTGRES": f"postgresql://u:{PASSWORD}@127.0.0.1:1/d",
    }


@pytest.mark.parametrize("command", ["api", "worker", "migrate", "check"])
def test_wrong_settings_are_said_in_one_line_each(run, command):
    """Exit code 78, one line for each variable, no stack trace."""
    result = run(command, DIDFLOW_POOL_SIZE="0")

    assert result.exit_code == os.EX_CONFIG
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == [
        "DIDFLOW_KAFKA",
        "DIDFLOW_POSTGRES",
        "DIDFLOW_POOL_SIZE",
    ]


@pytest.mark.parametrize("command", ["worker", "migrate"])
def test_a_database_that_is_not_there_is_said_in_one_line(run, command):
    """Exit code 69, no stack trace, no password."""
    result = run(command, **reachable_nowhere())

    assert result.exit_code == os.EX_UNAVAILABLE
    assert "cannot run" in result.stderr
    assert "Traceback" not in result.output
    assert PASSWORD not in result.output


def test_a_defect_is_a_log_line_and_an_exit_code(run, monkeypatch):
    """Exit code 70; the traceback is one JSON line, with passwords masked like any other."""

    async def broken(*_):
        raise ZeroDivisionError(f"postgresql://u:{PASSWORD}@db/d")

    monkeypatch.setattr("didflow_chassis.migrate.upgrade", broken)
    result = run("migrate", **reachable_nowhere())

    assert result.exit_code == os.EX_SOFTWARE
    assert "ZeroDivisionError" in json.loads(result.stderr)["exception"]
    assert PASSWORD not in result.output


def test_check_says_everything_that_is_missing_at_once(run):
    """Neither database nor Kafka answers: both are named, exit code 1."""
    result = run("check", **reachable_nowhere())

    assert result.exit_code == 1
    assert "problem  database: the database cannot be reached" in result.stdout
    assert "problem  kafka: cannot be reached" in result.stdout
    assert PASSWORD not in result.output


def test_documents_are_printed_without_any_setting(run):
    """OpenAPI, AsyncAPI and the settings come out of an unconfigured process, as they are."""
    assert json.loads(run("asyncapi").stdout)["asyncapi"] == "3.0.0"
    assert json.loads(run("openapi").stdout)["openapi"].startswith("3.")
    assert "| `DIDFLOW_KAFKA` | required |" in run("settings").stdout


def test_the_program_bears_the_services_name(service, monkeypatch, capsys):
    """What a service installs as its script is `didflow-<name>`, and help lists what it can do."""
    monkeypatch.setattr("sys.argv", ["anything", "--help"])

    with pytest.raises(SystemExit) as ended:
        command_line("inventory", lambda _: service, Settings)()

    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert "didflow-inventory" in shown
    assert all(command in shown for command in ("api", "worker", "migrate", "check", "openapi", "asyncapi"))


def test_a_service_may_add_groups_of_its_own_commands(program, monkeypatch):
    """They take settings, and fail, as every other command does."""
    monkeypatch.delenv("DIDFLOW_POSTGRES", raising=False)

    def shelf(program):
        group = typer.Typer()

        @group.command()
        def count(fail: bool = False) -> None:
            """Count what is on the shelf."""
            if fail:
                program.run("shelf", None)
            typer.echo(f"{program.name}: 3")

        @group.command()
        def clear() -> None:
            """Leave nothing."""

        return group

    app = application(program, tools={"shelf": shelf})
    assert CliRunner().invoke(app, ["shelf", "count"]).stdout == "inventory: 3\n"
    failed = CliRunner().invoke(app, ["shelf", "count", "--fail"])
    assert (failed.exit_code, "DIDFLOW_POSTGRES" in failed.stderr) == (os.EX_CONFIG, True)
