"""The page about terms is that of the code: its transitions, and the life of each example."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from didflow.terms_page import EXAMPLES, SECTIONS, anchor, life, page, transitions
from didflow_billing.domain.term import TRANSITIONS

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "terms.md"
OTHERS = (ROOT / "docs" / "ledger.md", ROOT / "services" / "billing" / "README.md")


def test_the_page_of_terms_is_current() -> None:
    """To update it: `python -m didflow.terms_page > docs/terms.md`."""
    assert PAGE.read_text() == page()


def test_every_transition_has_its_text_and_an_example() -> None:
    """Only what no decision makes has no example."""
    pairs = {(before, after) for before, ends in TRANSITIONS.items() for after in ends}
    assert transitions.WHEN.keys() == pairs
    assert transitions.unshown(EXAMPLES) == transitions.NOT_REACHED


def test_every_link_to_the_page_leads_to_a_heading() -> None:
    """Its own links, and those of other pages. Headings are unique, so their anchors are, too."""
    text = PAGE.read_text()
    headings = [anchor(line.lstrip("# ")) for line in re.findall(r"^#+ .*$", text, re.MULTILINE)]
    assert len(headings) == len(set(headings))
    others = "".join(page.read_text() for page in OTHERS)
    links = re.findall(r"\]\(#([^)]+)\)", text) + re.findall(r"terms\.md#([^)]+)\)", others)
    assert set(links) <= set(headings)
    assert len(EXAMPLES) == sum(map(len, SECTIONS.values()))


def test_a_stopped_clock_that_decides_otherwise_makes_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example is run with and without the stop. Here, the run with the stop misses its last timers."""
    example = next(example for example in EXAMPLES if example.stopped)
    real = life._run

    def run(shown: life.Example, *, stopped: bool) -> life.FakeStage:
        return real(
            replace(shown, until="2026-11-01 12:00", stopped=None) if stopped else shown, stopped=False
        )

    monkeypatch.setattr(life, "_run", run)
    with pytest.raises(ValueError, match="a clock that stopped decides otherwise"):
        life.moments(example)
