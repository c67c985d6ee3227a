"""The only place through which commands print: lines, JSON, tables and the progress of a start or a demo.

Control characters are escaped, so no record can send control sequences to a terminal. A table is as wide as the
terminal; in a file or a pipe nothing is cut. If the reader of a pipe has gone, the command ends without a message.
"""

import io
import os
import select
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn, TextIO

import orjson

from didflow.tables import Cell, Column, Line, laid_out
from didflow_contracts.terminal import escaped

if TYPE_CHECKING:
    from rich.text import Text

CLOSED_PIPE: Final = 141
"""The exit code of a command whose reader has gone: 128 + SIGPIPE, as a shell reports it."""

_USUAL_WIDTH: Final = 80
_STYLES: Final[Mapping[str, str]] = {"bold": "1", "red": "31", "green": "32", "yellow": "33"}


class Screen:
    """Prints to one of the standard streams."""

    def __init__(self, *, stderr: bool = False) -> None:
        self._stream: TextIO = sys.stderr if stderr else sys.stdout
        self._is_terminal = self._stream.isatty()
        self._has_color = self._is_terminal and not os.environ.get("NO_COLOR")

    @property
    def width(self) -> int | None:
        """The columns of the terminal. None: a file or a pipe."""
        if not self._is_terminal:
            return None
        return os.get_terminal_size(self._stream.fileno()).columns or _USUAL_WIDTH

    def line(self, text: str) -> None:
        """Print one line of plain text. A line end in it is escaped too."""
        self._write(escaped(text) + "\n")

    def lines(self, text: str) -> None:
        """Print text of several lines."""
        for line in text.removesuffix("\n").split("\n"):
            self.line(line)

    def json(self, value: Any, *, indent: bool = False) -> None:
        """Print a value as JSON for programs: on one line, or indented for people."""
        self.lines(orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else None).decode())

    def table(
        self, columns: Sequence[Column], rows: Iterable[Sequence[str | Cell]], *, header: bool = True
    ) -> None:
        """Print a table. Its ids stay whole, whatever the width of the terminal."""
        for line in laid_out(columns, rows, self.width, header=header):
            self._write(self._painted(line) + "\n")

    def markup(self, text: str) -> None:
        """Print one line with markup of rich. The caller escapes the markup in what it did not write itself."""
        from rich.text import Text  # noqa: PLC0415 - most commands print no markup

        for line in text.split("\n"):
            given = Text.from_markup(escaped(line))
            self._write((self._colored(given) if self._has_color else given.plain) + "\n")

    def _colored(self, text: "Text") -> str:
        from rich.console import Console  # noqa: PLC0415

        pieces = text.render(Console(force_terminal=True), end="")
        return "".join(piece.style.render(piece.text) if piece.style else piece.text for piece in pieces)

    def _painted(self, line: Line) -> str:
        if not self._has_color:
            return "".join(cell.text for cell in line).rstrip()
        return "".join(
            f"\x1b[{_STYLES[cell.style]}m{cell.text}\x1b[0m" if cell.style else cell.text for cell in line
        )

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except BrokenPipeError:
            leave_quietly()


def leave_quietly() -> NoReturn:
    """End the command because the reader of its output has gone. What is still buffered goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if _is_closed(stream):
            os.dup2(nowhere, stream.fileno())
    raise SystemExit(CLOSED_PIPE)


def reader_has_gone() -> bool:
    """Return True if standard output is a pipe that nobody reads any more. No byte is written to find out."""
    return _is_closed(sys.stdout)


def _is_closed(stream: TextIO) -> bool:
    poll = select.poll()
    try:
        poll.register(stream.fileno(), 0)
    except io.UnsupportedOperation:
        return False
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


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
