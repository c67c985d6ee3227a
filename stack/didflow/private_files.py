"""Files and folders that only their owner may read or enter, whatever the umask is."""

import os
from pathlib import Path
from typing import IO, Final

FOLDER: Final = 0o700
FILE: Final = 0o600


def private_folder(folder: Path) -> Path:
    """Create a folder, and those above it that are missing. One that is there already keeps its mode."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=FOLDER, exist_ok=True)
        each.chmod(FOLDER)
    return folder


def private_log(path: Path) -> IO[bytes]:
    """Open a file to append to it. It is created if it is missing, and closed to others if it is not."""
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, FILE)
    os.fchmod(opened, FILE)
    return os.fdopen(opened, "ab")
