"""The programs on the page "How to write a carrier adapter" are those that run."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "adapters" / "writing.md").read_text()
PROGRAMS = ("python/adapter.py", "node/adapter.js", "node/carrier.js", "go/main.go", "go/carrier.go")


def programs_of_the_page() -> dict[str, str]:
    """Return path -> program for each block of code that the page introduces with its path."""
    found = re.findall(r"This is `examples/adapters/(\S+)`:\n\n```\w+\n(.*?)```", GUIDE, re.DOTALL)
    return dict(found)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_page_shows_the_program_that_runs(program: str) -> None:
    """Copy the file into the page after a change."""
    assert programs_of_the_page()[program] == (ROOT / "examples" / "adapters" / program).read_text()


def test_the_page_shows_no_other_program() -> None:
    """Each one is compared with its file."""
    assert set(programs_of_the_page()) == set(PROGRAMS)
