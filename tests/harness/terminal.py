"""Commands in a terminal of a given width: what a person sees, and what a person answers."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Sequence
from dataclasses import dataclass

_LINES = 40


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a terminal showed, and the exit code of the command."""

    text: str
    exit_code: int

    @property
    def lines(self) -> list[str]:
        """The lines of the output, without the blanks at their ends."""
        return [line.rstrip() for line in self.text.splitlines()]


def in_terminal(
    command: Sequence[str], *, width: int, answer: str = "", env: dict[str, str] | None = None
) -> Seen:
    """Run a command in a terminal of this width. `answer` is typed at once."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", _LINES, width, 0, 0))
    environment = {**(os.environ if env is None else env), "TERM": "xterm"}
    with subprocess.Popen(command, stdin=child, stdout=child, stderr=child, env=environment) as process:
        os.close(child)
        os.write(parent, answer.encode())
        shown = _read_all(parent)
        return Seen(text=shown.decode().replace("\r\n", "\n"), exit_code=process.wait(60))


def _read_all(terminal: int) -> bytes:
    parts: list[bytes] = []
    with os.fdopen(terminal, "rb", buffering=0) as file:
        while True:
            try:
                part = file.read(65_536)
            except OSError:
                # Linux reports the end of a terminal as an error.
                break
            if not part:
                break
            parts.append(part)
    return b"".join(parts)
