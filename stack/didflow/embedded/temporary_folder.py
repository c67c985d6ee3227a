"""Temporary folders that servers of any account can reach, and that are removed even if their host was killed.

A folder has its owner's pid in its name. Each new folder first removes those whose owner has ended.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from didflow.embedded.os_account import server_os_account

_PREFIX: Final = "didflow-scratch-"
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a private name there
_ROOM: Final = 4 * 2**30


@contextmanager
def temporary_folder(*, in_memory: bool = False) -> Iterator[Path]:
    """Create a new empty folder and remove it at the end. Folders that killed hosts left are removed first.

    With `in_memory`, the folder is in a memory file system if there is one with 4 GB free. Its content survives
    every process but not a restart of the machine, and a server does not wait for a disk.
    """
    disk = Path(tempfile.gettempdir())
    sweep(disk)
    sweep(_MEMORY)
    root = _MEMORY if in_memory and _has_room(_MEMORY) else disk
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=root))
    if server_os_account() is not None:
        folder.chmod(0o711)  # the account that servers run as must be able to enter it
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(root: Path) -> None:
    """Remove didflow's temporary folders under `root` whose process has ended."""
    for folder in root.glob(f"{_PREFIX}*-*"):
        owner = folder.name.removeprefix(_PREFIX).split("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)) and _is_ours(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _has_room(root: Path) -> bool:
    return root.is_dir() and os.access(root, os.W_OK) and shutil.disk_usage(root).free >= _ROOM


def _is_ours(folder: Path) -> bool:
    try:
        return folder.lstat().st_uid == os.geteuid()
    except FileNotFoundError:
        return False
