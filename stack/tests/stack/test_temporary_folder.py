"""Scratch folders: entered by any account, gone with their block, or with the next one after a kill."""

import stat
from pathlib import Path

import pytest
from harness.processes import Processes, until

from didflow.embedded.temporary_folder import temporary_folder

HOST = (
    "import time; from didflow.embedded.temporary_folder import temporary_folder\n"
    "with temporary_folder() as folder: print(folder, flush=True); time.sleep(60)"
)


@pytest.mark.parametrize("in_memory", [False, True])
def test_a_scratch_folder_is_gone_after_its_block(in_memory: bool) -> None:
    """What servers left in it is removed with it."""
    with temporary_folder(in_memory=in_memory) as folder:
        (folder / "file").write_text("left")
    assert not folder.exists()


def test_any_account_may_pass_through_but_not_look_around() -> None:
    """A server that dropped root reaches its own folder inside."""
    with temporary_folder() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o711


async def test_what_a_killed_host_left_is_swept_away_by_the_next(processes: Processes) -> None:
    """Only folders whose process is gone are removed: a live neighbour keeps its own."""
    host = processes.python("host", "-c", HOST)
    await until(lambda: host.log.read_text().strip(), within=10, what="folder of the host")
    left = host.log.read_text().strip()
    with temporary_folder() as folder:
        assert left in found(folder.parent)
    await host.kill()
    with temporary_folder() as folder:
        assert left not in found(folder.parent)


def found(folder: Path) -> set[str]:
    """List what lies in a folder."""
    return {str(path) for path in folder.iterdir()}
