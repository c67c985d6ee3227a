"""What runs, written down where the other commands find it: one file in the stack's data folder.

The file holds passwords, so its owner alone may read it; it counts only while the process that wrote it lives.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from didflow.errors import NoStack, StackRuns

DATA_VARIABLE = "DIDFLOW_DATA"
ADMIN = "admin"
"""The name under which the database server's own DSN stands beside the services'."""


class StackState(BaseModel):
    """A running stack. `postgres` has the DSN of each service and of the `admin`; `children` name -> pid."""

    model_config = ConfigDict(frozen=True)

    pid: int
    born: float
    kafka: str
    http: str
    postgres: dict[str, str]
    topic_prefix: str = ""
    embedded_kafka: bool
    embedded_postgres: bool
    children: dict[str, int] = {}
    health: dict[str, str] = {}


def default_folder() -> Path:
    """Return the folder of this person's stack: `DIDFLOW_DATA`, else where the system keeps states."""
    given = os.environ.get(DATA_VARIABLE)
    if given:
        return Path(given)
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "didflow"


def birth_of(pid: int) -> float:
    """Return when a process began, so that a pid used again is not taken for it; 0 when there is none."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0


def write(folder: Path, state: StackState) -> None:
    """Write the state whole: readers see the old one or the new one."""
    draft = _path(folder).with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(state.model_dump_json(indent=2))
    draft.rename(_path(folder))


def read(folder: Path) -> StackState:
    """Return the stack that runs in a folder. Raises NoStack."""
    try:
        state = StackState.model_validate_json(_path(folder).read_text())
    except (OSError, ValidationError):
        raise NoStack(f"no stack runs in {folder}: start one with `didflow up`") from None
    if not is_alive(state):
        raise NoStack(f"the stack in {folder} has ended: start it again with `didflow up`")
    return state


def is_alive(state: StackState) -> bool:
    """Say whether the process that wrote a state still runs."""
    return abs(birth_of(state.pid) - state.born) < 1


def forget(folder: Path) -> None:
    """Remove the state of a stack that ends."""
    _path(folder).unlink(missing_ok=True)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep a folder to this process; the kernel frees it with its holder. Raises StackRuns."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackRuns(f"a stack runs in {folder} already; --data names another folder") from None
        yield


def _path(folder: Path) -> Path:
    return folder / "stack.json"
