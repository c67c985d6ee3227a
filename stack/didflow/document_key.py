"""The key that encrypts a stack's documents. It is created once for each data folder.

A key that the environment names is used instead.
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
def document_key(folder: Path) -> Iterator[None]:
    """Name the key in the environment of this process and its children while the block runs."""
    named = f"{VARIABLE}_FILE"
    if os.environ.get(VARIABLE) or os.environ.get(named):
        yield
        return
    os.environ[named] = str(_created(folder / "document.keys"))
    try:
        yield
    finally:
        os.environ.pop(named, None)


def _created(path: Path) -> Path:
    """Return the file. If it does not exist, create it. Only its owner may read it."""
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path
    with os.fdopen(made, "w") as file:
        file.write(f"stack:{base64.b64encode(secrets.token_bytes(32)).decode()}\n")
    return path
