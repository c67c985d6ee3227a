"""Where people read: one console, as wide as the terminal, or wide enough for whole lines in a file or a pipe."""

import sys
from typing import Final

from rich.console import Console

_IN_A_FILE: Final = 160


def console(*, stderr: bool = False) -> Console:
    """Return a console for standard output or standard error."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else _IN_A_FILE, highlight=False)
