"""The page of the fault matrix is held against the tests: no row without its place, no place without its row."""

import ast
import re
from pathlib import Path

import pytest

from didflow_chassis.telemetry.metrics import Metrics
from didflow_contracts.topics import SERVICES

HERE = Path(__file__).parent
PAGES = HERE.parents[1] / "docs" / "faults"
ROWS = tuple(f"F{number:02}" for number in range(1, 35))
LINK = re.compile(r"\]\(([^)#\s]+)\)")


def table() -> dict[str, list[str]]:
    """The page's rows: id -> its other cells."""
    lines = re.findall(r"^\| (F\d\d) \|(.*)\|$", (PAGES / "README.md").read_text(), re.MULTILINE)
    assert len(lines) == len({row for row, _ in lines}), "a row stands there twice"
    return {row: [cell.strip() for cell in cells.split("|")] for row, cells in lines}


def shown_by(file: Path) -> set[str]:
    """The rows that the tests of a file name as theirs, first thing in their docstrings, or in the file's own."""
    module = ast.parse(file.read_text())
    tests = [one for one in ast.walk(module) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    said = [ast.get_docstring(one) or "" for one in tests if one.name.startswith("test_")]
    first = (ast.get_docstring(module) or "").partition("\n")[0]
    return {row for text in (*said, first) for row in re.findall(r"\bF\d\d\b", text.partition(":")[0])}


def test_every_row_is_in_the_table_with_all_its_cells() -> None:
    """F01 to F34, each with its fault, how it is made, what must hold, and where."""
    found = table()
    assert tuple(found) == ROWS
    assert {row: len(cells) for row, cells in found.items()} == dict.fromkeys(ROWS, 4)
    assert all(cell for cells in found.values() for cell in cells)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_leads_to_all_that_shows_it(row: str) -> None:
    """The test files whose name has the row, each with a test that names it, and the page of its procedure."""
    named = {(PAGES / link).resolve() for link in LINK.findall(table()[row][-1])}
    files = {path for path in HERE.glob("test_f*.py") if row.lower() in path.name.split("_")}
    pages = {path for path in PAGES.glob("*.md") if path.stem == row}
    assert named == files | pages
    assert named, "nothing shows it"
    assert all(row in shown_by(file) for file in files)


def test_every_file_of_a_row_is_one_of_the_matrix() -> None:
    """No test file and no page stands for a row that is not there."""
    named = {part.upper() for path in HERE.glob("test_f*.py") for part in path.stem.split("_")[1:3]}
    assert {name for name in named if re.fullmatch(r"F\d\d", name)} <= set(ROWS)
    assert {page.stem for page in PAGES.glob("F*.md")} <= set(ROWS)


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    """Each link leads somewhere, and each metric is one that the processes have."""
    text = page.read_text()
    for link in LINK.findall(text):
        assert (PAGES / link).exists(), link
    metrics = {metric.name for metric in Metrics().registry.collect()}
    modules = {f"didflow_{name}" for name in (*SERVICES, "contracts")}
    assert set(re.findall(r"\bdidflow_[a-z_]+\b", text)) <= metrics | modules


@pytest.mark.parametrize("page", sorted(PAGES.glob("F*.md")), ids=lambda page: page.name)
def test_a_procedure_ends_in_the_judgement(page: Path) -> None:
    """It says what passes, and that everything acknowledged is looked for."""
    text = page.read_text()
    assert "Passes when" in text
    assert "(judging.md)" in text
