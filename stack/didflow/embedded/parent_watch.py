"""Stands in front of a child: binds its life to its parent's, gives root away, then becomes the command.

The command keeps this process's pid. Run by path with the standard library only, so that it costs milliseconds.
"""

import ctypes
import os
import signal
import sys
import time

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.5


def give_root_away(uid: int, gid: int) -> None:
    """Become an ordinary account for good; a uid of -1 keeps who we are."""
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def bind_to_parent(parent: int, death_signal: int) -> None:
    """Have the kernel send `death_signal` to this process when `parent` is gone; elsewhere a watcher does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("the parent was gone before its child began")
    else:
        start_watcher(parent, os.getpid(), death_signal)


def start_watcher(parent: int, child: int, death_signal: int) -> None:
    """Leave a process behind, child of nobody here, that signals `child` once `parent` is gone."""
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
    """Take `parent death_signal uid gid command...` and end as that command."""
    parent, death_signal, uid, gid = (int(value) for value in argv[:4])
    command = argv[4:]
    # The kernel forgets the death signal when the user id changes, so root goes first.
    give_root_away(uid, gid)
    bind_to_parent(parent, death_signal)
    # Python ignores these two, and what is ignored stays ignored over an exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os.execvp(command[0], command)  # noqa: S606 - becoming the command is this file's purpose


if __name__ == "__main__":
    main(sys.argv[1:])
