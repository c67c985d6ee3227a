"""Bytes of records as printable text: nothing is lost, and nothing in it can control a terminal or a page."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didflow_chassis.records import printable, readable

ESCAPE = re.compile(r"\\(\\|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")


def original(text: str) -> bytes:
    """Return the bytes that a text stands for."""
    parts = ESCAPE.split(text)
    return b"".join(
        part.encode() if position % 2 == 0 else _byte_or_character(part)
        for position, part in enumerate(parts)
    )


def _byte_or_character(escape: str) -> bytes:
    if escape == "\\":
        return b"\\"
    code = int(escape[1:], 16)
    return bytes([code]) if escape[0] == "x" else chr(code).encode()


@given(st.binary(max_size=200))
def test_the_text_is_printable_and_stands_for_the_same_bytes(data: bytes) -> None:
    """For any bytes."""
    text = readable(data)
    assert text is not None
    assert text.isprintable()
    assert original(text) == data


@given(st.text(max_size=100))
def test_the_text_of_a_text_stands_for_the_same_text(text: str) -> None:
    """For any characters that UTF-8 can write."""
    data = text.encode("utf-8", "replace")
    assert original(readable(data) or "") == data


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b'{"name": "Zo\xc3\xab"}', '{"name": "Zoë"}'),
        (b"a\nb\x00\x1b[31m\x7f", r"a\x0ab\x00\x1b[31m\x7f"),
        (b"\xff\xfe", r"\xff\xfe"),
        (rb"\xff", r"\\xff"),
        ("\u202e\u2028\u200b\x85".encode(), r"\u202e\u2028\u200b\u0085"),
        ("\U000e0001".encode(), r"\U000e0001"),
        (b"", ""),
    ],
)
def test_what_is_escaped(data: bytes, text: str) -> None:
    """Controls, invalid UTF-8, backslashes, changes of direction, and what has no width."""
    assert readable(data) == text


def test_null_stays_null() -> None:
    """A record without a key has no text for it."""
    assert readable(None) is None


def test_a_text_keeps_its_backslashes() -> None:
    """A text for people, such as the detail of an error, may have been escaped before."""
    assert printable("a\\xff\n\ud800") == "a\\xff\\x0a\\ud800"
