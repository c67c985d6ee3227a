"""Check the page of the fault matrix against the tests: each row has its tests, and each test has its row."""

import ast
import re
from pathlib import Path

import pytest

from didflow_chassis.telemetry.metrics import Metrics
from didflow_contracts.topics import SERVICES

HERE = Path(__file__).parent
PAGES = HERE.parents[1] / "docs" / "faults"
ROWS = tuple(f"F{number:02}" for number in range(1, 40))
LINK = re.compile(r"\]\(([^)#\s]+)\)")


def table() -> dict[str, list[str]]:
    """Return the rows of the page: id -> its other cells."""
    lines = re.findall(r"^\| (F\d\d) \|(.*)\|$", (PAGES / "README.md").read_text(), re.MULTILINE)
    assert len(lines) == len({row for row, _ in lines}), "a row is in the table twice"
    return {row: [cell.strip() for cell in cells.split("|")] for row, cells in lines}


def rows_of(file: Path) -> set[str]:
    """Return the rows that a file proves: those at the beginning of its docstring or of its tests' docstrings."""
    module = ast.parse(file.read_text())
    tests = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    docstrings = [ast.get_docstring(node) or "" for node in tests if node.name.startswith("test_")]
    first_line = (ast.get_docstring(module) or "").partition("\n")[0]
    return {
        row for text in (*docstrings, first_line) for row in re.findall(r"\bF\d\d\b", text.partition(":")[0])
    }


def test_every_row_is_in_the_table_with_all_its_cells() -> None:
    """The table has F01 to F39, each with its fault, its cause, what must hold, and where it is tested."""
    found = table()
    assert tuple(found) == ROWS
    assert {row: len(cells) for row, cells in found.items()} == dict.fromkeys(ROWS, 4)
    assert all(cell for cells in found.values() for cell in cells)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_links_to_all_its_tests_and_its_procedure(row: str) -> None:
    """A row links to the test files with its id in their name, and to its procedure. Each file has a test for it."""
    linked = {(PAGES / link).resolve() for link in LINK.findall(table()[row][-1])}
    files = {path for path in HERE.glob("test_f*.py") if row.lower() in path.name.split("_")}
    pages = {path for path in PAGES.glob("*.md") if path.stem == row}
    assert linked == files | pages
    assert linked, "the row has no test and no procedure"
    assert all(row in rows_of(file) for file in files)


def test_every_test_file_and_page_has_its_row() -> None:
    """Every test file and every page belongs to a row of the matrix."""
    linked = {part.upper() for path in HERE.glob("test_f*.py") for part in path.stem.split("_")[1:3]}
    assert {name for name in linked if re.fullmatch(r"F\d\d", name)} <= set(ROWS)
    assert {page.stem for page in PAGES.glob("F*.md")} <= set(ROWS)


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.name)
def test_every_link_and_metric_of_a_page_exists(page: Path) -> None:
    """Every link of a page leads to a file, and every metric of a page is one that the processes have."""
    text = page.read_text()
    for link in LINK.findall(text):
        assert (PAGES / link).exists(), link
    metrics = {metric.name for metric in Metrics().registry.collect()}
    modules = {f"didflow_{name}" for name in (*SERVICES, "contracts")}
    assert set(re.findall(r"\bdidflow_[a-z_]+\b", text)) <= metrics | modules


@pytest.mark.parametrize("page", sorted(PAGES.glob("F*.md")), ids=lambda page: page.name)
def test_a_procedure_says_when_it_passes(page: Path) -> None:
    """Every procedure says when it passes and links to the final check."""
    text = page.read_text()
    assert "Passes when" in text
    assert "(final-check.md)" in text
