"""Starts a child: makes the child end with its parent, drops root, and then becomes the command.

The command keeps the pid of this process. The file uses the standard library only, so it runs in milliseconds.
"""

import ctypes
import os
import signal
import sys
import time

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.5


def drop_root(uid: int, gid: int) -> None:
    """Change to an ordinary account for good. A uid of -1 changes nothing."""
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def bind_to_parent(parent: int, death_signal: int) -> None:
    """Arrange that this process gets `death_signal` when `parent` ends, from the kernel (Linux) or a watcher."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("The parent ended before its child started.")
    else:
        start_watcher(parent, os.getpid(), death_signal)


def start_watcher(parent: int, child: int, death_signal: int) -> None:
    """Start a detached process that sends the signal to `child` when `parent` ends."""
    middle = os.fork()
    if middle:
        os.waitpid(middle, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    os.closerange(0, 256)
    while _exists(child):
        if not _exists(parent):
            os.kill(child, death_signal)
            break
        time.sleep(_POLL_SECONDS)
    os._exit(0)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def main(argv: list[str]) -> None:
    """Take `parent death_signal uid gid command...` and become that command."""
    parent, death_signal, uid, gid = (int(value) for value in argv[:4])
    command = argv[4:]
    # The kernel clears the death signal when the user id changes, so root is dropped first.
    drop_root(uid, gid)
    bind_to_parent(parent, death_signal)
    # Python ignores these two signals, and an ignored signal stays ignored after exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os.execvp(command[0], command)  # noqa: S606 - becoming the command is this file's purpose


if __name__ == "__main__":
    main(sys.argv[1:])
