"""What command lines print: plain text, in which nothing can control the terminal.

Names, subjects, keys of settings and values of records come from others. Every command line prints them through this
module, or through `didflow.console`, which uses `escaped` too. A test checks that nothing else prints.
"""

import re
import sys
from typing import Final

_NAMED: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def escaped(text: str) -> str:
    r"""Escape control characters, line ends, changes of direction and lone surrogates as JSON does: `\u001b`, `\n`.

    Inside the strings of a JSON text, the escapes mean the same characters.
    """
    return _CONTROL.sub(lambda found: _NAMED.get(found[0]) or f"\\u{ord(found[0]):04x}", text)


def say(text: str, *, err: bool = False) -> None:
    """Print one line, on standard error if `err`. A line end in the text is escaped too."""
    stream = sys.stderr if err else sys.stdout
    encoding = stream.encoding or "utf-8"
    stream.write(escaped(text).encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()


def say_lines(text: str, *, err: bool = False) -> None:
    """Print text of several lines, such as a document."""
    for line in text.removesuffix("\n").split("\n"):
        say(line, err=err)
