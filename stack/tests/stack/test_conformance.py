"""The command line of the conformance run, with processes that it starts."""

import os
import subprocess
import sysconfig
from pathlib import Path

import orjson


def didflow(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    scripts = sysconfig.get_path("scripts")
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    program = [str(Path(scripts) / "didflow"), "adapter", "test", *arguments]
    return subprocess.run(
        program,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PATH": path, **env},
    )


def test_the_simulator_is_started_and_its_verdicts_are_printed_as_json(tmp_path: Path) -> None:
    """The exit code is 0."""
    arguments = ("--command", "didflow-simulator", "--only", "results", "--json")
    ended = didflow("simulator", *arguments, "--executions", str(tmp_path / "executions.jsonl"))
    assert [(one["check"], one["outcome"]) for one in orjson.loads(ended.stdout)] == [
        ("answers", "ok"),
        ("results", "ok"),
    ]
    assert ended.returncode == 0


def test_an_adapter_that_exits_is_shown_with_its_last_lines() -> None:
    """The other checks are not run. The exit code is 1."""
    ended = didflow("small", "--command", "sh -c 'echo no carrier; exit 3'")
    assert "FAILED   answers" in ended.stdout
    assert "exited with code 3. Its last lines:\nno carrier" in ended.stdout
    assert "not run  duplicate" in ended.stdout
    assert ended.returncode == 1
