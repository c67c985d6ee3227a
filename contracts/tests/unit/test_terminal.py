"""Command lines print plain text: whatever a text contains, the terminal only shows it."""

import pytest

from didflow_contracts.terminal import escaped, say, say_lines

HOSTILE = {
    "clears the screen": "\x1b[2J",
    "sets the title": "\x1b]0;gone\x07",
    "sets the clipboard": "\x1b]52;c;cm0gLXJm\x1b\\",
    "answers for the person": "\x1b[6n\x1bP+q544e\x1b\\",
    "one byte CSI": "\x9b31m",
    "one byte OSC": "\x9d0;gone\x9c",
    "overwrites the line": "done\rrefused",
    "deletes": "refused\b\b\b\b\b\b\bdone   \x7f",
    "a line of its own": "x\nno findings",
    "reversed": "\u202egnp.exe\u202c",
    "isolated": "\u2066\u2067\u2068\u2069\u200e\u200f\u061c",
    "line separators": "x\u2028y\u2029z\x85\x0b\x0c",
    "nothing but NUL": "\0",
    "half a character": "\ud83d",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_that_is_printed_controls_the_terminal(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every control character is visible as an escape. One text is one line."""
    say(HOSTILE[name])
    say(HOSTILE[name], err=True)
    printed = capsys.readouterr()
    assert printed.out == printed.err
    assert printed.out.endswith("\n")
    assert printed.out[:-1].isprintable()


def test_a_text_of_several_lines_keeps_them(capsys: pytest.CaptureFixture[str]) -> None:
    """A document has line ends of its own. Everything else in it is escaped."""
    say_lines("a: 1\nb: \x1b[2J\n")
    assert capsys.readouterr().out == "a: 1\nb: \\u001b[2J\n"


def test_names_of_people_stay_readable() -> None:
    """Letters of all scripts, accents, joiners and emoji are not control characters."""
    text = "Zoë Ørsted, Łódź, Αθήνα, Мир, शर्मा, نام‌خانوادگی, 東京, 👩‍👧"
    assert escaped(text) == text
