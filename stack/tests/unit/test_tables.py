"""Tables in terminals of any width: ids are whole, other columns give way, nothing of a record reaches the terminal."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didflow.tables import Cell, Column, laid_out
from didflow_contracts.terminal import escaped

ID = "01980f2c-7c00-7000-8000-00000000000"
COLUMNS = (Column(name="id"), Column(name="services"), Column(name="empty"), Column(name="detail", least=12))
ROWS = [
    (f"{ID}{n}", "billing, inventory", "", f"The value number {n} is wrong in many respects.")
    for n in range(3)
]


def text_of(width: int | None, rows=ROWS, columns=COLUMNS) -> list[str]:
    return ["".join(cell.text for cell in line) for line in laid_out(columns, rows, width)]


@pytest.mark.parametrize("width", [None, 1, 30, 37, 60, 80, 100, 120, 200])
def test_every_id_is_whole_on_one_line(width: int | None) -> None:
    """Whatever the width, each id is on exactly one line, and each service is named."""
    lines = text_of(width)
    for row in ROWS:
        assert sum(row[0] in line for line in lines) == 1
    assert sum("billing, inventory" in line for line in lines) == 3


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """So the terminal itself wraps nothing."""
    assert all(len(line) <= width for line in text_of(width))


def test_a_table_gives_way_step_by_step() -> None:
    """It fits; its free text is cut; the empty column is left out; each row is a block, in which nothing is cut."""
    widths = {width: text_of(width) for width in (120, 90, 74, 60)}
    assert [len(lines) for lines in widths.values()] == [4, 4, 4, 9]
    assert "many respects." in widths[120][1]
    assert widths[90][1].endswith("…")
    assert ["empty" in widths[width][0] for width in (120, 90, 74)] == [True, True, False]
    assert widths[60][:4] == [
        f"{ID}0",
        "  services: billing, inventory",
        "  detail: The value number 0 is wrong in many respects.",
        f"{ID}1",
    ]


def test_a_spare_column_is_left_out_before_rows_become_blocks() -> None:
    """Only if the table does not fit with it."""
    columns = (Column(name="id"), Column(name="circle", spare=True), Column(name="step"))
    rows = [(ID, "● green", "assign_capacity")]
    assert [line.split()[1:] for line in text_of(64, rows, columns)] == [
        ["circle", "step"],
        ["●", "green", "assign_capacity"],
    ]
    assert [line.split()[1:] for line in text_of(60, rows, columns)] == [["step"], ["assign_capacity"]]


def test_long_text_in_a_block_is_wrapped_between_words() -> None:
    """Nothing of it is lost."""
    lines = text_of(40)
    assert [line.strip() for line in lines[2:4]] == [
        "detail: The value number 0 is wrong in",
        "many respects.",
    ]


def test_in_a_pipe_nothing_is_cut() -> None:
    """Each row is one line with all its text."""
    lines = text_of(None)
    assert len(lines) == 1 + len(ROWS)
    assert all(row[3] in line for row, line in zip(ROWS, lines[1:], strict=True))


def test_wide_characters_are_counted_as_the_terminal_shows_them() -> None:
    """A Chinese character takes two columns."""
    lines = text_of(
        30, rows=[("a", "文字文字文字文字文字文字")], columns=(Column(name="id"), Column(name="t", least=5))
    )
    assert lines[1] == "a   文字文字文字文字文字文字"
    cut = text_of(
        20, rows=[("a", "文字文字文字文字文字文字")], columns=(Column(name="id"), Column(name="t", least=5))
    )
    assert cut[1] == "a   文字文字文字文…"


def test_colors_do_not_change_the_layout() -> None:
    """A cell with a style has the width of its text."""
    rows = [(ID, Cell("● green", "green"), "x")]
    lines = list(laid_out(tuple(Column(name=n) for n in "abc"), rows, 80, header=False))
    assert "".join(cell.text for cell in lines[0]) == f"{ID}  ● green  x"
    assert Cell("● green", "green") in lines[0]


@given(st.text())
def test_no_control_character_is_left_and_json_means_the_same(text: str) -> None:
    """Escape sequences, line ends and changes of direction become text. A JSON string keeps its meaning."""
    shown = escaped(text)
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029\u202e\u2066" for c in shown)
    encoded = json.dumps(text, ensure_ascii=False)
    assert json.loads(escaped(encoded)) == text


def test_a_record_cannot_color_the_terminal() -> None:
    """Neither in a table nor in a block."""
    rows = [(ID, "\x1b[31mred", "\x9b2J", "a\nb")]
    for width in (None, 40):
        shown = "\n".join(text_of(width, rows=rows))
        assert "\x1b" not in shown
        assert "\\u001b[31mred" in shown
        assert "\\u009b2J" in shown
        assert "a\\nb" in shown
