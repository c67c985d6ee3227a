"""Whom a server runs as when we are root, and which folders that account can get to.

PostgreSQL refuses to run as root; nobody has no rights that could be lost with it.
"""

import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

_SHARED_ROOT = Path("/var/tmp")  # noqa: S108 - folders made here are checked for their owner


class UnsafeFolderError(PermissionError):
    """A folder under /var/tmp with our name belongs to somebody else."""

    code = "unsafe_folder"


@dataclass(frozen=True, kw_only=True)
class OsAccount:
    """An ordinary account of the machine."""

    uid: int
    gid: int


def server_os_account() -> OsAccount | None:
    """Return the account that servers run as: None (ourselves) unless we are root, then nobody."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return OsAccount(uid=entry.pw_uid, gid=entry.pw_gid)


def can_reach(account: OsAccount | None, path: Path) -> bool:
    """Say whether the account may enter every folder on the way to `path`, and read or enter it."""
    if account is None:
        return True
    real = path.resolve()
    return all(_allows(account, step, stat.S_IXOTH) for step in real.parents) and _allows(
        account, real, stat.S_IXOTH | (0 if real.is_dir() else stat.S_IROTH)
    )


def reachable_folder(wanted: Path, account: OsAccount | None) -> Path:
    """Make `wanted`, or a folder under /var/tmp in its stead when it lies in somebody's private home.

    The same `wanted` always gives the same folder. Raises UnsafeFolderError.
    """
    wanted = wanted.absolute()
    wanted.mkdir(parents=True, exist_ok=True)
    if account is None:
        return wanted
    if can_reach(account, wanted.parent):
        wanted.chmod(0o711)
        return wanted
    return shared_folder(hashlib.sha256(os.fsencode(wanted)).hexdigest()[:16])


def shared_folder(name: str) -> Path:
    """Make a folder of root's that any account may pass through. Raises UnsafeFolderError."""
    folder = _SHARED_ROOT / f"didflow-{name}"
    folder.mkdir(exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise UnsafeFolderError(f"{folder} is not ours")
    folder.chmod(0o711)
    return folder


def _allows(account: OsAccount, path: Path, others: int) -> bool:
    found = path.stat()
    shift = 6 if found.st_uid == account.uid else 3 if found.st_gid == account.gid else 0
    needed = others << shift
    return found.st_mode & needed == needed
