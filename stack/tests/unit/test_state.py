"""How the commands find a running stack, and only a running one."""

import os
from pathlib import Path

import pytest

from didflow import state
from didflow.errors import BadInput, ClockNotMovable, NoStack, StackRuns
from didflow.installation import Installation, service_dsn
from didflow.movable_clock import require_movable
from didflow.services import SERVICES
from didflow.state import ADMIN


def running(**changes: object) -> state.StackState:
    told = {
        "pid": os.getpid(),
        "born": state.birth_of(os.getpid()),
        "kafka": "127.0.0.1:1",
        "http": "http://127.0.0.1:2",
        "postgres": {ADMIN: "postgresql://a@h/postgres", **{s: f"postgresql://{s}@h/{s}" for s in SERVICES}},
        "embedded_kafka": True,
        "embedded_postgres": True,
    }
    return state.StackState.model_validate(told | changes)


def test_a_running_stack_is_found(tmp_path: Path) -> None:
    """The state is read back while its process runs."""
    state.write(tmp_path, running())
    assert state.read(tmp_path) == running()
    assert Installation(folder=tmp_path).databases() == {s: f"postgresql://{s}@h/{s}" for s in SERVICES}


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    """It contains passwords."""
    state.write(tmp_path, running())
    assert (tmp_path / "stack.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("changes", [{"pid": 2**22 + 1}, {"born": 1.0}])
def test_a_stack_that_was_killed_is_not_found(tmp_path: Path, changes: dict[str, object]) -> None:
    """A pid without a process, or with another process, does not count as running."""
    state.write(tmp_path, running(**changes))
    with pytest.raises(NoStack):
        state.read(tmp_path)


def test_without_a_stack_there_is_an_error(tmp_path: Path) -> None:
    """No file, half a file and a removed file mean the same: nothing runs."""
    with pytest.raises(NoStack):
        state.read(tmp_path)
    (tmp_path / "stack.json").write_text("{")
    with pytest.raises(NoStack):
        state.read(tmp_path)
    state.write(tmp_path, running())
    state.forget(tmp_path)
    with pytest.raises(NoStack):
        state.read(tmp_path)


def test_a_folder_has_one_stack(tmp_path: Path) -> None:
    """A second stack is refused until the first one has stopped."""
    with state.held(tmp_path), pytest.raises(StackRuns), state.held(tmp_path):
        pass
    with state.held(tmp_path):
        pass


def test_only_an_embedded_database_has_a_movable_clock(tmp_path: Path) -> None:
    """Given databases, no stack, and a stack on a given database are refused: `clock_not_movable`."""
    installation = Installation(folder=tmp_path)
    with pytest.raises(ClockNotMovable):
        require_movable(installation)
    state.write(tmp_path, running(embedded_postgres=False))
    with pytest.raises(ClockNotMovable):
        require_movable(installation)
    state.write(tmp_path, running())
    require_movable(installation)
    with pytest.raises(ClockNotMovable):
        require_movable(Installation(folder=tmp_path, postgres="postgresql://a@h/postgres"))
    assert ClockNotMovable.code == "clock_not_movable"


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("postgresql://a:b@h:5432/postgres", "postgresql://a:b@h:5432/didflow_billing"),
        ("postgresql://a@h/x?sslmode=require", "postgresql://a@h/didflow_billing?sslmode=require"),
        ("postgresql://{service}@h/{service}", "postgresql://billing@h/billing"),
        ("postgresql://a@h", "postgresql://a@h/didflow_billing"),
    ],
)
def test_a_given_dsn_leads_to_each_services_database(dsn: str, expected: str) -> None:
    """The database name is replaced, or {service} is."""
    assert service_dsn(dsn, "billing") == expected


def test_a_host_alone_is_not_a_dsn() -> None:
    """The error says how to write one."""
    with pytest.raises(BadInput):
        service_dsn("localhost", "billing")
