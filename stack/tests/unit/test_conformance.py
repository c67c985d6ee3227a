"""The command line of the conformance run, and its page."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from didflow.cli import app
from didflow.conformance.checks import CHECKS
from didflow.conformance.executions import ExecutionLog
from didflow.errors import BadInput

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("small",), "no_terminal"),
        (("small", "--only", "restarts"), "bad_input"),
        (("small", "--kafka", "nowhere:1", "--topic-prefix", "", "--command", "true"), "bad_input"),
        (("small", "--command", "true", "--restart-command", "true"), "bad_input"),
    ],
)
def test_a_run_that_cannot_begin_says_why(arguments: tuple[str, ...], code: str) -> None:
    """One line and exit code 2."""
    ended = CliRunner().invoke(app, ["adapter", "test", *arguments])
    assert ended.stderr.splitlines()[-1].startswith(f"didflow: {code}: ")
    assert ended.exit_code == 2


def test_the_page_has_every_check() -> None:
    """The table has the names and promises of the checks, in their order, and no other."""
    page = (ROOT / "docs" / "conformance.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    assert [(name.strip("`"), promise) for name, promise in rows] == [
        (check.name, check.promise) for check in CHECKS
    ]


@pytest.mark.parametrize("line", ["done", "[]", '{"command_id": 1}', '{"command": "1"}'])
def test_a_line_of_another_form_in_the_log_of_executions_is_named(tmp_path: Path, line: str) -> None:
    """A log that does not exist yet is empty."""
    path = tmp_path / "log"
    assert ExecutionLog(path).commands() == ()
    path.write_text('{"command_id": "0190a5b6-7c00-7000-8000-000000000001", "at": 1}\n' + line)
    with pytest.raises(BadInput, match="Line 2 of"):
        ExecutionLog(path).commands()
