"""The operating system account that a server runs as, and the folders that this account can reach.

PostgreSQL refuses to run as root, so root runs it as `nobody`.
"""

import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from didflow.private_files import private_folder

_SHARED_ROOT = Path("/var/tmp")  # noqa: S108 - folders made here are checked for their owner


class UnsafeFolderError(PermissionError):
    """A folder under /var/tmp with didflow's name belongs to another account."""

    code = "unsafe_folder"


@dataclass(frozen=True, kw_only=True)
class OsAccount:
    """An account of the operating system, without special rights."""

    uid: int
    gid: int


def server_os_account() -> OsAccount | None:
    """Return the account that servers run as: `nobody` if this process is root, else None (the same account)."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return OsAccount(uid=entry.pw_uid, gid=entry.pw_gid)


def can_reach(account: OsAccount | None, path: Path) -> bool:
    """Return True if the account may enter every folder above `path`, and read or enter `path` itself."""
    if account is None:
        return True
    real = path.resolve()
    return all(_allows(account, step, stat.S_IXOTH) for step in real.parents) and _allows(
        account, real, stat.S_IXOTH | (0 if real.is_dir() else stat.S_IROTH)
    )


def reachable_folder(wanted: Path, account: OsAccount | None) -> Path:
    """Create and return `wanted`. If the account cannot reach it, use a folder under /var/tmp instead.

    Others cannot list it. Only if this process is root may they enter it, because the account must.

    The same `wanted` always gives the same folder. Raises UnsafeFolderError.
    """
    wanted = wanted.absolute()
    private_folder(wanted)
    if account is None:
        return wanted
    if can_reach(account, wanted.parent):
        wanted.chmod(0o711)
        return wanted
    return shared_folder(hashlib.sha256(os.fsencode(wanted)).hexdigest()[:16])


def shared_folder(name: str) -> Path:
    """Create a folder that belongs to root and that any account may enter. Raises UnsafeFolderError."""
    folder = _SHARED_ROOT / f"didflow-{name}"
    folder.mkdir(exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise UnsafeFolderError(
            f"{folder} belongs to another account. Remove it or run didflow as its owner."
        )
    folder.chmod(0o711)
    return folder


def _allows(account: OsAccount, path: Path, others: int) -> bool:
    found = path.stat()
    shift = 6 if found.st_uid == account.uid else 3 if found.st_gid == account.gid else 0
    needed = others << shift
    return found.st_mode & needed == needed
