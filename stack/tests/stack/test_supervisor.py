"""The supervisor with real child processes."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from harness.processes import until

from didflow.errors import DidNotStart
from didflow.supervisor import BACKOFF_S, Launch, Spec, Supervisor

SLEEP = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
async def supervisor(tmp_path: Path, told: list[str]) -> AsyncIterator[Supervisor]:
    made = Supervisor(tmp_path, told.append, lambda: None)
    yield made
    await made.stop()


def spec(code: str, starts: list[int] | None = None) -> Spec:
    def launch() -> Launch:
        counted = starts if starts is not None else []
        counted.append(1)
        return Launch(environment=os.environ, health=f"http://127.0.0.1/{len(counted)}")

    return Spec(name="worker", command=(sys.executable, "-c", code), launch=launch)


async def said(folder: Path, times: int) -> None:
    log = folder / "worker.log"
    await until(lambda: log.exists() and log.read_text().count("up") >= times, within=20, what="a start")


async def test_a_killed_child_is_started_again(
    supervisor: Supervisor, tmp_path: Path, told: list[str]
) -> None:
    """The new process has a new environment, and a line is printed."""
    starts: list[int] = []
    supervisor.start(spec(SLEEP, starts))
    await said(tmp_path, 1)
    first = supervisor.pids["worker"]
    os.kill(first, signal.SIGKILL)
    await said(tmp_path, 2)
    assert supervisor.pids["worker"] != first
    assert (supervisor.starts("worker"), supervisor.health["worker"]) == (2, "http://127.0.0.1/2")
    assert told == ["worker was ended by SIGKILL; starting it again in 0.1 s"]
    supervisor.check("worker")


async def test_a_child_that_exits_repeatedly_is_an_error_with_its_last_log_lines(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller gets the reason instead of waiting without end. The pauses are a tenth of the usual ones."""
    monkeypatch.setattr("didflow.supervisor.BACKOFF_S", tuple(pause / 10 for pause in BACKOFF_S))
    supervisor.start(spec("raise SystemExit('no such setting')"))

    def gave_up() -> bool:
        return supervisor.starts("worker") > len(BACKOFF_S)

    await until(gave_up, within=60, what="enough starts")
    with pytest.raises(DidNotStart, match="no such setting"):
        supervisor.check("worker")


async def test_stopping_ends_a_child_that_ignores_sigterm(tmp_path: Path, told: list[str]) -> None:
    """No process is left and none is started again, within the ten seconds that a stack has."""
    supervisor = Supervisor(tmp_path, told.append, lambda: None)
    supervisor.start(spec(STUBBORN))
    await said(tmp_path, 1)
    pid = supervisor.pids["worker"]
    await supervisor.stop()
    await supervisor.stop()
    assert not psutil.pid_exists(pid)
    assert told == []
