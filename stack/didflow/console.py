"""Output for people: a console as wide as the terminal, or wide enough for whole lines in a file or a pipe."""

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
    """Prints what happens, line by line: steps with the seconds since the start, and details below them."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def step(self, text: str) -> None:
        """Print that a step begins."""
        self._tell(f"[bold cyan]{self.seconds:5.1f} s[/]  [bold]{text}[/]")

    def detail(self, text: str) -> None:
        """Print a detail of the step. `text` may contain rich markup."""
        self._tell(f"         {text}")
