"""The state of a running stack: one file in its data folder, which the other commands read.

The file contains passwords, so only its owner may read it. It is valid only while the process that wrote it runs.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from didflow.errors import NoStack, StackRuns
from didflow.private_files import private_folder, private_log

DATA_VARIABLE = "DIDFLOW_DATA"
ADMIN = "admin"
"""The name of the database server's own DSN beside those of the services."""


class StackState(BaseModel):
    """A running stack. `postgres` has the DSN of each service and of the `admin`. `children` is name -> pid."""

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
    """Return the folder of the user's stack: `DIDFLOW_DATA`, or a folder in the user's state directory."""
    given = os.environ.get(DATA_VARIABLE)
    if given:
        return Path(given)
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "didflow"


def birth_of(pid: int) -> float:
    """Return the start time of a process, or 0 if there is none. It tells apart two processes with one pid."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0


def write(folder: Path, state: StackState) -> None:
    """Write the state atomically: readers see the old file or the new file."""
    draft = _path(folder).with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(state.model_dump_json(indent=2))
    draft.rename(_path(folder))


def read(folder: Path) -> StackState:
    """Return the state of the stack that runs in a folder. Raises NoStack."""
    try:
        state = StackState.model_validate_json(_path(folder).read_text())
    except (OSError, ValidationError):
        raise NoStack(f"No stack runs in {folder}. Start one with `didflow up`.") from None
    if not is_alive(state):
        raise NoStack(f"The stack in {folder} has stopped. Start it again with `didflow up`.")
    return state


def is_alive(state: StackState) -> bool:
    """Return True if the process that wrote the state still runs."""
    return abs(birth_of(state.pid) - state.born) < 1


def forget(folder: Path) -> None:
    """Remove the state of a stack that stops."""
    _path(folder).unlink(missing_ok=True)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Lock a folder for this process. The kernel releases the lock when the process ends. Raises StackRuns."""
    with private_log(private_folder(folder) / "lock") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackRuns(f"A stack already runs in {folder}. Use --data to name another folder.") from None
        yield


def _path(folder: Path) -> Path:
    return folder / "stack.json"
