"""The layout of tables in a terminal of any width. Ids, numbers and names are never cut and never broken.

A table that does not fit gives way in this order: its free text is cut, columns without any value are left out, then
those that are spare, and at last each row becomes a small block: its first cell, and below it `name: value` pairs. In a
file or a pipe nothing is cut. Every text is escaped: a record cannot send control sequences to a terminal.
"""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len, set_cell_size

from didflow_contracts.terminal import escaped

GAP: Final = "  "
ELLIPSIS: Final = "…"
_INDENT: Final = "  "


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column. If it has free text, `least` is the number of characters to which it may be cut in a terminal.

    A spare column may be left out of a table that does not fit.
    """

    name: str
    least: int | None = None
    spare: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A text with a color or `bold`; empty: as the terminal has it."""

    text: str
    style: str = ""


Line = tuple[Cell, ...]
"""The pieces of one line of output. Their texts are escaped."""


def laid_out(
    columns: Sequence[Column], rows: Iterable[Sequence[str | Cell]], width: int | None, *, header: bool = True
) -> Iterator[Line]:
    """Lay out a table for a terminal of this width; None: for a file or a pipe."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    whole = _Table(columns=list(columns), rows=cells, header=header)
    used = whole.reduced(lambda n: any(row[n].text for row in cells))
    for table in (whole, used, used.reduced(lambda n: not used.columns[n].spare)):
        widths = table.widths(width)
        if widths is not None:
            yield from table.grid(widths)
            return
    for row in cells:
        yield from _block(columns, row, width or 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Table:
    columns: list[Column]
    rows: list[list[Cell]]
    header: bool

    def reduced(self, keeps: Callable[[int], bool]) -> "_Table":
        """Return the table with some of its columns."""
        kept = [n for n in range(len(self.columns)) if keeps(n)]
        return _Table(
            columns=[self.columns[n] for n in kept],
            rows=[[row[n] for n in kept] for row in self.rows],
            header=self.header,
        )

    def widths(self, available: int | None) -> list[int] | None:
        """Return the widths of the columns, or None if the table does not fit into the terminal."""
        names = [cell_len(column.name) if self.header else 0 for column in self.columns]
        widths = [max(name, *(cell_len(row[n].text) for row in self.rows), 0) for n, name in enumerate(names)]
        if available is None:
            return widths
        excess = sum(widths) + len(GAP) * (len(widths) - 1) - available
        for n in sorted(range(len(widths)), key=lambda n: -widths[n]):
            least = self.columns[n].least
            if excess > 0 and least is not None:
                given = min(excess, max(0, widths[n] - least))
                widths[n] -= given
                excess -= given
        return widths if excess <= 0 else None

    def grid(self, widths: Sequence[int]) -> Iterator[Line]:
        if self.header:
            yield _row([Cell(column.name, "bold") for column in self.columns], widths)
        for row in self.rows:
            yield _row(row, widths)


def _cell(given: str | Cell) -> Cell:
    cell = given if isinstance(given, Cell) else Cell(given)
    return Cell(escaped(cell.text), cell.style)


def _row(cells: Sequence[Cell], widths: Sequence[int]) -> Line:
    """Return one line. The last cell that has a text is not padded."""
    last = max((n for n, cell in enumerate(cells) if cell.text), default=0)
    line: list[Cell] = []
    for cell, width in zip(cells[: last + 1], widths, strict=False):
        line += [
            Cell(_cut(cell.text, width), cell.style),
            Cell(" " * max(0, width - cell_len(cell.text)) + GAP),
        ]
    return tuple(line[:-1])


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + ELLIPSIS


def _block(columns: Sequence[Column], row: Sequence[Cell], width: int) -> Iterator[Line]:
    """Return a row as its first cell and, below it, pairs of name and value: as many on a line as it has room for."""
    yield (Cell(row[0].text, row[0].style or "bold"),)
    line: list[Cell] = []
    for column, cell in zip(columns[1:], row[1:], strict=True):
        pair = [Cell(f"{column.name}: " if column.name else ""), cell]
        if not cell.text:
            continue
        if line and _length(line) + len(GAP) + _length(pair) > width:
            yield tuple(line)
            line = []
        if not line and column.least is not None and len(_INDENT) + _length(pair) > width:
            yield from _wrapped(f"{column.name}: {cell.text}", width)
            continue
        line += [Cell(GAP if line else _INDENT), *pair]
    if line:
        yield tuple(line)


def _length(line: Iterable[Cell]) -> int:
    return sum(cell_len(cell.text) for cell in line)


def _wrapped(text: str, width: int) -> Iterator[Line]:
    """Break free text between words. A word that is wider than the terminal stays whole."""
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT * 2,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return ((Cell(line),) for line in lines)
