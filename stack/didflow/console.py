"""Where people read: one console, as wide as the terminal, or wide enough for whole lines in a file or a pipe."""

import sys
import time
from collections.abc import Callable
from typing import Final

from rich.console import Console

_IN_A_FILE: Final = 160


def console(*, stderr: bool = False) -> Console:
    """Return a console for standard output or standard error."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else _IN_A_FILE, highlight=False)


class Progress:
    """Says what happens, line by line: steps with the seconds since the start, details below them."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has spoken."""
        return time.monotonic() - self._began

    def step(self, text: str) -> None:
        """Say that a step begins."""
        self._tell(f"[bold cyan]{self.seconds:5.1f} s[/]  [bold]{text}[/]")

    def detail(self, text: str) -> None:
        """Say what came of it; `text` may hold rich's markup."""
        self._tell(f"         {text}")
