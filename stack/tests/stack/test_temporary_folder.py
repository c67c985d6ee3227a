"""Temporary folders: any account can enter them, and they are removed at the end of the block or after a kill."""

import stat
from pathlib import Path

import pytest
from harness.processes import Processes, until

from didflow.embedded.os_account import server_os_account
from didflow.embedded.temporary_folder import temporary_folder

HOST = (
    "import time; from didflow.embedded.temporary_folder import temporary_folder\n"
    "with temporary_folder() as folder: print(folder, flush=True); time.sleep(60)"
)


@pytest.mark.parametrize("in_memory", [False, True])
def test_a_temporary_folder_is_removed_after_its_block(in_memory: bool) -> None:
    """The files that servers left in it are removed too."""
    with temporary_folder(in_memory=in_memory) as folder:
        (folder / "file").write_text("left")
    assert not folder.exists()


def test_servers_of_another_account_can_pass_through_but_not_list() -> None:
    """A server that dropped root reaches its own folder inside."""
    with temporary_folder() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == (0o700 if server_os_account() is None else 0o711)


async def test_the_next_host_removes_folders_of_killed_hosts(processes: Processes) -> None:
    """Only folders whose process has ended are removed. A running process keeps its folder."""
    host = processes.python("host", "-c", HOST)
    await until(lambda: host.log.read_text().strip(), within=10, what="folder of the host")
    left = host.log.read_text().strip()
    with temporary_folder() as folder:
        assert left in content(folder.parent)
    await host.kill()
    with temporary_folder() as folder:
        assert left not in content(folder.parent)


def content(folder: Path) -> set[str]:
    """Return the names in a folder."""
    return {str(path) for path in folder.iterdir()}
