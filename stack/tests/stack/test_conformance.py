"""The command line of the conformance run, with processes that it starts."""

import asyncio
import os
import pty
import re
import subprocess
import sys
import sysconfig
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import orjson
from harness.example_adapters import python_program
from harness.processes import Processes, until


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


def test_an_adapter_that_exits_is_shown_with_its_last_lines() -> None:
    """The other checks are not run. The exit code is 1. A program that does not exist is exit code 2."""
    ended = didflow("small", "--command", "sh -c 'echo no carrier; exit 3'")
    assert "FAILED   answers" in ended.stdout
    assert "has ended with exit code 3. Its last lines:\nno carrier" in ended.stdout
    assert "not run  slow, actions, duplicate, " in ended.stdout
    assert ended.returncode == 1
    missing = didflow("small", "--command", "no-such-program")
    assert missing.stderr.startswith("didflow: did_not_start: There is no program 'no-such-program'")
    assert missing.returncode == 2


async def test_a_person_or_a_command_restarts_an_adapter_that_runs_elsewhere(
    processes: Processes, tmp_path: Path
) -> None:
    """The run prints the variables of the adapter, says when it must be restarted, and prints JSON. Both runs pass."""
    asked, done = tmp_path / "asked", tmp_path / "done"
    script = tmp_path / "restart.py"
    script.write_text(RESTART.format(asked=str(asked), done=str(done)))
    by_person = Elsewhere("person", processes)
    by_command = Elsewhere("command", processes, "--restart-command", f"{sys.executable} {script}")

    async def confirmed() -> None:
        await until(lambda: "press Enter" in by_person.told(), within=60, what="the question")
        await by_person.restart()
        by_person.press_enter()

    async def restarted() -> None:
        await until(asked.exists, within=60, what="the restart command")
        await by_command.restart()
        done.touch()

    reports = await asyncio.gather(by_person.passes(confirmed()), by_command.passes(restarted()))
    assert reports == [[("answers", "ok"), ("restart", "ok")]] * 2


RESTART = """
import pathlib, time
pathlib.Path({asked!r}).touch()
while not pathlib.Path({done!r}).exists():
    time.sleep(0.02)
"""


class Elsewhere:
    """A run of the command line on a terminal, and an adapter that this test starts with the variables it prints."""

    def __init__(self, name: str, processes: Processes, *options: str) -> None:
        self._name, self._processes = name, processes
        self._ours, terminal = pty.openpty()
        self._errors, self._output = processes.folder / f"{name}.errors", processes.folder / f"{name}.json"
        program = [str(Path(sysconfig.get_path("scripts")) / "didflow"), "adapter", "test", "acme"]
        with self._errors.open("wb") as errors, self._output.open("wb") as output:
            self._run = subprocess.Popen(
                [*program, "--only", "restart", "--json", *options],
                stdin=terminal,
                stdout=output,
                stderr=errors,
            )
        os.close(terminal)

    def told(self) -> str:
        """Return what the run has printed for people."""
        return self._errors.read_text()

    def press_enter(self) -> None:
        """Confirm."""
        os.write(self._ours, b"\n")

    def start(self) -> None:
        """Start the adapter with the variables that the run has printed."""
        variables = dict(re.findall(r"^  (DIDFLOW_\w+)=(.*)$", self.told(), re.MULTILINE))
        env = variables | {"DIDFLOW_CARRIER": "acme", "DIDFLOW_STOP_WITHIN_S": "0.1"}
        self._adapter = self._processes.start(f"adapter of {self._name}", python_program(), env=env)

    async def restart(self) -> None:
        """Stop the adapter and start it again. A kill would only make the group wait for its session."""
        await self._adapter.stop()
        self.start()

    async def passes(self, work: Coroutine[Any, Any, None]) -> list[tuple[str, str]]:
        """Start the adapter, do the work, and return the checks with their outcomes."""
        try:
            await until(lambda: "DIDFLOW_FETCH_WAIT_MS" in self.told(), within=60, what="the variables")
            self.start()
            await work
            assert await asyncio.to_thread(self._run.wait, 60) == 0, self.told()
        finally:
            self._run.kill()
            self._run.wait()
            os.close(self._ours)
        return [(one["check"], one["outcome"]) for one in orjson.loads(self._output.read_bytes())]
