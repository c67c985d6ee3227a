"""The keys that encrypt a stack's documents and secrets. They are created once for each data folder.

Keys that the environment names are used instead.
"""

import base64
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

VARIABLE: Final = "DIDFLOW_DOCUMENT_KEYS"
FILES: Final = {VARIABLE: "document.keys", "DIDFLOW_SECRET_KEYS": "secret.keys"}
"""Setting -> the file with its key."""


@contextmanager
def document_key(folder: Path) -> Iterator[None]:
    """Name the keys in the environment of this process and its children while the block runs."""
    named = [
        (f"{variable}_FILE", folder / file)
        for variable, file in FILES.items()
        if not os.environ.get(variable) and not os.environ.get(f"{variable}_FILE")
    ]
    os.environ.update({name: str(_created(path)) for name, path in named})
    try:
        yield
    finally:
        for name, _ in named:
            os.environ.pop(name, None)


def _created(path: Path) -> Path:
    """Return the file. If it does not exist, create it. Only its owner may read it."""
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path
    with os.fdopen(made, "w") as file:
        file.write(f"stack:{base64.b64encode(secrets.token_bytes(32)).decode()}\n")
    return path
