"""What the stack writes is closed to other accounts of the machine, whatever the umask is."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from didflow import state
from didflow.document_key import document_key
from didflow.embedded.child import Child
from didflow.embedded.cluster import ClusterFolder
from didflow.embedded.os_account import reachable_folder
from didflow.embedded.temporary_folder import temporary_folder
from didflow.issuer import Issuer
from didflow.private_files import private_folder


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the process create files with this umask."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    """Return the mode of each file and folder below a folder."""
    return {str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode) for path in folder.rglob("*")}


async def test_files_of_a_stack_are_closed_to_others(umask: None, tmp_path: Path) -> None:
    """The data folder, the locks, the state with the passwords, the keys, the logs, and what a child writes."""
    folder = tmp_path / "above" / "data"
    with state.held(folder), document_key(folder):
        about = {"pid": 1, "born": 0.0, "kafka": "", "http": "", "postgres": {}, "embedded_kafka": True}
        state.write(folder, state.StackState(**about, embedded_postgres=True))
        Issuer.of(folder, "http://issuer.localhost")
        with ClusterFolder(root=reachable_folder(folder / "postgres", None)).lock():
            writes = "from pathlib import Path; Path('written').write_text('x'); Path('made').mkdir()"
            logs = private_folder(folder / "logs")
            child = Child.start([sys.executable, "-c", writes], log=logs / "child.log", cwd=folder)
            assert await child.ended(within=30) == 0, child.log_tail()
    found = modes(tmp_path)
    folders = {"above", "above/data", "above/data/logs", "above/data/made", "above/data/postgres"}
    assert found == {name: 0o700 if name in folders else 0o600 for name in found}
    files = {"lock", "stack.json", "logs/child.log", "written", "postgres/lock", "document.keys"}
    assert folders | {f"above/data/{name}" for name in files} < set(found)


async def test_a_log_that_others_could_read_is_closed(tmp_path: Path) -> None:
    """An earlier release may have left it."""
    log = tmp_path / "child.log"
    log.touch()
    log.chmod(0o666)
    await Child.start(["true"], log=log).ended(within=30)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    """The command was given it by its owner, who may share it. What is written into it is closed."""
    tmp_path.chmod(0o755)
    with state.held(tmp_path):
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
        assert modes(tmp_path) == {"lock": 0o600}


def test_a_temporary_folder_can_only_be_entered_if_servers_run_as_another_account(umask: None) -> None:
    """Nobody else can list it. Only root, whose servers run as nobody, lets others enter it."""
    with temporary_folder() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == (0o711 if os.geteuid() == 0 else 0o700)
