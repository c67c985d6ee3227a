"""The key that a stack's documents are encrypted under: made once for a data folder, and kept beside its databases.

A key that the environment names goes before it.
"""

import base64
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

VARIABLE: Final = "DIDFLOW_DOCUMENT_KEYS"


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """Let this process and its children find the key for as long as the block runs."""
    named = f"{VARIABLE}_FILE"
    if os.environ.get(VARIABLE) or os.environ.get(named):
        yield
        return
    os.environ[named] = str(_made(folder / "document.keys"))
    try:
        yield
    finally:
        os.environ.pop(named, None)


def _made(path: Path) -> Path:
    """Return the file, made where it is not there; its owner alone may read it."""
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path
    with os.fdopen(made, "w") as file:
        file.write(f"stack:{base64.b64encode(secrets.token_bytes(32)).decode()}\n")
    return path
